"""A plan: how many draws, when to look at them, and the tables that turn votes into gaps."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.schedule import (
    check_bound,
    check_grid,
    check_plan,
    check_sharing,
    make_schedule,
)
from aniso_jax.certification.tables import (
    Bound,
    failure_tables,
    lower_quantiles,
    rival_tables,
    upper_quantiles,
)
from aniso_jax.geometry.rounding import float32_up
from aniso_jax.geometry.scales import Scale
from aniso_jax.geometry.shown import down, table
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import check_draws


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Plan:
    """Tables of a certification; make one with `plan`.

    The tables of all looks lie end to end; the one of look l begins at `starts[l]` and has
    `looks[l] + 1` entries, one per count.

    Attributes:
      failures: float32, upper bound on 1 - p_A after k hits, rounded up.
      lower: float32, F^-1 of the lower bound on p_A after k hits, rounded down.
      upper: float32, F^-1 of the upper bound on p_j after k votes for a rival, rounded up; only
        for the two-class bound.
      law: the law whose quantiles these are; static.
      n0: selection draws; static.
      looks: numbers of draws at which the votes are read; the last is n; static.
      bound: kind of bound; static.
      alpha: probability that a certificate is false, per input, over all looks; static.
      classes: of the network, for the two-class bound; static.
      target: a radius in input units that is to be decided; static.
      tolerance: relative gain in radius below which more draws are not worth it; static.
      grid: tables of integer noise, by whose total variation the bounds are discounted; or None.
      shared_draws: whether a run gives all its inputs the same draws; static.
    """

    failures: jax.Array
    lower: jax.Array
    upper: jax.Array | None
    grid: Grid | None
    law: Law = field(metadata={"static": True})
    n0: int = field(metadata={"static": True})
    looks: tuple[int, ...] = field(metadata={"static": True})
    bound: Bound = field(metadata={"static": True})
    alpha: float = field(metadata={"static": True})
    classes: int | None = field(metadata={"static": True})
    target: float | None = field(metadata={"static": True})
    tolerance: float | None = field(metadata={"static": True})
    shared_draws: bool = field(metadata={"static": True})

    @property
    def n(self) -> int:
        """Estimation draws, if nothing stops earlier."""
        return self.looks[-1]

    @property
    def starts(self) -> tuple[int, ...]:
        """Where the table of each look begins; a curtailed plan has one table for all."""
        if self.bound == "curtailed":
            return (0,) * len(self.looks)
        return (0, *accumulate(look + 1 for look in self.looks[:-1]))

    def fits(self, x: jax.Array, scale: Scale) -> jax.Array:
        """Whether the draws can be made: on a grid, x and the scale must lie on it."""
        return jnp.bool_(True) if self.grid is None else self.grid.holds(x, scale)

    @property
    def gaps(self) -> jax.Array:
        """One-sided gaps after k = 0 .. n hits at the last look; 0 means abstain."""
        return jnp.maximum(self.lower[self.starts[-1] :], 0.0)

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        rows = {
            "law": f"{self.law.name}, sigma is its {self.law.unit}",
            "draws": f"{self.n0:,} to choose the class, up to {self.n:,} to bound it",
            "bound": f"{self.bound}, alpha {self.alpha:g}, {len(self.looks)} look(s)",
        }
        if self.bound != "two-class":  # whose gaps depend on the rivals' votes too
            fewest = int(jnp.sum(self.gaps == 0))
            rows["hits that certify"] = f"{fewest:,} or more of {self.n:,}"
            rows["largest gap"] = down(self.gaps[-1])
        return table(rows)


def plan(
    law: Law,
    *,
    n0: int = 100,
    n: int | None = None,
    alpha: float = 0.001,
    bound: Bound = "one-sided",
    looks: Sequence[int] | None = None,
    classes: int | None = None,
    target: float | None = None,
    tolerance: float | None = None,
    grid: Grid | None = None,
    shared_draws: bool = False,
) -> Plan:
    """Plan a certification: n0 draws choose the class, fresh draws bound its probability.

    | bound | claims at a look | price |
    |---|---|---|
    | one-sided | gap = -F^-1(q), q the Clopper-Pearson bound on 1 - p_A | alpha / looks |
    | two-class | gap = (F^-1(p_A) - F^-1(p_B)) / 2, p_B bounding every rival | half of alpha |
    | anytime | as one-sided, by a bound that holds at every n | 1 % of the radius, 4 % at k = n |
    | curtailed | as one-sided at n, draws still to come counted as misses | none; needs `target` |

    At each look the best gap so far is kept, and sampling stops when little can be gained. What is
    possible is at most what the draws to come could prove if all of them were hits, and at most the
    upper end of the confidence interval whose lower end is the claim. Sampling stops when the best
    gap is 0 and no larger one is possible (early abstention), when `target` is reached or no longer
    possible, or when the radius expected from all n draws is within `tolerance` of a positive one.

    Args:
      law: `aj.gaussian`, `aj.uniform` or `aj.laplace`.
      n0: selection draws. More of them make the right guess likelier, never the claim stronger.
      n: estimation draws; 100,000 by default, or the last look.
      alpha: probability of a false certificate, per input; use alpha / N for a claim about
        N inputs together.
      bound: see the table.
      looks: increasing numbers of draws at which to look, declared in advance; the last is n.
        By default only n, and for an anytime or curtailed plan a dense schedule.
      classes: number of classes, for the two-class bound.
      target: decide "is the radius at least this?" and stop.
      tolerance: stop when all n draws would be expected to gain less than this share of radius;
        the expectation is a point estimate, so what is lost varies around it.
      grid: draw integers and add them on this grid, from `aj.grid(law, ...)`: the claim then needs
        no real arithmetic, and is discounted by the grid's total variation.
      shared_draws: a run gives every input the same draws, which are then made once for a batch.
        Each certificate holds as before, and so do the expected number of false ones and a joint
        claim at alpha / N; what needs independent inputs does not. For a fixed n alone.

    Guarantee:
      P[some claimed gap > the true gap] <= alpha for all true probabilities and every stopping
      rule; made in float64 and rounded outward, so it holds for the float32 numbers in the tables.

    Raises:
      ValueError: n is too small for any certificate at this alpha (the smallest n is named);
        looks that do not increase; a bound without what it needs.

    Reference: Cohen et al. 2019, Algorithm "Certify"; Clopper and Pearson 1934; Voracek 2024.

    >>> import aniso_jax as aj
    >>> p = aj.plan(aj.gaussian, n=1000)
    >>> round(float(p.gaps[1000]), 3), float(p.gaps[500])
    (2.463, 0.0)
    >>> aj.plan(aj.gaussian, looks=(100, 1_000, 10_000)).starts
    (0, 101, 1102)
    """
    n0, alpha = check_draws(n0, "n0"), float(alpha)
    check_bound(bound)
    schedule = make_schedule(bound, n, looks)
    check_plan(schedule, alpha, bound, classes, target, tolerance)
    check_grid(law, grid)
    check_sharing(shared_draws, bound, schedule)
    discount = 0.0 if grid is None else grid.discount
    failures = failure_tables(bound, schedule, alpha, discount=discount)
    rivals = rival_tables(schedule, alpha, classes=classes, discount=discount) if classes else []
    upper = [upper_quantiles(law, table) for table in rivals]
    return Plan(
        failures=jnp.asarray(np.concatenate([float32_up(table) for table in failures])),
        lower=jnp.asarray(np.concatenate([lower_quantiles(law, table) for table in failures])),
        upper=jnp.asarray(np.concatenate(upper)) if upper else None,
        law=law,
        n0=n0,
        looks=schedule,
        bound=bound,
        alpha=alpha,
        classes=classes,
        target=target,
        tolerance=tolerance,
        grid=grid,
        shared_draws=shared_draws,
    )
