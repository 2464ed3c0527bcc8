"""Regions kept apart and fitted: `surely_disjoint`, `shrink_to_avoid`, `largest_inside`."""

from dataclasses import replace

import jax
import jax.numpy as jnp

from aniso_jax.geometry.axes import is_measurable, outer_axes, semi_axes, thetas
from aniso_jax.geometry.inside import gap_inside
from aniso_jax.geometry.polytopes import polytope_separation
from aniso_jax.geometry.predicates import check_comparable
from aniso_jax.geometry.reach import free_reach
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Scale
from aniso_jax.geometry.separation import Pair, margin, separation
from aniso_jax.geometry.tilted import tilted_separation

_RETREATS = 6
_HALVINGS = 20  # of the gap of a rotated region that is to avoid another


def surely_disjoint(a: Region, b: Region) -> jax.Array:
    """Whether two regions certainly have no common point; `False` is "not sure".

    True where some w has w . (x_a - x_b) > (1 + m) (gap_a ||S_a w||_q + gap_b ||S_b w||_q), q dual
    to the norm order, m = 4 (log2 d + 8) eps: 8e-6 in 784 dimensions. An empty region is disjoint
    from every other.

    Args:
      a, b: of one norm order and shape, each with a scale of its own.

    Guarantee:
      Never true where the regions meet, nor, for isotropic and diagonal scales, where they would
      once both are enlarged by the rounding of a membership test (that of a rotated region is
      `contains`, which never lets in a point outside).
      For isotropic and diagonal scales true wherever both could grow by 2 m and stay apart and no
      two of their semi-axes differ by more than a factor of 2^40, in float32 as in float64.
      For rotated ones there is only a search, from which rounding takes the more the wider the
      range of t is. What tests and measurements found proved in float32: ellipsoids that could
      both grow by 3e-4 (t from 0.2 to 5, 784 dimensions) or by 1e-3 (from 0.02 to 55, 24
      dimensions); cross-polytopes of one and the same scale by 5e-3 (100 dimensions); those of
      other directions, of which only some planes are tried, by a half.
      False where a semi-axis or a center lies beyond 1e-12 .. 1e12, or is not finite.

    Raises:
      ValueError: other norm orders or shapes, or batches.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> def ball(x):
    ...     return aj.Region(center=jnp.array([x, 0.0]), scale=aj.Isotropic(sigma=1.0),
    ...                      gap=jnp.array(1.0), order=2)
    >>> bool(surely_disjoint(ball(0.0), ball(2.001))), bool(surely_disjoint(ball(0.0), ball(2.0)))
    (True, False)
    """
    check_comparable(a, b)
    apart = 1 + margin(a.center.dtype, a.dimension)
    pair = _pair(a, outer_axes(a), b, outer_axes(b))
    is_proved = separation(pair, enough=apart) > apart
    if _is_tilted(a, b) and a.order == 2:
        is_proved = is_proved | (tilted_separation(a, b, enough=apart) > apart)
    if _is_tilted(a, b) and a.order == 1:
        is_proved = is_proved | (polytope_separation(a, b) > apart)
    return (a.gap <= 0) | (b.gap <= 0) | (is_measurable(a) & is_measurable(b) & is_proved)


def shrink_to_avoid(new: Region, old: Region) -> Region:
    """The largest region of the shape of `new`, within it, that is surely disjoint from `old`.

    Only the gap changes. It is empty (gap 0) where nothing is proved, above all where the center
    of `new` lies in `old`.

    Args:
      new, old: as `surely_disjoint`.

    Guarantee:
      `surely_disjoint(result, old)` is true, and what proves it proves it of every smaller gap;
      the gap is never above that of `new`, and equal to it where the two were surely disjoint
      already.

    Raises:
      ValueError: as `surely_disjoint`.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> old = aj.Region(center=jnp.zeros(2), scale=aj.Isotropic(sigma=1.0), gap=jnp.array(1.0),
    ...                 order=2)
    >>> new = aj.Region(center=jnp.array([0.0, 3.0]), scale=aj.Diagonal(theta=jnp.array([9., 1.])),
    ...                 gap=jnp.array(5.0), order=2)
    >>> round(float(shrink_to_avoid(new, old).gap), 3)
    2.0
    """
    check_comparable(new, old)
    tolerance = 2 * margin(new.center.dtype, new.dimension)  # a search later needs room for proofs
    if _is_tilted(new, old):
        gap = _halved(new, old) * (1 - tolerance)
    else:
        pair = _pair(old, semi_axes(old), new, thetas(new.scale, new.center))
        gap = free_reach(pair, tolerance=tolerance, enough=new.gap)
        gap = jnp.minimum(gap, new.gap)
    can = is_measurable(old) & jnp.isfinite(new.gap)
    shrunk = _retreat(replace(new, gap=jnp.where(can, gap, 0.0)), old)
    return replace(new, gap=jnp.where(surely_disjoint(new, old), new.gap, shrunk))


def _is_tilted(a: Region, b: Region) -> bool:
    return isinstance(a.scale, Rotated) or isinstance(b.scale, Rotated)


def _halved(new: Region, old: Region) -> jax.Array:
    """The largest gap for which a proof was found, by halving its bracket."""

    def step(_: int, bracket: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        low, high = bracket
        middle = (low + high) / 2
        is_proved = surely_disjoint(replace(new, gap=middle), old)
        return jnp.where(is_proved, middle, low), jnp.where(is_proved, high, middle)

    start = jnp.zeros_like(new.gap), new.gap
    found, _ = jax.lax.fori_loop(0, _HALVINGS, step, start)
    return jnp.asarray(found)


def _retreat(new: Region, old: Region) -> jax.Array:
    """The gap itself once it is proved, a little less until it is, else 0.

    The first proof all but always succeeds; what follows covers searches that end elsewhere.
    """
    step = margin(new.center.dtype, new.dimension)
    back_by = jnp.array([0, *(step * 4**n for n in range(1, _RETREATS))], new.gap.dtype)

    def is_open(state: tuple[jax.Array, jax.Array, jax.Array]) -> jax.Array:
        return (state[0] < _RETREATS) & ~state[2]

    def back(
        state: tuple[jax.Array, jax.Array, jax.Array],
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        count, gap, _ = state
        gap = gap * (1 - back_by[count])
        return count + 1, gap, surely_disjoint(replace(new, gap=gap), old)

    start = jnp.int32(0), new.gap, jnp.zeros_like(new.gap, bool)
    _, gap, is_proved = jax.lax.while_loop(is_open, back, start)
    return jnp.where(is_proved, gap, 0.0)


def _pair(a: Region, axes_a: jax.Array, b: Region, axes_b: jax.Array) -> Pair:
    return Pair(offset=(a.center - b.center) / axes_a, ratio=axes_b / axes_a, order=a.order)


def largest_inside(old: Region, center: jax.Array, shape: Scale) -> Region:
    """The largest region of a shape around a point that fits into `old`; empty where none does.

    Exact up to rounding for aligned cross-polytopes and for the shape of `old`; for ellipsoids of
    another shape the gap is a lower bound, by duality (`gap_inside`), and for rotated ones of
    other directions a poor one.

    Args:
      old: a region.
      center: where the region shall lie, in the input's shape.
      shape: its scale.

    Guarantee: every point of the result lies in `old`, up to less rounding than a membership test
    forgives; around the center of `old`, with its own scale, the result is `old` itself. Empty
    where `old` or the result has a semi-axis or a center beyond 1e-12 .. 1e12, a gap beyond
    1e-18 .. 1e18, or a number that is not finite.

    Raises:
      ValueError: a center of another shape, or a batch.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> old = aj.Region(center=jnp.zeros(2), scale=aj.Isotropic(sigma=1.0), gap=jnp.array(2.0),
    ...                 order=1)
    >>> flat = aj.Diagonal(theta=jnp.array([1.0, 0.5]))
    >>> round(float(largest_inside(old, jnp.array([0.5, 0.0]), flat).gap), 4)
    1.5
    """
    old.check_single()
    if jnp.shape(center) != jnp.shape(old.center):
        raise ValueError(
            f"center has shape {jnp.shape(center)}, wanted the region's {jnp.shape(old.center)}: "
            "map over many points with jax.vmap."
        )
    gap = gap_inside(old, center, shape)
    found = Region(center=center, scale=shape, gap=gap, order=old.order)
    can = is_measurable(old) & is_measurable(found)
    return replace(found, gap=jnp.where(can, gap, 0.0))
