"""Tables of quantiles: what k hits at a look prove, for every kind of bound.

Each table holds, for k = 0 .. n, a signed quantile of the law in float32: F^-1 of a lower bound on
p_A (rounded down) or F^-1 of an upper bound on p_B (rounded up). A gap is half their difference.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.rounding import float32_down, float32_up
from aniso_jax.smoothing.laws import Law
from aniso_jax.statistics.anytime import anytime_failure_bounds
from aniso_jax.statistics.binomial import Bounds, failure_bounds, is_sound

Bound = Literal["one-sided", "two-class", "anytime", "curtailed"]
Float64 = NDArray[np.float64]
Float32 = NDArray[np.float32]

_MARGIN = 1e-9  # relative; float64 quantiles are good to 1e-15
_FAR = 1e30  # stands for an infinite quantile, so that differences stay numbers


def failure_tables(
    bound: Bound, looks: Sequence[int], alpha: float, *, discount: float = 0.0
) -> list[Float64]:
    """Upper bounds on 1 - p_A after k hits, one table per look, jointly valid at level alpha.

    one-sided: alpha / m at each of m looks (union bound). two-class: half of that, the other half
    is the rivals'. anytime: alpha at all of them (Ville). curtailed: one table for all looks, the
    last one's, read as if every draw still to come were a miss; the count can only grow, so what
    it claims is never more than the full count would. `discount` is the total variation between
    the noise that was counted and the law's; it is added to every bound.
    """
    share, bounds = share_and_bounds(bound, len(looks), alpha)
    read_at = looks[-1:] if bound == "curtailed" else looks
    return [np.minimum(bounds(n, share) + discount, 1.0) for n in read_at]


def share_and_bounds(bound: Bound, looks: int, alpha: float) -> tuple[float, Bounds]:
    """The error probability that p_A's bound may use at each look, and the bound itself."""
    return {
        "one-sided": (alpha / looks, failure_bounds),
        "two-class": (alpha / (2 * looks), failure_bounds),
        "anytime": (alpha, anytime_failure_bounds),
        "curtailed": (alpha, failure_bounds),
    }[bound]


def rival_tables(
    looks: Sequence[int], alpha: float, *, classes: int, discount: float = 0.0
) -> list[Float64]:
    """Upper bounds on p_j after k votes for a rival j: alpha / (2 m (K - 1)) each.

    So all K - 1 bounds hold at once, whichever is looked at afterwards. For the gap alone alpha / 2
    would do: the bound at the largest count is never below the one at the true runner-up's count.
    """
    share = alpha / (2 * len(looks) * (classes - 1))
    return [np.minimum(failure_bounds(n, share)[::-1] + discount, 1.0) for n in looks]


def lower_quantiles(law: Law, failures: Float64) -> Float32:
    """F^-1(1 - q) = -F^-1(q), rounded down."""
    exact = np.clip(-law.host_quantile(failures), -_FAR, _FAR)
    return float32_down(exact - _MARGIN * np.abs(exact))


def upper_quantiles(law: Law, probabilities: Float64) -> Float32:
    """F^-1(p_B), rounded up."""
    exact = np.clip(law.host_quantile(probabilities), -_FAR, _FAR)
    return float32_up(exact + _MARGIN * np.abs(exact))


def gap_table(law: Law, failures: Float64) -> Float32:
    """One-sided gaps -F^-1(q) as float32, rounded down; 0 where q >= 1/2."""
    return np.maximum(lower_quantiles(law, failures), np.float32(0))


def gap_table_is_sound(law: Law, gaps: Float32, alpha: float) -> bool:
    """The complete proof, on the stored float32 gaps themselves: 1 - p = F(-gap).

    A gap of 0 claims nothing, whatever p is. See `statistics.binomial.is_sound`.

    >>> import aniso_jax as aj, numpy as np
    >>> gaps = np.asarray(aj.plan(aj.laplace, n=500).gaps)
    >>> gap_table_is_sound(aj.laplace, gaps, 0.001)
    True
    """
    claimed = law.host_cdf(-np.asarray(gaps, np.float64))
    return is_sound(np.where(gaps > 0, claimed, 1.0), alpha)
