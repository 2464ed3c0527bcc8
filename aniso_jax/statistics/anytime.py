"""Bounds that hold at every n at once, so that sampling may stop whenever it likes.

For the true p,  M_n = [B(K + 1/2, n - K + 1/2) / B(1/2, 1/2)] / (p^K (1 - p)^(n - K))  is a
non-negative martingale that starts at 1: the Beta(1/2, 1/2) mixture of likelihood ratios. Ville's
inequality gives P[some n has M_n >= 1/alpha] <= alpha, so every p with M_n(p) >= 1/alpha may be
excluded at any n that one cares to look at, and no alpha is spent on looking.
"""

import functools

import numpy as np
import scipy.special
from numpy.typing import NDArray

from aniso_jax.statistics.binomial import check_level

_BISECTIONS = 64
_OUTWARD = 1 + 1e-9


@functools.lru_cache(maxsize=256)
def anytime_failure_bounds(n: int, alpha: float) -> NDArray[np.float64]:
    """Upper confidence bounds on q = 1 - p after k = 0 .. n hits of n draws, for all n at once.

    q_k is the larger root of  k log(1 - q) + (n - k) log q = log beta - log(1/alpha)  with
    beta = B(k + 1/2, n - k + 1/2) / B(1/2, 1/2); 1 where there is no root below 1 (k = 0).

    Guarantee: P[q <= q_K(n) for all n >= 1] >= 1 - alpha for every q; rounded up.

    Reference: Ville 1939; Robbins 1970; Voracek 2024 for randomized smoothing.

    >>> bool(anytime_failure_bounds(100, 0.001)[100] > 1 - 0.001 ** (1 / 100))
    True
    """
    check_level(n, alpha)
    hits = np.arange(n + 1.0)
    misses = n - hits
    log_beta = scipy.special.betaln(hits + 0.5, misses + 0.5) - np.log(np.pi)
    level = log_beta + np.log(alpha)
    low, high = misses / n, np.ones(n + 1)
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        excluded = _log_likelihood(hits, misses, middle) <= level
        low, high = np.where(excluded, low, middle), np.where(excluded, middle, high)
    bounds = np.minimum(high * _OUTWARD, 1.0)
    bounds[0] = 1.0
    bounds.setflags(write=False)
    return bounds


def _log_likelihood(
    hits: NDArray[np.float64], misses: NDArray[np.float64], q: NDArray[np.float64]
) -> NDArray[np.float64]:
    value: NDArray[np.float64] = scipy.special.xlog1py(hits, -q) + scipy.special.xlogy(misses, q)
    return value
