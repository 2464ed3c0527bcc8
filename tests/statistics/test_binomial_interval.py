"""The float32 bounds that users are given: lower, upper and two-sided, proved for every count."""

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import aniso_jax as aj

binom = scipy.stats.binom
SIZES = (10, 100, 1000, 10_000, 100_000)
ALPHAS = (1e-3, 1e-6, 1e-9)


def lower_bounds(n: int, alpha: float) -> np.ndarray:
    return np.asarray(aj.clopper_pearson_lower(jnp.arange(n + 1), n, alpha), np.float64)


def upper_bounds(n: int, alpha: float) -> np.ndarray:
    return np.asarray(aj.clopper_pearson_upper(jnp.arange(n + 1), n, alpha), np.float64)


def lower_holds(lower: np.ndarray, alpha: float) -> bool:
    """P[X >= k | p = lower_k] <= alpha for every k; with a table that rises, for every p."""
    n, k = len(lower) - 1, np.flatnonzero(lower > 0)
    return bool(np.all(np.diff(lower) >= 0) and np.all(binom.sf(k - 1, n, lower[k]) <= alpha))


def upper_holds(upper: np.ndarray, alpha: float) -> bool:
    """P[X <= k | p = upper_k] <= alpha for every k."""
    n, k = len(upper) - 1, np.flatnonzero(upper < 1)
    return bool(np.all(np.diff(upper) >= 0) and np.all(binom.cdf(k, n, upper[k]) <= alpha))


def misses(p: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """P[p < lower_K or p > upper_K], K ~ Bin(n, p), for each p."""
    n = len(lower) - 1
    above = np.searchsorted(lower, p, side="right")  # the least k with lower_k > p
    below = np.searchsorted(upper, p, side="left")  # one more than the largest k with upper_k < p
    return binom.sf(above - 1, n, p) + binom.cdf(below - 1, n, p)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_both_sides_are_proved_and_twice_alpha_is_not(n, alpha) -> None:
    assert lower_holds(lower_bounds(n, alpha), alpha)
    assert upper_holds(upper_bounds(n, alpha), alpha)
    assert not lower_holds(lower_bounds(n, 2 * alpha), alpha)
    assert not upper_holds(upper_bounds(n, 2 * alpha), alpha)


@pytest.mark.parametrize("n", SIZES[1:])
def test_float32_rounded_to_nearest_is_not_proved(n) -> None:
    k = np.arange(1, n + 1)
    lower = np.r_[0, scipy.stats.beta.ppf(1e-3, k, n - k + 1)].astype(np.float32)
    upper = np.r_[scipy.stats.beta.ppf(1 - 1e-3, k, n - k + 1), 1].astype(np.float32)
    assert not lower_holds(lower.astype(np.float64), 1e-3)
    assert not upper_holds(upper.astype(np.float64), 1e-3)


@pytest.mark.parametrize("n", (*SIZES[:-1], pytest.param(SIZES[-1], marks=pytest.mark.slow)))
@pytest.mark.parametrize("alpha", (0.05, *ALPHAS))
def test_the_interval_misses_with_at_most_alpha_wherever_p_is(n, alpha) -> None:
    """Just inside and outside of every end of every interval, where the miss rate has its jumps."""
    ends_of_all = aj.clopper_pearson_interval(jnp.arange(n + 1), n, alpha)
    lower, upper = (np.asarray(side, np.float64) for side in ends_of_all)
    assert lower_holds(lower, alpha / 2)
    assert upper_holds(upper, alpha / 2)
    assert np.all(lower < upper)
    ends = np.r_[lower, upper]
    p = np.clip(np.r_[np.nextafter(ends, 0), ends, np.nextafter(ends, 1)], 0, 1)
    rates = misses(p, lower, upper)
    assert np.all(rates <= alpha)
    assert rates.max() > alpha / 2 * 0.99
