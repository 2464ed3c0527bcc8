"""Confidence bounds and quantiles once more, in float64, apart from all that certification uses.

No table, no inverse of the incomplete beta function: a bound is the root of its defining equation,
found by bisection from the forward function. So an error in the tables cannot hide here.
"""

from collections.abc import Callable, Sequence

import numpy as np
import scipy.special
import scipy.stats
from numpy.typing import ArrayLike, NDArray

Float64 = NDArray[np.float64]

_BISECTIONS = 80  # halves [0, 1] to 1e-24: relative 1e-16 for every q that 2**24 draws can prove


def failures(
    bound: str, hits: ArrayLike, looks: Sequence[int], *, of: Sequence[int], alpha: float
) -> Float64:
    """Upper bounds on 1 - p_A after so many hits at the looks reached, all valid at once.

    Args:
      bound: one-sided, two-class, anytime or curtailed.
      hits: votes of the selected class at each look reached.
      looks: numbers of draws at these looks.
      of: all looks of the plan; alpha is spent over them.
      alpha: of the plan.

    >>> failures("one-sided", [1000], [1000], of=[1000], alpha=0.001).round(6)
    array([0.006884])
    """
    if bound == "anytime":
        return mixture_bound(hits, looks, alpha)
    if bound == "curtailed":
        return binomial_bound(hits, np.full(len(looks), of[-1]), alpha)
    halves = 2 if bound == "two-class" else 1
    return binomial_bound(hits, looks, alpha / (halves * len(of)))


def rivals(
    votes: ArrayLike, looks: Sequence[int], *, of: Sequence[int], alpha: float, classes: int
) -> Float64:
    """Upper bounds on the probability of every rival, from the most votes that one of them has.

    Each of the K - 1 rivals has its own share, alpha / (2 m (K - 1)); the bound grows with the
    votes, so the rival with most of them bounds all.
    """
    share = alpha / (2 * len(of) * (classes - 1))
    return binomial_bound(np.asarray(looks) - np.asarray(votes), looks, share)


def binomial_bound(hits: ArrayLike, n: ArrayLike, share: float) -> Float64:
    """Clopper-Pearson: the q at which n - hits misses or fewer have the probability `share`."""
    k, n = np.asarray(hits, np.float64), np.asarray(n, np.float64)

    def is_excluded(q: Float64) -> NDArray[np.bool_]:
        fewer = scipy.special.betaincc(n - k + 1, np.maximum(k, 1), q)
        return np.asarray(fewer <= share)

    root = _smallest_excluded(is_excluded, np.zeros_like(k))
    return np.where(k > 0, root, 1.0)


def mixture_bound(hits: ArrayLike, n: ArrayLike, alpha: float) -> Float64:
    """Ville: the q above which the Beta(1/2, 1/2) mixture is 1/alpha times as likely, or more."""
    k, n = np.asarray(hits, np.float64), np.asarray(n, np.float64)
    mixture = scipy.special.betaln(k + 0.5, n - k + 0.5) - scipy.special.betaln(0.5, 0.5)

    def is_excluded(q: Float64) -> NDArray[np.bool_]:
        alone = scipy.special.xlog1py(k, -q) + scipy.special.xlogy(n - k, q)
        return np.asarray(mixture - alone >= -np.log(alpha))

    root = _smallest_excluded(is_excluded, (n - k) / n)
    return np.where(k > 0, root, 1.0)


def upper_quantile(law: str, q: ArrayLike) -> Float64:
    """The z that the law's one-dimensional noise exceeds with probability q.

    By symmetry it is F^-1(1 - q), and -F^-1(q).

    >>> upper_quantile("uniform", [0.1, 0.5]), upper_quantile("gaussian", 0.1).round(4)
    (array([0.8, 0. ]), np.float64(1.2816))
    """
    noise, where = {
        "gaussian": (scipy.stats.norm, (0, 1)),
        "uniform": (scipy.stats.uniform, (-1, 2)),
        "laplace": (scipy.stats.laplace, (0, 1)),
    }[law]
    return np.asarray(noise.isf(q, *where), np.float64)[()]


def _smallest_excluded(
    is_excluded: Callable[[Float64], NDArray[np.bool_]], low: Float64
) -> Float64:
    """The smallest q in [low, 1] that is excluded, from above; exclusion grows with q."""
    high = np.ones_like(low)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        out = is_excluded(middle)
        low, high = np.where(out, low, middle), np.where(out, middle, high)
    return high
