"""Complete proofs of the float32 tables of a plan: every look, every count, both directions.

A table that does not fall in k covers *every* p if and only if, at each claimed bound, the tail
that would lead to the claim has at most the table's share of alpha.
"""

import numpy as np
import scipy.special
import scipy.stats

import aniso_jax as aj


def lower_is_proved(law: aj.Law, lower: np.ndarray, share: float) -> bool:
    """P[X >= k | p = F(lower_k)] <= share for k = 1 .. n; small p and small 1 - p keep digits."""
    n, lower = len(lower) - 1, np.asarray(lower, np.float64)
    k = np.arange(1, n + 1)
    p, q = law.host_cdf(lower[1:]), law.host_cdf(-lower[1:])
    tail = np.where(p < 0.5, scipy.stats.binom.sf(k - 1, n, p), scipy.stats.binom.cdf(n - k, n, q))
    claims_nothing_at_0 = law.host_cdf(lower[0]) == 0
    return bool(np.all(np.diff(lower) >= 0) and np.all(tail <= share) and claims_nothing_at_0)


def upper_is_proved(law: aj.Law, upper: np.ndarray, share: float) -> bool:
    """P[X <= k | p = F(upper_k)] <= share: the mirror image, the laws being symmetric."""
    return lower_is_proved(law, -np.asarray(upper)[::-1], share)


def anytime_is_proved(law: aj.Law, lower: np.ndarray, alpha: float) -> bool:
    """Only what Ville excludes is excluded: log M_n(F(lower_k)) >= log(1 / alpha) for every k."""
    n, lower = len(lower) - 1, np.asarray(lower, np.float64)
    k = np.arange(1, n + 1)
    p, q = law.host_cdf(lower[1:]), law.host_cdf(-lower[1:])
    with np.errstate(divide="ignore"):
        log_p = np.where(p < 0.5, np.log(p), np.log1p(-q))
        log_q = np.where(p < 0.5, np.log1p(-p), np.log(q))
    mixture = scipy.special.betaln(k + 0.5, n - k + 0.5) - np.log(np.pi)
    misses = np.where(k < n, (n - k) * log_q, 0.0)
    log_martingale = mixture - k * log_p - misses
    return bool(np.all(np.diff(lower) >= 0) and np.all(log_martingale >= -np.log(alpha)))


def is_proved(plan: aj.Plan, classes: int = 2) -> bool:
    """Every table of a plan, at the share of alpha that is its own."""
    looks = plan.looks[-1:] if plan.bound == "curtailed" else plan.looks
    share = plan.alpha / len(looks) / (2 if plan.bound == "two-class" else 1)
    return all(
        _look_is_proved(plan, slice(start, start + n + 1), share, classes)
        for start, n in zip(plan.starts, looks, strict=False)
    )


def _look_is_proved(plan: aj.Plan, part: slice, share: float, classes: int) -> bool:
    lower = np.asarray(plan.lower)[part]
    if plan.bound == "anytime":
        return anytime_is_proved(plan.law, lower, plan.alpha)
    rivals_hold = plan.upper is None or upper_is_proved(
        plan.law, np.asarray(plan.upper)[part], share / (classes - 1)
    )
    return lower_is_proved(plan.law, lower, share) and rivals_hold


def chance_of_error(plan: aj.Plan, p: float) -> float:
    """P[at some look the bound on a class of probability p exceeds p], counted state by state.

    Every look counts, so no stopping rule whatever can err more often; for one-sided bounds.
    """
    claims = plan.law.host_cdf(-np.asarray(plan.lower, np.float64))
    alive, erred, drawn = np.ones(1), 0.0, 0
    for start, look in zip(plan.starts, plan.looks, strict=True):
        step = look - drawn
        drawn, alive = look, np.convolve(alive, scipy.stats.binom.pmf(np.arange(step + 1), step, p))
        is_false = claims[start : start + look + 1] < 1 - p
        erred, alive = erred + alive[is_false].sum(), np.where(is_false, 0.0, alive)
    return float(erred)
