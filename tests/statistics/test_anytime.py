"""The anytime-valid bound: what it excludes Ville's inequality excludes, for every count."""

import mpmath
import numpy as np
import pytest
import scipy.special
import scipy.stats

from aniso_jax.statistics.anytime import anytime_failure_bounds
from aniso_jax.statistics.binomial import failure_bounds

ALPHAS = (1e-3, 1e-6, 1e-9)


def log_martingale(n: int, k: np.ndarray, q: np.ndarray) -> np.ndarray:
    """log M_n after k hits, were 1 - q the truth."""
    mixture = scipy.special.betaln(k + 0.5, n - k + 0.5) - np.log(np.pi)
    return mixture - scipy.special.xlog1py(k, -q) - scipy.special.xlogy(n - k, q)


@pytest.mark.parametrize("n", (1, 10, 100, 1000, 10_000, 100_000))
@pytest.mark.parametrize("alpha", ALPHAS)
def test_every_count_excludes_only_what_ville_excludes(n, alpha) -> None:
    bounds = anytime_failure_bounds(n, alpha)
    k = np.flatnonzero(bounds < 1)
    evidence = log_martingale(n, k, bounds[k])
    assert np.all(np.diff(bounds) <= 0)
    assert np.all(evidence >= -np.log(alpha))
    claims = bounds[k] < 0.5
    assert np.all(evidence[claims] <= -np.log(alpha) + 1e-5)  # and hardly more than Ville asks for
    assert np.all(bounds >= failure_bounds(n, alpha) * (1 - 1e-8))
    assert bounds[0] == 1


def test_a_bound_that_is_a_little_too_small_is_found_out() -> None:
    bounds, k = anytime_failure_bounds(1000, 1e-3) * (1 - 1e-6), np.arange(1001)
    assert not np.all(log_martingale(1000, k, bounds)[1:] >= -np.log(1e-3))


@pytest.mark.parametrize("n", (1, 10, 1000, 100_000))
@pytest.mark.parametrize("alpha", (0.05, *ALPHAS))
def test_fifty_digits_agree(n, alpha) -> None:
    bounds = anytime_failure_bounds(n, alpha)
    with mpmath.workdps(50):
        half = mpmath.mpf(1) / 2
        for k in range(1, n + 1, max(n // 50, 1)):
            q = mpmath.mpf(float(bounds[k]))
            if q < 1:
                mixture = mpmath.beta(k + half, n - k + half) / mpmath.pi
                assert mixture / ((1 - q) ** k * q ** (n - k)) >= 1 / mpmath.mpf(alpha)


def test_the_price_of_anytime_is_small() -> None:
    """0.8 to 1.1 % of the radius for p up to .99 at n = 1e5, 4.3 % at k = n."""
    anytime, fixed = (
        -scipy.stats.norm.ppf(f(100_000, 0.001)) for f in (anytime_failure_bounds, failure_bounds)
    )
    assert 0.008 < 1 - anytime[90_000] / fixed[90_000] < 0.011
    assert 0.040 < 1 - anytime[-1] / fixed[-1] < 0.045
