"""Regions of largest area of a star-shaped classifier smoothed exactly, for each kind of scale."""

import math
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
import scipy.optimize
from numpy.typing import NDArray

from aniso_jax.figures.plane.quadrature import failure
from aniso_jax.figures.plane.stars import Star
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.smoothing.laws import Law

Float64 = NDArray[np.float64]

SHORTEST, LONGEST = 0.01, 2.0
"""Axes of S are sought between these: narrower noise gains little, longer leaves the square."""

_SURE = 1e-300  # 1 - p is counted as no less, so that no gap is infinite
_STARTS = tuple(np.log(s) for s in ((0.011, 0.011), (0.05, 0.05), (0.2, 0.2), (0.05, 0.012)))
_ANGLES = np.arange(-6, 6) * (math.pi / 12)


def largest_regions(star: Star, x: Float64, law: Law) -> dict[str, Region]:
    """The region of largest area around x of each kind: no draws, no confidence, n = infinity.

    A search (Nelder-Mead over log axes and the angle, from several starts, each kind also from
    what the one before found) finds the scale; its gap is F^-1(p), p by quadrature.
    """
    area = _area(star, x, law)
    isotropic = _climb(lambda s: area([s[0], s[0], 0.0]), [start[:1] for start in _STARTS])
    ball = np.repeat(isotropic, 2)
    aligned = _climb(lambda axes: area([*axes, 0.0]), [ball, *_STARTS, _STARTS[-1][::-1]])
    turned = max(
        (_at_angle(area, angle, _STARTS[1:]) for angle in _ANGLES), key=lambda place: area(place)
    )
    rotated = _climb(area, [np.append(aligned, 0.0), turned])
    places = {"isotropic": [*ball, 0.0], "anisotropic": [*aligned, 0.0], "rotated": [*rotated]}
    return {kind: _region(star, x, law, np.array(at)) for kind, at in places.items()}


def _area(star: Star, x: Float64, law: Law) -> Callable[..., float]:
    """(log axis, log axis, angle) -> log area, up to a constant; -inf for an empty region."""

    def area(place: Float64) -> float:
        axes = np.asarray(place[:2])
        if (axes < math.log(SHORTEST)).any() or (axes > math.log(LONGEST)).any():
            return -math.inf
        gap = _gap(star, x, law, np.asarray(place))
        return 2 * math.log(gap) + float(axes.sum()) if gap > 0 else -math.inf

    return area


def _at_angle(area: Callable[..., float], angle: float, starts: tuple[Float64, ...]) -> Float64:
    """The best two axes at an angle."""
    return np.append(_climb(lambda axes: area([*axes, angle]), list(starts), evaluations=40), angle)


def _climb(
    value: Callable[[Float64], float], starts: list[Float64], *, evaluations: int = 120
) -> Float64:
    """The best place that is found from any of the starts, themselves included."""
    options = {"xatol": 1e-3, "fatol": 1e-4, "maxfev": evaluations}
    found = [
        scipy.optimize.minimize(
            lambda place: min(-value(place), 1e9), start, method="Nelder-Mead", options=options
        ).x
        for start in starts
    ]
    return np.asarray(max([*starts, *found], key=value))


def _gap(star: Star, x: Float64, law: Law, place: Float64) -> float:
    q = max(failure(star, x, _matrix(place), law), _SURE)
    return float(law.host_gap(np.asarray(q))) if q < 0.5 else 0.0


def _directions(angle: float) -> Float64:
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])


def _matrix(place: Float64) -> Float64:
    """S = V diag(t) V', the symmetric one of two axes and an angle."""
    basis = _directions(place[2])
    return np.asarray((basis.T * np.exp(place[:2])) @ basis)


def _region(star: Star, x: Float64, law: Law, place: Float64) -> Region:
    scale = Rotated(
        theta=jnp.float32(1.0),
        basis=jnp.asarray(_directions(place[2]), jnp.float32),
        stretch=jnp.asarray(np.exp(place[:2]), jnp.float32),
    )
    gap = jnp.float32(_gap(star, x, law, place))
    return Region(center=jnp.asarray(x, jnp.float32), scale=scale, gap=gap, order=law.order)
