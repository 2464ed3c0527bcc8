"""A plan: how many draws, which error probability, and the tables that turn hits into gaps."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.rounding import float32_down, float32_up
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import check_draws
from aniso_jax.statistics.binomial import failure_bounds, is_sound, smallest_n

_OUTWARD = 1 - 1e-9  # float64 quantiles are good to 1e-15; this is six orders to spare


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Plan:
    """Tables of a fixed-n certification; make one with `plan`.

    Attributes:
      failures: float32 (n + 1,), upper bound on 1 - p_A after k hits, rounded up.
      gaps: float32 (n + 1,), certified gap after k hits, rounded down; 0 means abstain.
      law: the law whose gap this is; static.
      n0, n: selection and estimation draws; static.
      alpha: probability that a certificate is false, per input; static.
    """

    failures: jax.Array
    gaps: jax.Array
    law: Law = field(metadata={"static": True})
    n0: int = field(metadata={"static": True})
    n: int = field(metadata={"static": True})
    alpha: float = field(metadata={"static": True})


def plan(law: Law, *, n0: int = 100, n: int = 100_000, alpha: float = 0.001) -> Plan:
    """Plan a certification: n0 draws choose the class, n fresh draws bound its probability.

    gap(k) = -F^-1(q_k), q_k the Clopper-Pearson bound on the failure probability at level alpha.

    Args:
      law: `aj.gaussian`, `aj.uniform` or `aj.laplace`.
      n0: selection draws. More of them make the right guess likelier, never the claim stronger.
      n: estimation draws.
      alpha: probability of a false certificate, per input; use alpha / N for a claim about N
        inputs together.

    Guarantee:
      P[gap(hits) > the true gap] <= alpha for every true probability; made in float64 and
      rounded outward, so it holds for the float32 numbers in the table.

    Raises:
      ValueError: n is too small for any certificate at this alpha (the smallest n is named).

    Reference: Cohen et al. 2019, Algorithm "Certify"; Clopper and Pearson 1934.

    >>> import aniso_jax as aj
    >>> p = aj.plan(aj.gaussian, n=1000)
    >>> round(float(p.gaps[1000]), 3), float(p.gaps[500])
    (2.463, 0.0)
    """
    check_draws(n0, "n0")
    if check_draws(n) < smallest_n(alpha):
        raise ValueError(
            f"n = {n} draws can never certify at alpha = {alpha}: even {n} hits of {n} do not "
            f"prove a probability above 1/2; take n >= {smallest_n(alpha)}."
        )
    failures = failure_bounds(n, alpha)
    return Plan(
        failures=jnp.asarray(float32_up(failures)),
        gaps=jnp.asarray(gap_table(law, failures)),
        law=law,
        n0=n0,
        n=n,
        alpha=alpha,
    )


def gap_table(law: Law, failures: NDArray[np.float64]) -> NDArray[np.float32]:
    """One-sided gaps -F^-1(q) as float32, rounded down; 0 where q >= 1/2."""
    gaps = law.host_gap(np.minimum(failures, 0.5))
    return np.maximum(float32_down(gaps * _OUTWARD), np.float32(0))


def gap_table_is_sound(law: Law, gaps: NDArray[np.float32], alpha: float) -> bool:
    """The complete proof, on the stored float32 gaps themselves: 1 - p = F(-gap).

    A gap of 0 claims nothing, whatever p is. See `statistics.binomial.is_sound`.

    >>> import aniso_jax as aj, numpy as np
    >>> gaps = np.asarray(aj.plan(aj.laplace, n=500).gaps)
    >>> gap_table_is_sound(aj.laplace, gaps, 0.001)
    True
    """
    claimed = law.host_cdf(-np.asarray(gaps, np.float64))
    return is_sound(np.where(gaps > 0, claimed, 1.0), alpha)
