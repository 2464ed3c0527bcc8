"""Whether directions are orthonormal: asked of traced arrays, demanded of those on the host."""

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.rounding import slack, total

Float64 = NDArray[np.float64]


def are_orthonormal(basis: jax.Array) -> jax.Array:
    """Whether the rows of (k, ...) are, up to `slack` in every scalar product as it is summed.

    What is summed is wrong by `slack` itself, so ||V'V - I|| <= 2 k slack. O(d k^2).
    """
    rows = jnp.reshape(basis, (len(basis), -1))

    def products(row: jax.Array) -> jax.Array:
        return jax.vmap(lambda other: total(row * other))(rows)

    off = jnp.max(jnp.abs(jax.lax.map(products, rows) - jnp.eye(len(rows))))
    return off <= slack(rows.dtype, rows.shape[1])


def check_directions(theta: Float64, basis: Float64, stretch: Float64) -> None:
    """Refuse host arrays that make no rotated scale; a batch of them passes."""
    if stretch.ndim > 1:
        return
    k, shape = basis.shape[:1], basis.shape[1:]
    if stretch.shape != k or theta.shape not in ((), shape) or not 1 <= len(basis) <= basis[0].size:
        raise ValueError(
            f"theta, basis and stretch have shapes {theta.shape}, {basis.shape}, {stretch.shape}; "
            "wanted the input's shape (or one number), (k, *input shape) and (k,), 1 <= k <= d."
        )
    for name, numbers in (("theta", theta), ("stretch", stretch)):
        if not np.all(np.isfinite(numbers) & (numbers > 0)):
            raise ValueError(f"{name} must be finite and positive, got {np.min(numbers)}.")
    rows = basis.reshape(len(basis), -1)
    off = float(np.max(np.abs(rows @ rows.T - np.eye(len(rows)))))
    if not off <= slack(jnp.dtype(jnp.float32), rows.shape[1]):
        raise ValueError(
            f"The directions of basis are not orthonormal, by {off:.2g}: make them so in float64, "
            "with numpy.linalg.qr, before they are rounded to float32."
        )
