"""Scales with axes of their own: a diagonal, and k directions stretched on top of it.

S = D M with D = diag(theta), M = I + V diag(t - 1) V', and A = S^-1 = M^-1 D^-1 with 1 / t in place
of t. The rows of `basis` are the columns of V. Everything costs O(d k) and stores O(d k).

V has only the orthonormality that floating point leaves: V'V = I + E. The noise is made with the
V that is stored, so S is defined by it, and det S and A are a little off. With
e = `defect` >= ||E||, which `is_valid` demands, and rho = max |1 - 1/t| (rho e <= 1/4):

* V = Q G^(1/2), G = V'V, makes M the identity off the span of V and G^(1/2) diag(t) G^(1/2) - E on
  it (in the basis Q), whose eigenvalues lie between (1 - e) min t - e and (1 + e) max t + e;
* |log det M - sum log t| = |log det(I + diag(1 - 1/t) E)| <= 2 k rho e;
* what `pull` computes in exact arithmetic differs from M^-1 y by
  V (I + diag(1 - 1/t) E)^-1 diag(1 - 1/t) E diag(1/t - 1) V' y, at most 2 rho max|t - 1| e ||A v||.
"""

import math
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from aniso_jax.geometry.orthonormal import are_orthonormal, check_directions
from aniso_jax.geometry.rounding import shrink, slack, total
from aniso_jax.geometry.stretching import column_sums, extremes, shortest_axis

_HIGHEST = jax.lax.Precision.HIGHEST


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Rotated:
    """S = diag(theta) (I + V diag(t - 1) V'): k orthonormal directions, stretched by t, then theta.

    Args:
      theta: a positive number, or one per input coordinate in the input's shape; the law's unit.
      basis: (k, *input shape), orthonormal: the columns of V, in the input's shape; 1 <= k <= d.
      stretch: (k,), t > 0; below 1 the region is shorter along that direction.

    Guarantee: det, inscribed radius and membership take the rounding of `basis` into account: a
    float32 V that is orthonormal up to (log2 d + 8) eps is a valid scale, and no claim grows by it.

    Raises:
      ValueError: NumPy arrays that do not fit together, are not finite and positive, or not
        orthonormal; of traced values `is_valid` speaks.

    >>> import aniso_jax as aj, numpy as np
    >>> tilted = aj.Rotated(theta=np.float32(0.5), stretch=np.array([4.0], np.float32),
    ...                     basis=np.array([[0.6, 0.8]], np.float32))
    >>> [round(float(v), 3) for v in tilted.push(np.array([0.6, 0.8], np.float32))]
    [1.2, 1.6]
    >>> round(float(tilted.inradius(2)), 3)
    0.5
    """

    theta: ArrayLike
    basis: ArrayLike
    stretch: ArrayLike

    def __post_init__(self) -> None:
        """Refuse concrete arrays that are no scale; traced values are checked by `is_valid`."""
        given = self.theta, self.basis, self.stretch
        if all(isinstance(value, float | np.floating | np.ndarray) for value in given):
            check_directions(*(np.asarray(value, np.float64) for value in given))

    @property
    def directions(self) -> int:
        """k."""
        return int(jnp.shape(self.basis)[0])

    @property
    def dimension(self) -> int:
        """D, the number of input coordinates."""
        return math.prod(jnp.shape(self.basis)[1:])

    @property
    def defect(self) -> float:
        """An upper bound on ||V'V - I|| for every basis that `is_valid` accepts."""
        return 2 * self.directions * slack(self._dtype, self.dimension)

    def push(self, u: ArrayLike) -> jax.Array:
        """D M u."""
        u = self._checked(u)
        coefficients = jnp.tensordot(jnp.asarray(self.basis), u, axes=u.ndim, precision=_HIGHEST)
        along = self._along(u, jnp.asarray(self.stretch) - 1, coefficients)
        return jnp.asarray(self.theta) * along

    def pull(self, v: ArrayLike) -> jax.Array:
        """M^-1 D^-1 v, its scalar products summed in pairs."""
        y = self._checked(v) / jnp.asarray(self.theta)
        return self._along(y, 1 / jnp.asarray(self.stretch) - 1, self._products(y))

    def adjoint(self, w: ArrayLike) -> jax.Array:
        """S' w = M D w, its scalar products summed in pairs."""
        z = self._checked(w) * jnp.asarray(self.theta)
        return self._along(z, jnp.asarray(self.stretch) - 1, self._products(z))

    def log_abs_det(self, dimension: int) -> jax.Array:
        """Sum of log theta and of log t; wrong by `log_det_error` at most, beside rounding."""
        if dimension != self.dimension:
            raise ValueError(
                f"the basis has {self.dimension} coordinates, wanted {dimension}: give directions "
                "in the input's own shape."
            )
        theta = jnp.broadcast_to(jnp.asarray(self.theta), jnp.shape(self.basis)[1:])
        return total(jnp.log(theta)) + total(jnp.log(jnp.asarray(self.stretch)))

    def log_det_error(self) -> jax.Array:
        """Nats by which the rounding of V can move log |det S|: 2 k rho e."""
        return 2 * self.directions * self._rho() * self.defect

    def inradius(self, order: int) -> jax.Array:
        """Radius of an l_order ball inside S { ||u|| <= 1 }, rounded down.

        l2: min(theta) min(1, min t), by s_min(D M) >= s_min(D) s_min(M), the largest one for a
        scalar theta (without the 1 where k = d), or `shortest_axis` where that is more. l1:
        1 / (largest column sum of |S^-1|), since ||A v||_1 <= ||v||_1 times it; exact where
        d^2 k <= 1e8, and else from a bound of each sum.
        """
        if order == 1:
            return 1 / jnp.max(self._inverse_columns() / jnp.asarray(self.theta))
        theta, stretch = jnp.asarray(self.theta), jnp.asarray(self.stretch)
        by_sum = shortest_axis(theta, jnp.asarray(self.basis), stretch, defect=self.defect)
        by_product = jnp.min(theta) * self._extremes()[0]
        more = shrink(by_sum) - by_product  # of value, not of slope: that has kinks at t = 1
        return by_product + jax.lax.stop_gradient(jnp.maximum(more, 0))

    def inner_factor(self, order: int) -> jax.Array:
        """f such that the region of the diagonal scale f theta lies inside: 1 / ||M^-1||."""
        if order == 1:
            return 1 / jnp.max(self._inverse_columns())
        return self._extremes()[0]

    def outer_factor(self, order: int) -> jax.Array:
        """F such that the region of the diagonal scale F theta lies outside: ||M||."""
        if order == 1:
            return jnp.max(column_sums(jnp.asarray(self.basis), jnp.asarray(self.stretch) - 1))
        return self._extremes()[1]

    def distortion(self, order: int) -> jax.Array:
        """Relative error of ||A v|| as `pull` computes it: its rounding, and that of V.

        With y = D^-1 v, ||y|| <= max(1, max t) ||A v||: k scalar products are wrong by `slack`
        each, the sum of k + 1 terms by (k + 3) eps, and V by what the file's head says. In l1 it
        is sqrt(d) as much, since ||.||_2 <= ||.||_1 <= sqrt(d) ||.||_2.
        """
        rho, k, d = self._rho(), self.directions, self.dimension
        stretch = jnp.asarray(self.stretch)
        eps = float(np.finfo(self._dtype).eps)
        sums = slack(self._dtype, d) + (k + 3) * eps
        rounding = 1.3 * math.sqrt(k) * (1 + rho) * sums * jnp.maximum(1, jnp.max(stretch))
        of_basis = 2 * rho * jnp.max(jnp.abs(stretch - 1)) * self.defect
        return (rounding + of_basis) * (math.sqrt(d) if order == 1 else 1.0)

    def is_valid(self) -> jax.Array:
        """Whether theta and t are finite and positive, V orthonormal, and t not below 4 e.

        O(d k^2), once for a region.
        """
        theta, stretch = jnp.asarray(self.theta), jnp.asarray(self.stretch)
        numbers = jnp.append(jnp.ravel(theta), stretch)
        are_positive = jnp.all(jnp.isfinite(numbers) & (numbers > 0))
        is_close = (self._rho() * self.defect <= 0.25) & (self.defect <= 0.05)
        return are_positive & is_close & are_orthonormal(jnp.asarray(self.basis))

    @property
    def _dtype(self) -> jnp.dtype:
        return jnp.result_type(jnp.asarray(self.basis), jnp.float32)

    def _extremes(self) -> tuple[jax.Array, jax.Array]:
        is_full = self.directions == self.dimension
        stretch = jnp.asarray(self.stretch, self._dtype)
        return extremes(stretch, full=is_full, defect=self.defect)

    def _inverse_columns(self) -> jax.Array:
        """Column sums of |M^-1|: those that `pull` has, and what the rounding of V adds in l1."""
        sums = column_sums(jnp.asarray(self.basis), 1 / jnp.asarray(self.stretch) - 1)
        return sums + 1.5 * math.sqrt(self.dimension) * self._rho() ** 2 * self.defect

    def _rho(self) -> jax.Array:
        return jnp.max(jnp.abs(1 - 1 / jnp.asarray(self.stretch)))

    def _products(self, y: jax.Array) -> jax.Array:
        return jnp.asarray(jax.lax.map(lambda row: total(row * y), jnp.asarray(self.basis)))

    def _along(self, u: jax.Array, factor: jax.Array, products: jax.Array) -> jax.Array:
        return u + jnp.tensordot(
            factor * products, jnp.asarray(self.basis), axes=1, precision=_HIGHEST
        )

    def _checked(self, u: ArrayLike) -> jax.Array:
        u, shape = jnp.asarray(u), jnp.shape(self.basis)[1:]
        if u.shape != shape:
            raise ValueError(
                f"The directions of the scale have shape {shape}, the vector has {u.shape}: "
                "give both in the input's own shape, and map over many with jax.vmap."
            )
        return u
