"""Clopper-Pearson bounds for static n and alpha, tabulated on the host in float64.

For fixed (n, alpha) a bound is a function of one integer, the number of hits. The table is made in
float64, rounded outward, and gathered inside jit; float32 arithmetic never computes a bound.
Failure probabilities q = 1 - p are carried throughout, since p near 1 has no digits in float32.
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from numpy.typing import NDArray

from aniso_jax.geometry.rounding import float32_down, float32_up

Bounds = Callable[[int, float], NDArray[np.float64]]
"""(n, alpha) -> upper bounds on 1 - p after 0 .. n hits."""

_SMALLEST_ALPHA = 1e-100  # below, `betainccinv` loses its way
_OUTWARD = tuple(1 + 10.0**-digits for digits in (9, 8, 7, 6, 5, 4))  # relative


@functools.lru_cache(maxsize=64)
def failure_bounds(n: int, alpha: float) -> NDArray[np.float64]:
    """Upper confidence bounds on q = 1 - p after k = 0 .. n hits of n draws.

    q_k solves P[Bin(n, 1 - q_k) >= k] = alpha; q_0 = 1 and q_n = 1 - alpha^(1/n).

    Guarantee: P[q <= q_K] >= 1 - alpha for every q, K ~ Bin(n, 1 - q); rounded up, as far as
    `is_sound` proves the whole table (1e-9 of a bound, and more only for an alpha below 1e-50).
    """
    check_level(n, alpha)
    k = np.arange(1, n)
    inner = scipy.special.betainccinv(n - k + 1, k, alpha)
    bounds = np.concatenate([[1.0], inner, [-np.expm1(np.log(alpha) / n)]])
    wider = (np.minimum(bounds * outward, 1.0) for outward in _OUTWARD)
    proved = next((table for table in wider if is_sound(table, alpha)), None)
    if proved is None:
        raise ArithmeticError(f"No table can be proved for n = {n} at alpha = {alpha}.")
    proved.setflags(write=False)
    return proved


def is_sound(failure: NDArray[np.float64], alpha: float) -> bool:
    """The complete proof of a table of failure bounds, k = 0 .. n.

    For a non-increasing table, coverage holds for *every* p if and only if
    P[Bin(n, 1 - q_k) >= k] <= alpha for every k with q_k < 1: whatever the true p is, the bound
    errs only from the smallest k on whose claim exceeds it.

    >>> is_sound(failure_bounds(100, 0.001), 0.001), is_sound(failure_bounds(100, 0.01), 0.001)
    (True, False)
    """
    from scipy.stats import binom  # here, so that importing aniso_jax stays light

    n = len(failure) - 1
    hits = np.flatnonzero(failure < 1)
    falls = bool(np.all(np.diff(failure) <= 0))
    errs = binom.cdf(n - hits, n, failure[hits])  # P[failures <= n - k] = P[hits >= k]
    return falls and bool(np.all(errs <= alpha))


def clopper_pearson_lower(k: jax.Array, n: int, alpha: float) -> jax.Array:
    """One-sided lower bound on p after k hits of n draws: Beta^-1(alpha; k, n - k + 1).

    Args:
      k: hits, any shape, may be traced; outside 0 .. n the bound is 0.
      n, alpha: static.

    Guarantee: P[p >= bound] >= 1 - alpha over the draws, for every p; rounded down.

    Raises:
      ValueError: n < 1 or alpha outside (0, 1/2].

    Reference: Clopper and Pearson 1934.

    >>> import aniso_jax as aj
    >>> float(aj.clopper_pearson_lower(100, 100, 0.001)) <= 0.001 ** (1 / 100)
    True
    """
    table = float32_down(1 - failure_bounds(n, alpha))
    return jnp.asarray(table).at[k].get(mode="fill", fill_value=0.0, wrap_negative_indices=False)


def clopper_pearson_upper(k: jax.Array, n: int, alpha: float) -> jax.Array:
    """One-sided upper bound on p after k hits of n draws; the mirror of the lower bound.

    Guarantee: P[p <= bound] >= 1 - alpha over the draws, for every p; rounded up.

    >>> import aniso_jax as aj
    >>> float(aj.clopper_pearson_upper(0, 100, 0.001)) >= 1 - 0.001 ** (1 / 100)
    True
    """
    table = float32_up(failure_bounds(n, alpha)[::-1])
    return jnp.asarray(table).at[k].get(mode="fill", fill_value=1.0, wrap_negative_indices=False)


def clopper_pearson_interval(k: jax.Array, n: int, alpha: float) -> tuple[jax.Array, jax.Array]:
    """Two-sided bounds (lower, upper) on p after k hits of n draws: alpha / 2 on each side.

    Guarantee: P[lower <= p <= upper] >= 1 - alpha over the draws, for every p; rounded outward.

    >>> import aniso_jax as aj
    >>> lower, upper = aj.clopper_pearson_interval(50, 100, 0.05)
    >>> round(float(lower), 4), round(float(upper), 4)
    (0.3983, 0.6017)
    """
    return clopper_pearson_lower(k, n, alpha / 2), clopper_pearson_upper(k, n, alpha / 2)


def smallest_n(alpha: float, bounds: Bounds = failure_bounds) -> int:
    """The smallest n at which n hits of n draws prove p > 1/2.

    >>> smallest_n(0.001)
    10
    """
    n = 1
    while bounds(n, alpha)[n] >= 0.5:
        n += 1
    return n


def check_level(n: int, alpha: float) -> None:
    """Refuse an n that is no count, and an alpha for which no table is proved."""
    if isinstance(n, bool) or not isinstance(n, int) or n < 1:
        raise ValueError(f"n must be a static positive integer, got {n!r}.")
    check_alpha(alpha, alpha)


def check_alpha(alpha: float, share: float) -> None:
    """Refuse an alpha of whose share no table is proved, or that is no error probability."""
    if not share >= _SMALLEST_ALPHA or not alpha <= 0.5:
        spent = "" if share == alpha else f", of which a look has {share}"
        raise ValueError(
            f"alpha must lie in [{_SMALLEST_ALPHA}, 1/2], got {alpha}{spent}; the field's default "
            "is .001."
        )
