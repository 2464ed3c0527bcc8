"""The sign test against the exact binomial tail."""

import jax
import numpy as np
import pytest
import scipy.stats

from aniso_jax.statistics.sign_test import sign_test

test = jax.jit(sign_test)
test.__test__ = False
SMALLEST = 1e-34


def exact(k: np.ndarray, m: int) -> np.ndarray:
    return np.minimum(1, 2 * scipy.stats.binom.sf(k - 1, m, 0.5))


def counts(m: int) -> np.ndarray:
    """Larger counts k of m: all of them, or a grid over twenty standard deviations."""
    if m <= 1000:
        return np.arange(-(-m // 2), m + 1)
    return np.unique(np.clip(m / 2 + np.sqrt(m) * np.linspace(0, 10, 400), m / 2, m).astype(int))


@pytest.mark.parametrize("m", (1, 2, 3, 10, 31, 100, 999, 10_000, 100_001, 1_000_000))
def test_never_below_the_exact_p_value(m) -> None:
    k = counts(m)
    p = np.asarray(test(k, m - k), np.float64)
    assert np.all(p >= np.maximum(exact(k, m), SMALLEST * 0.999))
    assert np.all(p <= 1)
    assert np.array_equal(p, np.asarray(test(m - k, k)))


@pytest.mark.parametrize("m", (100, 1000, 10_000))
def test_close_above_the_exact_p_value(m) -> None:
    k = counts(m)
    rest, truth = m - k, exact(k, m)
    told = truth > 10 * SMALLEST
    allowed = np.where(rest > 0, 1 / (12 * k) + 1 / (12 * np.maximum(rest, 1)), 0) + 0.002
    p = np.asarray(test(k, rest), np.float64)
    assert np.all((p / np.maximum(truth, SMALLEST) - 1)[told] <= 1.1 * allowed[told])


@pytest.mark.parametrize("m", (100_000, 1_000_000))
def test_within_five_per_cent_for_many_draws(m) -> None:
    k = counts(m)
    truth = exact(k, m)
    told = (truth > 10 * SMALLEST) & (truth < 0.1)
    p = np.asarray(test(k, m - k), np.float64)
    assert np.max(p[told] / truth[told]) < 1.06


@pytest.mark.parametrize(("k", "rest"), [(70, 30), (5, 0), (8, 8), (600, 500), (1, 9)])
def test_agrees_with_scipy(k, rest) -> None:
    truth = scipy.stats.binomtest(k, k + rest).pvalue
    assert truth <= float(test(k, rest)) <= 1.09 * truth or float(test(k, rest)) == 1.0


def test_no_votes_say_nothing() -> None:
    assert float(test(0, 0)) == 1.0
    assert np.all(np.isfinite(test(np.array([0, 1, 0, 10**6]), np.array([0, 0, 1, 0]))))
