"""One certified input under attack, and how much effort goes into it."""

from dataclasses import dataclass, field
from typing import Any

import jax

from aniso_jax.geometry.regions import Region
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import ApplyFn


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Target:
    """A claim to refute: the smoothed class is `label` at every point of `region`.

    Attributes:
      params: of the base classifier.
      region: the claim's region; its scale is that of the noise.
      label: the certified class.
      key: the attack's own, never the run's. Its phases keep the uses of draws apart: optimise
        guides the search, select screens, estimate confirms.
      grid: of the run's noise; None where noise is added in floating point.
      apply_fn, law: as in `certify`; static.
    """

    params: Any
    region: Region
    label: jax.Array
    key: jax.Array
    apply_fn: ApplyFn = field(metadata={"static": True})
    law: Law = field(metadata={"static": True})
    grid: Grid | None = None

    @property
    def steps(self) -> int | None:
        """Grid points per unit of the input, on which every tried point must lie."""
        return None if self.grid is None else self.grid.steps


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How hard an input is attacked.

    Attributes:
      climbs: ascents side by side, one from the center, the others from random points; even.
      steps: steps of each ascent.
      draws: draws of a slope; in pairs z, -z.
      turns: power steps towards the most curved directions, climbs / 2 of them.
      ends: coordinates of each sort whose two ends are tried.
      screen: draws that screen a candidate.
      confirmed: candidates of an input that are confirmed.
    """

    climbs: int = 8
    steps: int = 12
    draws: int = 64
    turns: int = 6
    ends: int = 4
    screen: int = 512
    confirmed: int = 3


standard = Effort()
"""About a second and a half of a small network's time on two cores, confirmation left out."""
