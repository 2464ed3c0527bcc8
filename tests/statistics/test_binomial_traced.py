"""The traced bound: never above exact Clopper-Pearson, and close to it."""

import jax
import numpy as np
import pytest
import scipy.special
import scipy.stats

import aniso_jax as aj
from aniso_jax.statistics.traced import binomial_failure_upper

failure_upper, lower = jax.jit(binomial_failure_upper), jax.jit(aj.binomial_lower)
ALPHAS = (0.4, 0.05, 1e-3, 1e-6, 1e-9)


def cases(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Thousands of (k, n): small n in full, large n up to 2^24, k near n and anywhere."""
    rng = np.random.default_rng(seed)
    small = [(k, n) for n in range(1, 40) for k in range(n + 1)]
    n = np.r_[(2 ** rng.uniform(3, 24, 1500)).astype(int), 2**24]
    near = n - rng.binomial(n, 10 ** rng.uniform(-7, -0.1, n.size))
    nearest = np.maximum(n - rng.integers(0, 20, n.size), 0)
    k = np.r_[near, nearest, rng.integers(0, n + 1), [k for k, _ in small]]
    return k, np.r_[n, n, n, [n for _, n in small]]


def is_covered(k: np.ndarray, n: np.ndarray, alpha: float) -> bool:
    """Whether the tail at the bound is at most alpha: at q = 1 - p, and at p itself."""
    q = np.asarray(failure_upper(k, n, alpha), np.float64)
    p = np.asarray(lower(k, n, alpha), np.float64)
    assert np.all(np.isfinite(q) & np.isfinite(p))
    assert np.all(p[k == 0] == 0)
    assert np.all(p <= 1 - q)
    at_q = (q == 1) | (scipy.stats.binom.cdf(n - k, n, q) <= alpha)
    at_p = (p == 0) | (scipy.stats.binom.sf(k - 1, n, p) <= alpha)
    return bool(np.all(at_q & at_p))


@pytest.mark.parametrize("alpha", ALPHAS)
def test_the_tail_at_the_bound_is_at_most_alpha(alpha) -> None:
    assert is_covered(*cases(seed=int(-np.log10(alpha) * 10)), alpha)


@pytest.mark.parametrize("alpha", ALPHAS)
def test_powers_of_two_and_their_neighbours_up_to_the_last(alpha) -> None:
    """Where float32 counts change their spacing, at every share of hits."""
    n = np.array([2**e + d for e in range(4, 25) for d in (-1, 0, 1) if 2**e + d <= 2**24])
    missed = np.unique(np.r_[0, 1, 2, np.logspace(0, np.log10(2**24), 60).astype(int)])
    k, n = (grid.ravel() for grid in np.broadcast_arrays(n[:, None] - missed, n[:, None]))
    assert is_covered(k[k >= 0], n[k >= 0], alpha)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", (*ALPHAS, 1e-12, 1e-30))
def test_two_hundred_thousand_cases_for_each_alpha(alpha) -> None:
    for seed in range(1000, 1040):
        assert is_covered(*cases(seed), alpha)


@pytest.mark.slow
@pytest.mark.parametrize("alpha", ALPHAS)
def test_every_count_of_every_n_up_to_a_thousand(alpha) -> None:
    n = np.repeat(np.arange(1, 1001), np.arange(2, 1002))
    k = np.arange(n.size) - np.repeat(np.cumsum(np.r_[0, np.arange(2, 1001)]), np.arange(2, 1002))
    assert is_covered(k, n, alpha)


@pytest.mark.parametrize("n", (10, 100, 1000))
@pytest.mark.parametrize("alpha", (0.05, 1e-3, 1e-9))
def test_never_above_the_table(n, alpha) -> None:
    k = np.arange(n + 1)
    assert np.all(lower(k, n, alpha) <= aj.clopper_pearson_lower(k, n, alpha) * (1 + 1e-9) + 1e-9)


@pytest.mark.parametrize("alpha", (1e-3, 1e-6, 1e-9))
def test_little_is_lost_at_a_hundred_thousand_draws(alpha) -> None:
    n = 100_000
    k = np.arange(50_001, n)
    exact = -scipy.special.ndtri(scipy.special.betainccinv(n - k + 1, k, alpha))
    ours = -scipy.special.ndtri(np.asarray(failure_upper(k, n, alpha), np.float64))
    certifies = exact > 0.01
    assert np.max((1 - ours / exact)[certifies]) < 0.006
    all_hit = -scipy.special.ndtri(-np.expm1(np.log(alpha) / n))
    at_n = -scipy.special.ndtri(np.float64(failure_upper(n, n, alpha)))
    assert at_n == pytest.approx(all_hit, rel=1e-6)


def test_monotone_in_every_argument() -> None:
    k = np.arange(0, 1001)
    assert np.all(np.diff(np.asarray(lower(k, 1000, 0.001))) >= 0)
    n = np.arange(900, 5000)
    assert np.all(np.diff(np.asarray(lower(900, n, 0.001))) <= 0)
    alpha = np.logspace(-9, -1, 100)
    assert np.all(np.diff(np.asarray(lower(900, 1000, alpha))) >= 0)


@pytest.mark.parametrize("k", (2**24 - 1, 2**24, 2**24 + 1))
def test_counts_that_float32_cannot_hold_claim_nothing(k) -> None:
    """2^24 + 1 draws are 2^24 once they are a float32: one miss would be forgotten."""
    assert float(aj.binomial_lower(k, 2**24 + 1, 1e-3)) == 0
    assert float(aj.binomial_lower(np.int64(k), 2**40, 1e-3)) == 0


@pytest.mark.parametrize("alpha", (0.0, 1.0, 2.0, -0.1, np.nan))
def test_a_level_that_is_none_claims_nothing(alpha) -> None:
    assert float(lower(100, 100, alpha)) == float(aj.binomial_lower(90, 100, alpha)) == 0
