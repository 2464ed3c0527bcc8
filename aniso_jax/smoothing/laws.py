"""Laws of standard noise, each with the norm and the gap that it certifies.

A law times a scale is a certificate: noise is S z, and where the top class has probability p_A and
every other class at most p_B, the smoothed class is constant on { x + S u : ||u||_p <= gap }, with

    gap = (F^-1(p_A) - F^-1(p_B)) / 2

for all three laws, F being the law's one-dimensional distribution function.
"""

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from jax.typing import ArrayLike
from numpy.typing import NDArray

from aniso_jax.smoothing.threefry import check_counters, words
from aniso_jax.smoothing.variates import laplaces, normals, uniforms

Float64 = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Law:
    """Standard noise z in R^d, a norm order and a gap. Static: use the module's constants.

    Attributes:
      name: "gaussian", "uniform" or "laplace".
      order: p of the certified region's norm.
      unit: what one unit of a scale means: "std", "half-width" or "b".
      std: standard deviation of one coordinate of z.
      variates: two arrays of random words -> two arrays of z, every coordinate independent.
      quantile: F^-1, traced; accurate for small probabilities (use F^-1(1 - q) = -F^-1(q)).
      host_quantile, host_cdf: F^-1 and F in float64 on the host.
    """

    name: str
    order: int
    unit: str
    std: float
    variates: Callable[[jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
    quantile: Callable[[jax.Array], jax.Array]
    host_quantile: Callable[[Float64], Float64]
    host_cdf: Callable[[Float64], Float64]

    def __repr__(self) -> str:
        return f"aniso_jax.{self.name}"

    def sample(self, key: jax.Array, high: ArrayLike, draws: int, size: int) -> jax.Array:
        """Standard noise, `draws` rows for each block of counters: (*high.shape, draws, size).

        A pair of words makes a coordinate of two rows, and fewer draws are the first of more.

        Each row makes its pair and chooses of it: without a branch, and in one expression with what
        follows, which on CPU takes a tenth of the time that joining two arrays does.
        """
        check_counters(-(-draws // 2) * size)
        row, column = (jax.lax.broadcasted_iota(jnp.uint32, (draws, size), axis) for axis in (0, 1))
        low = (row >> 1) * np.uint32(size) + column
        first, second = self.variates(*words(key, jnp.asarray(high), low))
        return jnp.where(row & 1 == 0, first, second)

    def margin(self, failure: ArrayLike, rival: ArrayLike) -> jax.Array:
        """(F^-1(p_A) - F^-1(p_B)) / 2, failure = 1 - p_A, rival = p_B; negative if p_A < p_B."""
        return -(self.quantile(jnp.asarray(failure)) + self.quantile(jnp.asarray(rival))) / 2

    def gap(self, failure: ArrayLike, rival: ArrayLike | None = None) -> jax.Array:
        """The certified gap max(margin, 0).

        Args:
          failure: upper bound on 1 - p_A; small numbers keep their precision this way.
          rival: upper bound on p_B; by default `failure`, the one-sided bound p_B = 1 - p_A.

        >>> import aniso_jax as aj
        >>> round(float(aj.gaussian.gap(0.1)), 4), round(float(aj.uniform.gap(0.1)), 4)
        (1.2816, 0.8)
        """
        return jnp.maximum(self.margin(failure, failure if rival is None else rival), 0.0)

    def host_tail(self, z: Float64) -> Float64:
        """P[Z >= z] for one coordinate, in float64 on the host; small ones keep their digits."""
        return np.asarray(self.host_cdf(-np.asarray(z, np.float64)), np.float64)

    def host_gap(self, failure: Float64, rival: Float64 | None = None) -> Float64:
        """`gap` in float64 on the host, for tables."""
        rival = failure if rival is None else rival
        return np.maximum(-(self.host_quantile(failure) + self.host_quantile(rival)) / 2, 0.0)


def _laplace_quantile(p: jax.Array) -> jax.Array:
    return jnp.where(p <= 0.5, jnp.log(2 * p), -jnp.log(2 * jnp.maximum(1 - p, 1e-38)))


def _host_laplace_quantile(p: Float64) -> Float64:
    with np.errstate(divide="ignore"):
        return np.where(p <= 0.5, np.log(2 * p), -np.log(2 * (1 - p)))


def _host_laplace_cdf(z: Float64) -> Float64:
    tail = np.exp(-np.abs(z)) / 2
    return np.where(z < 0, tail, 1 - tail)


gaussian = Law(
    name="gaussian",
    order=2,
    unit="std",
    std=1.0,
    variates=normals,
    quantile=jax.scipy.special.ndtri,
    host_quantile=scipy.special.ndtri,
    host_cdf=scipy.special.ndtr,
)
"""N(0, I), ellipsoids: gap = Phi^-1(p_A). Cohen et al. 2019, Thm 1; Eiras et al. 2022 for A."""

uniform = Law(
    name="uniform",
    order=1,
    unit="half-width",
    std=3**-0.5,
    variates=uniforms,
    quantile=lambda p: 2 * p - 1,
    host_quantile=lambda p: 2 * p - 1,
    host_cdf=lambda z: np.clip((1 + z) / 2, 0.0, 1.0),
)
"""U[-1, 1]^d, cross-polytopes: gap = 2 p_A - 1. Yang et al. 2020; Eiras et al. 2022 for A."""

laplace = Law(
    name="laplace",
    order=1,
    unit="b",
    std=2**0.5,
    variates=laplaces,
    quantile=_laplace_quantile,
    host_quantile=_host_laplace_quantile,
    host_cdf=_host_laplace_cdf,
)
"""Density exp(-|z|)/2 per coordinate, cross-polytopes: gap = -log 2(1 - p_A). Teng et al. 2020."""

LAWS = {law.name: law for law in (gaussian, uniform, laplace)}
