"""Where a classifier bends or leans at an input, matrix-free: directions for rotated scales.

Functions of an input are plain callables x -> scalar, such as `label_probability` and
`cross_entropy` return; a basis is (k, *input shape), its rows orthonormal, the largest first.
"""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.votes import ApplyFn

ScalarFn = Callable[[jax.Array], jax.Array]
"""From an input to a number."""

_HIGHEST = jax.lax.Precision.HIGHEST


def label_probability(apply_fn: ApplyFn, params: Any, label: jax.Array | int) -> ScalarFn:
    """x -> softmax probability of the label."""
    return lambda x: jax.nn.softmax(apply_fn(params, x[None])[0])[label]


def cross_entropy(apply_fn: ApplyFn, params: Any, label: jax.Array | int) -> ScalarFn:
    """x -> -log of the softmax probability of the label."""
    return lambda x: -jax.nn.log_softmax(apply_fn(params, x[None])[0])[label]


def hessian_product(function: ScalarFn, x: jax.Array, v: jax.Array) -> jax.Array:
    """H v for the Hessian H of a function at x, forward over reverse: the cost of two gradients.

    >>> hessian_product(lambda x: x[0] ** 2 * x[1], jnp.array([1.0, 2.0]), jnp.array([1.0, 0.0]))
    Array([4., 2.], dtype=float32)
    """
    _, product = jax.jvp(jax.grad(function), (x,), (v,))
    return jnp.asarray(product)


def top_curvature(
    function: ScalarFn, x: jax.Array, k: int, *, seed: int = 0
) -> tuple[jax.Array, jax.Array]:
    """The k eigenvalues of the Hessian of largest size, either sign, and their directions.

    Driven from the host: ARPACK (Lanczos) asks for products H v, whose function is compiled once;
    where k is above d - 2, or d below 64, the Hessian itself is made.

    Args:
      function: of an input, differentiable twice; a ReLU network has the curvature of its softmax.
        Where nothing bends at all, values are 0 and directions any orthonormal ones.
      x: one input.
      k: how many, at most d.
      seed: of the first vector.

    Returns:
      (values, basis): (k,), by decreasing size, and (k, *x.shape).

    Raises:
      ValueError: k below 1 or above d.
    """
    if not 1 <= k <= x.size:
        raise ValueError(f"k is {k}, wanted 1 .. {x.size}: there is one direction a coordinate.")
    product = jax.jit(lambda v: jnp.ravel(hessian_product(function, x, v.reshape(x.shape))))
    is_small = k > x.size - 2 or x.size < 64
    values, vectors = _dense(product, x) if is_small else _lanczos(product, x, k, seed)
    order = np.argsort(-np.abs(values), kind="stable")[:k]
    basis = np.ascontiguousarray(vectors[:, order].T).reshape(k, *x.shape)
    return jnp.asarray(values[order], x.dtype), jnp.asarray(basis, x.dtype)


def _dense(product: Callable[[jax.Array], jax.Array], x: jax.Array) -> Any:
    matrix = np.asarray(jax.vmap(product)(jnp.eye(x.size, dtype=x.dtype)), np.float64)
    return np.linalg.eigh((matrix + matrix.T) / 2)


def _lanczos(product: Callable[[jax.Array], jax.Array], x: jax.Array, k: int, seed: int) -> Any:
    from scipy.sparse.linalg import LinearOperator, eigsh  # here, so that the import stays light

    def apply(v: Any) -> Any:
        return np.asarray(product(jnp.asarray(v, x.dtype)), np.float64).reshape(np.shape(v))

    operator = LinearOperator((x.size, x.size), matvec=apply, dtype=np.float64)
    start = np.random.default_rng(seed).normal(size=x.size)
    if not apply(start).any():  # a plane, or so sure that floats see one: nothing to iterate on
        rows = np.random.default_rng(seed).normal(size=(x.size, k))
        return np.zeros(k), np.linalg.qr(rows)[0]
    return eigsh(operator, k=k, which="LM", v0=start, tol=1e-4)


def gauss_newton(
    apply_fn: ApplyFn, params: Any, x: jax.Array, *, scale: Scale | None = None
) -> tuple[jax.Array, jax.Array]:
    """All of the Gauss-Newton matrix J'(diag p - p p')J of the cross-entropy at x, from J.

    The Hessian itself where the logits are piecewise linear (ReLU), whatever the label. Its
    rank is at most K - 1, for K classes.

    Args:
      apply_fn, params, x: as in `certify`.
      scale: take directions and curvature in its whitened units, S' H S, as `Rotated` takes them.

    Returns:
      (values, basis): min(K - 1, d) eigenvalues, decreasing, and their directions.
    """
    logits = apply_fn(params, x[None])[0]
    place = (lambda u: x + u) if scale is None else (lambda u: x + scale.push(u))
    jacobian = jax.jacrev(lambda u: apply_fn(params, place(u)[None])[0])(jnp.zeros_like(x))
    p = jax.nn.softmax(logits)
    mean = jnp.tensordot(p, jacobian, axes=1, precision=_HIGHEST)
    spread = jnp.sqrt(p).reshape(-1, *[1] * x.ndim) * (jacobian - mean)
    return principal(spread, min(len(p) - 1, x.size))


def principal(rows: jax.Array, k: int) -> tuple[jax.Array, jax.Array]:
    """(values, basis) of sum_i g_i g_i', the g_i being the rows of (n, ...); k <= min(n, d).

    Directions of value 0 are arbitrary, and orthonormal all the same.

    >>> values, basis = principal(jnp.array([[3.0, 4.0], [0.0, 0.0]]), 2)
    >>> [round(abs(float(value)), 4) for value in (*values, *basis[0])]
    [25.0, 0.0, 0.6, 0.8]
    """
    flat = rows.reshape(len(rows), -1)
    peak = jnp.max(jnp.abs(flat))
    unit = jnp.where(peak > 0, peak, 1.0)
    _, sizes, vectors = jnp.linalg.svd(flat / unit, full_matrices=False)
    basis = orthonormal(vectors[:k])
    return jnp.square(sizes[:k] * unit), basis.reshape(k, *rows.shape[1:])


def orthonormal(rows: jax.Array) -> jax.Array:
    """Rows that are orthonormal but for a little, made so up to the rounding of one product.

    One Newton step toward the nearest orthonormal rows: (3 I - V V') V / 2.
    """
    products = jnp.matmul(rows, rows.T, precision=_HIGHEST)
    step = (3 * jnp.eye(len(rows), dtype=rows.dtype) - products) / 2
    return jnp.matmul(step, rows, precision=_HIGHEST)


def low_curvature_direction(basis: jax.Array, key: jax.Array) -> jax.Array:
    """A direction of length one orthogonal to a basis, picked evenly by the key.

    Where the basis spans all that bends, the function is flat along it. k < d.

    Raises:
      ValueError: the basis leaves no direction.
    """
    rows = basis.reshape(len(basis), -1)
    if len(rows) >= rows.shape[1]:
        raise ValueError(
            f"The basis has {len(rows)} directions of {rows.shape[1]}: no other is orthogonal to "
            "all; give fewer."
        )
    v = jax.random.normal(key, rows.shape[1:], rows.dtype)
    for _ in range(2):  # twice is enough: what rounding leaves of the basis goes too
        v = v - jnp.matmul(jnp.matmul(rows, v, precision=_HIGHEST), rows, precision=_HIGHEST)
        v = v / jnp.linalg.norm(v)
    return v.reshape(basis.shape[1:])
