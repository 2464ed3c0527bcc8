"""The volume inside the box of inputs once more, in float64: what a stored upper bound may be."""

import math
from typing import Any

import numpy as np
import scipy.optimize
import scipy.special
from numpy.typing import NDArray

from aniso_jax.audit.verify.between import Between

Float64 = NDArray[np.float64]

_SLACK = 1e-5
"""Of the sizes that float32 adds up; the bound is rounded up by about a tenth of it."""

_NOISE = 1e-12


def log_volume_in_box(
    center: Float64,
    scale: Float64,
    gap: float,
    *,
    order: int,
    box: tuple[float, float],
    own: float,
) -> Between:
    """What may be stored as upper bound on the log-volume of a region inside the box.

    min over t of  t r^p + sum_i log integral over the box of exp(-t |y - x_i|^p / theta_i^p) dy,
    or the box itself, or the region itself where these are smaller.

    Args:
      center: the input, (d,).
      scale: semi-axes of S, (d,) or (1,).
      gap: r.
      order: p.
      box: low and high of every coordinate.
      own: log-volume of the region.

    Guarantee: every t gives a true bound, so no bound of this kind can lie below the minimum; a
    stored number that does is no upper bound.
    """
    top = math.log(4.0 * center.size) - order * math.log(gap)

    def bound(log_t: float) -> float:
        return float(np.sum(_terms(log_t, center, scale, gap, order, box)))

    found = scipy.optimize.minimize_scalar(
        bound, bounds=(top - 40, top), method="bounded", options={"xatol": 1e-9}
    )
    whole = center.size * math.log(box[1] - box[0])
    exact = min(float(found.fun), whole, own)
    sizes = np.sum(np.abs(_terms(float(found.x), center, scale, gap, order, box)))
    size = float(sizes) + abs(own) + abs(whole) + center.size
    high = min(exact + _SLACK * size, whole + _NOISE * size)
    return Between(low=exact - _NOISE * size, high=high, sound=exact)


def _terms(
    log_t: float,
    center: Float64,
    scale: Float64,
    gap: float,
    order: int,
    box: tuple[float, float],
) -> Any:
    """The summands of the tilted bound at one t."""
    rate = math.exp(log_t / order) / np.broadcast_to(scale, center.shape)
    left, right = center - box[0], box[1] - center
    if order == 1:
        mass = -(np.expm1(-rate * left) + np.expm1(-rate * right)) / rate
    else:
        halves = scipy.special.erf(rate * left) + scipy.special.erf(rate * right)
        mass = math.sqrt(math.pi) / 2 * halves / rate
    return np.append(np.log(mass), math.exp(log_t) * gap**order)
