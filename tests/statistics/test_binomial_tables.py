"""The tables, proved for every k, and the broken tables that the proof refuses."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.special
from oracles import LAW_NAMES, LAWS

import aniso_jax as aj
from aniso_jax.certification.tables import gap_table, gap_table_is_sound
from aniso_jax.statistics.binomial import failure_bounds, is_sound, smallest_n

SIZES = (10, 100, 1000, 10_000, 100_000)
ALPHAS = (1e-3, 1e-6, 1e-9)
CASES = [(n, alpha) for n in SIZES for alpha in ALPHAS if n >= smallest_n(alpha)]


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_failure_bounds_are_proved_and_twice_alpha_is_not(n, alpha) -> None:
    bounds = failure_bounds(n, alpha)
    assert is_sound(bounds, alpha)
    assert not is_sound(bounds, alpha / 2)
    assert not is_sound(failure_bounds(n, 2 * alpha), alpha)
    assert not is_sound(bounds * (1 - 1e-5), alpha)
    assert not is_sound(np.where(np.arange(n + 1) == n // 2, np.nan, bounds), alpha)
    assert is_sound(np.ones(n + 1), alpha)  # it claims nothing


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
@pytest.mark.parametrize(("n", "alpha"), CASES)
def test_stored_gaps_are_proved_for_every_k(law, n, alpha) -> None:
    gaps = np.asarray(aj.plan(law, n=n, alpha=alpha).gaps)
    assert gaps.dtype == np.float32
    assert gap_table_is_sound(law, gaps, alpha)
    assert gaps[n] > 0
    assert np.all(np.diff(gaps) >= 0)
    assert not gap_table_is_sound(law, gap_table(law, failure_bounds(n, 2 * alpha)), alpha)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
@pytest.mark.parametrize(("n", "alpha"), [case for case in CASES if case[0] >= 100])
def test_gaps_rounded_to_nearest_fail_the_proof(law, n, alpha) -> None:
    exact = law.host_gap(np.minimum(failure_bounds(n, alpha), 0.5))
    assert gap_table_is_sound(law, exact, alpha)  # float64: sound before the rounding
    assert not gap_table_is_sound(law, exact.astype(np.float32), alpha)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_rounding_outward_costs_one_unit_in_the_last_place(law) -> None:
    exact = law.host_gap(np.minimum(failure_bounds(1000, 0.001), 0.5))
    gaps = gap_table(law, failure_bounds(1000, 0.001))
    assert np.all(gaps <= exact)
    assert np.all(np.nextafter(gaps, np.float32(9)).astype(np.float64) * (1 + 2e-9) >= exact)


def tail(k: int, n: int, q: mpmath.mpf) -> mpmath.mpf:
    """P[Bin(n, 1 - q) >= k], summed term by term until nothing more comes."""
    p = 1 - q
    log_choose = mpmath.loggamma(n + 1) - mpmath.loggamma(k + 1) - mpmath.loggamma(n - k + 1)
    term = mpmath.exp(log_choose + k * mpmath.log(p) + (n - k) * mpmath.log(q))
    total, odds = mpmath.mpf(0), p / q
    while k <= n and term > total * mpmath.mpf(10) ** -40:
        total += term
        term *= odds * (n - k) / (k + 1)
        k += 1
    return total


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("alpha", ALPHAS)
def test_fifty_digits_agree(n, alpha) -> None:
    bounds = failure_bounds(n, alpha)
    with mpmath.workdps(50):
        for k in {1, 2, n // 10, n // 2, n // 2 + 1, int(0.9 * n), int(0.999 * n), n - 2, n - 1}:
            exact = tail(k, n, mpmath.mpf(float(bounds[k])))
            assert exact <= mpmath.mpf(alpha)
            if bounds[k] < 0.5:  # above, a relative 1e-9 of q is much of p; no gap is claimed
                assert exact >= mpmath.mpf(alpha) * (1 - 1e-8 * n)
        all_hit = 1 - mpmath.mpf(alpha) ** (mpmath.mpf(1) / n)
        assert 0 <= mpmath.mpf(float(bounds[n])) / all_hit - 1 < 2e-9
    assert bounds[0] == 1


@pytest.mark.parametrize("n", (10, 1000))
def test_lower_and_upper_are_gathered_in_jit_and_mirror_each_other(n) -> None:
    k = jnp.arange(n + 1)
    lower = np.asarray(jax.jit(lambda k: aj.clopper_pearson_lower(k, n, 0.01))(k), np.float64)
    upper = np.asarray(jax.jit(lambda k: aj.clopper_pearson_upper(k, n, 0.01))(k), np.float64)
    bounds = failure_bounds(n, 0.01)
    assert np.all(lower <= 1 - bounds)
    assert np.allclose(lower, 1 - bounds, rtol=0, atol=1e-7)
    assert np.all(upper[::-1] >= bounds)
    assert np.allclose(upper[::-1], bounds, rtol=2e-7, atol=0)
    assert np.all(np.diff(lower) >= 0)
    assert np.all(np.diff(upper) >= 0)
    assert lower[0] == 0
    assert upper[n] == 1


def test_hits_that_cannot_be_claim_nothing() -> None:
    k = jnp.array([-1, -5, 101, 10**6])
    assert np.all(np.asarray(aj.clopper_pearson_lower(k, 100, 0.01)) == 0)
    assert np.all(np.asarray(aj.clopper_pearson_upper(k, 100, 0.01)) == 1)


@pytest.mark.parametrize(("n", "alpha"), [(0, 0.001), (10, 0.0), (10, 0.6), (10, float("nan"))])
def test_impossible_settings_are_refused(n, alpha) -> None:
    with pytest.raises(ValueError, match="must"):
        aj.clopper_pearson_lower(jnp.array(1), n, alpha)


@pytest.mark.parametrize("alpha", (0.05, *ALPHAS))
def test_the_smallest_n_is_the_smallest(alpha) -> None:
    n = smallest_n(alpha)
    assert alpha ** (1 / n) > 0.5 >= alpha ** (1 / (n - 1))
    assert float(aj.plan(aj.gaussian, n=n, alpha=alpha).gaps[n]) > 0
    with pytest.raises(ValueError, match=f"take n >= {n}"):
        aj.plan(aj.gaussian, n=n - 1, alpha=alpha)


def test_a_table_that_is_not_proved_at_first_is_widened() -> None:
    """At this level `betainccinv` is off by more than the usual 1e-9 at k = 99,001."""
    bounds = failure_bounds(100_000, 1e-100)
    k = 99_001
    assert is_sound(bounds, 1e-100)
    assert bounds[k] > scipy.special.betainccinv(100_000 - k + 1, k, 1e-100) * (1 + 5e-9)
