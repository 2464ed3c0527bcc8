"""Points inside a region, told by whitened offsets u: projections, extreme points, and the rounding
that keeps every point that is tried provably inside.

All functions take one region and one u, and are pure: jit them, vmap them.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp

from aniso_jax.geometry.balls import norm
from aniso_jax.geometry.regions import Region

_PULLED = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
_SHARES = (*_PULLED, 1 - 1e-3, 1 - 1e-4, 1 - 2e-5, 1 - 1e-5, 1 - 5e-6, 1 - 3e-6, 1.0)
"""How far along its offset a point may stay, ascending; the grid wants coarse ones, floats fine."""


def to_ball(u: jax.Array, gap: jax.Array, order: int) -> jax.Array:
    """The point of { ||u||_order <= gap } nearest to u.

    For l1 the sizes are lowered by the one threshold that leaves a sum of gap, found by sorting.

    >>> to_ball(jnp.array([3.0, -1.0]), jnp.array(1.0), 1).tolist()
    [1.0, -0.0]
    """
    length = norm(u, order)
    if order == 2:
        return u * jnp.minimum(1.0, gap / jnp.where(length > 0, length, 1.0))
    size = jnp.sort(jnp.ravel(jnp.abs(u)), descending=True)
    threshold = (jnp.cumsum(size) - gap) / (1 + jnp.arange(size.size))
    last = jnp.maximum(jnp.sum(size > threshold), 1) - 1
    lowered = jnp.sign(u) * jnp.maximum(jnp.abs(u) - threshold[last], 0.0)
    return jnp.where(length > gap, lowered, u)


def to_outline(u: jax.Array, gap: jax.Array, order: int) -> jax.Array:
    """U stretched to ||u||_order = gap; zero stays zero.

    >>> to_outline(jnp.array([3.0, 4.0]), jnp.array(10.0), 2).tolist()
    [6.0, 8.0]
    """
    length = norm(u, order)
    return u * (gap / jnp.where(length > 0, length, 1.0))


def steepest(slope: jax.Array, gap: jax.Array, order: int) -> jax.Array:
    """The u of { ||u||_order <= gap } that maximises slope . u: for l1 a vertex.

    >>> steepest(jnp.array([1.0, -2.0]), jnp.array(0.5), 1).tolist()
    [0.0, -0.5]
    """
    if order == 2:
        return to_outline(slope, gap, order)
    flat = jnp.ravel(slope)
    top = jnp.argmax(jnp.abs(flat))
    vertex = jnp.zeros_like(flat).at[top].set(gap * jnp.sign(flat[top]))
    return vertex.reshape(slope.shape)


def end_coordinates(slope: jax.Array, theta: jax.Array, key: jax.Array, *, each: int) -> jax.Array:
    """Flat coordinates whose ends are tried: largest |slope|, largest theta, and some at random.

    Args:
      slope: of the margin in u, so that theta is a factor in it.
      theta: length of the image of each unit vector.
      each: how many of each sort; all coordinates where there are no more than that.

    Returns:
      int32 (3 min(each, d),).
    """
    each = min(each, slope.size)
    by_slope = jax.lax.top_k(jnp.ravel(jnp.abs(slope)), each)[1]
    by_theta = jax.lax.top_k(jnp.ravel(theta), each)[1]
    by_chance = jax.random.choice(key, slope.size, (each,), replace=False)
    return jnp.concatenate([by_slope, by_theta, by_chance.astype(by_slope.dtype)])


def ends(coordinates: jax.Array, gap: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """+-gap e_i: ends of an ellipsoid's axes, vertices of a cross-polytope; (2 k, *shape).

    >>> ends(jnp.array([1]), jnp.array(2.0), (2,)).tolist()
    [[0.0, 2.0], [-0.0, -2.0]]
    """
    unit = jnp.zeros((coordinates.size, *shape)).reshape(coordinates.size, -1)
    unit = unit.at[jnp.arange(coordinates.size), coordinates].set(gap)
    return jnp.concatenate([unit, -unit]).reshape(-1, *shape)


def surely_inside(region: Region, y: jax.Array, steps: int | None = None) -> jax.Array:
    """Whether y, as it is stored, lies in the region: true is a proof, as in `Region.contains`.

    On a grid, y stands for the exact grid point next to it, and the center for its own.
    """
    return _at_zero(region).contains(_offset(region, y, steps))


def gauge_of(region: Region, y: jax.Array, steps: int | None = None) -> jax.Array:
    """How far out y lies: 0 at the center, 1 on the outline; of the grid point next to it."""
    return _at_zero(region).gauge(_offset(region, y, steps))


def point_inside(region: Region, u: jax.Array, steps: int | None = None) -> jax.Array:
    """x + S u, rounded to what is tested (float32, or the grid) and still inside.

    The offset is shortened until the rounded point is proved to be inside: by a few units in the
    last place of a float, by up to a few per cent on a coarse grid. A grid ends at 0 and 1, and so
    does the point: towards the center, which a diagonal scale keeps inside.

    Guarantee: `surely_inside` holds for the point returned, if the gap is positive.

    >>> import aniso_jax as aj
    >>> region = aj.Region(center=jnp.ones(2), scale=aj.Isotropic(sigma=0.5), gap=jnp.array(2.0),
    ...                    order=2)
    >>> y = point_inside(region, jnp.array([1.2, 1.6]))
    >>> bool(region.contains(y)), bool(region.gauge(y) > 0.9999)
    (True, True)
    """
    offset = region.scale.push(u)

    def longer(best: jax.Array, share: jax.Array) -> tuple[jax.Array, None]:
        y = region.center + share * offset
        y = y if steps is None else jnp.round(jnp.clip(y, 0.0, 1.0) * steps) / steps
        return jnp.where(surely_inside(region, y, steps), y, best), None

    y, _ = jax.lax.scan(longer, region.center, jnp.asarray(_SHARES, offset.dtype))
    return y


def _offset(region: Region, y: jax.Array, steps: int | None) -> jax.Array:
    """Y less the center, within one rounding."""
    if steps is None:
        return y - region.center
    return (jnp.round(y * steps) - jnp.round(region.center * steps)) / steps


def _at_zero(region: Region) -> Region:
    return replace(region, center=jnp.zeros_like(region.center))
