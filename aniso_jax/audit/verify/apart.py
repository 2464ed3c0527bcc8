"""Whether regions are disjoint, once more in float64, apart from what the memory uses.

Regions with semi-axes a and b whose centers are delta apart are disjoint where some s in [0, 1] has
D(s) > 1:
  l2: D(s) = sum delta_i^2 s (1 - s) / ((1 - s) a_i^2 + s b_i^2), concave;
  l1: D(s) = sum |delta_i| min(s / a_i, (1 - s) / b_i), piecewise linear.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
from numpy.typing import NDArray

Float64 = NDArray[np.float64]

_ENOUGH = 1 + 1e-9
"""More than the rounding of a sum of a million terms."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A region of a memory, flattened, in float64.

    Attributes:
      number: of the region in the memory.
      position: of the record that made it, in the run; -1 where another run did.
      label: its class.
      center, theta, gap: (d,), (d,) and a number.
    """

    number: int
    position: int
    label: int
    center: Float64
    theta: Float64
    gap: float

    @property
    def axes(self) -> Float64:
        """Gap * theta."""
        return self.gap * self.theta

    def reach(self, x: Float64, order: int) -> float:
        """||A (x - center)||: at most the gap inside."""
        return float(np.linalg.norm((x - self.center) / self.theta, order))


def meetings(regions: Sequence[Stored], order: int) -> Iterator[tuple[Stored, Stored]]:
    """Pairs of different classes that are not proved disjoint; the later one first.

    The time grows with the square of their number.
    """
    centers = np.array([region.center for region in regions])
    axes = np.array([region.axes for region in regions])
    labels = np.array([region.label for region in regions])
    for at, region in enumerate(regions):
        for rival in np.flatnonzero(labels[:at] != labels[at]).tolist():
            delta = np.abs(centers[rival] - centers[at])
            if not is_apart(delta, axes[rival], axes[at], order):
                yield region, regions[rival]


def is_apart(delta: Float64, a: Float64, b: Float64, order: int) -> bool:
    """Whether some s proves it; the middle is tried first, which mostly does."""
    if order == 1:
        return bool(np.sum(delta / np.maximum(a, b)) > 2 * _ENOUGH or _dual_l1(delta, a, b) > 1)
    middle = np.sum(delta**2 / (a**2 + b**2))
    return bool(middle > 2 * _ENOUGH or _dual_l2(delta, a, b) > _ENOUGH)


def _dual_l1(delta: Float64, a: Float64, b: Float64) -> float:
    """The largest D, at one of its kinks s_i = a_i / (a_i + b_i)."""
    kinks = a / (a + b)
    order = np.argsort(kinks)
    s, rising, falling = kinks[order], (delta / a)[order], (delta / b)[order]
    before = np.cumsum(falling) - falling  # of the terms whose kink lies before s
    after = np.cumsum(rising[::-1])[::-1]
    return float(np.max(s * after + (1 - s) * before)) / _ENOUGH


def _dual_l2(delta: Float64, a: Float64, b: Float64) -> float:
    def falling(s: float) -> float:
        return -float(np.sum(delta**2 * (s * (1 - s)) / ((1 - s) * a**2 + s * b**2)))

    found = scipy.optimize.minimize_scalar(
        falling, bounds=(0, 1), method="bounded", options={"xatol": 1e-12}
    )
    return -float(found.fun)
