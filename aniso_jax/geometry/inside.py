"""The largest region of a shape that fits into another around a given point."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.axes import thetas_inside, thetas_outside
from aniso_jax.geometry.balls import norm
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.rounding import slack, total

if TYPE_CHECKING:
    from aniso_jax.geometry.regions import Region
    from aniso_jax.geometry.scales import Scale

_STEPS = 24


def gap_inside(old: "Region", center: jax.Array, shape: "Scale") -> jax.Array:
    """The largest gap with { center + S u : ||u|| <= gap } inside `old`, rounded down; 0 if none.

    With e = A_o (center - x_o) / gap_o, rho = theta / theta_o, and gaps in units of gap_o:

    * any norm: gap <= (1 - ||e||) / max rho suffices, and is the whole truth for l1 (the vertices
      decide) and for equal shapes;
    * l2: every 0 < x < 1 / (max rho)^2 proves gap^2 = x (1 - sum e^2 / (1 - x rho^2)), by weak
      duality; the right-hand side is concave in x.

    A rotated `old` is replaced by an aligned region inside it, a rotated shape by an aligned one
    around it, unless both are the same scale.
    """
    if isinstance(old.scale, Rotated) and isinstance(shape, Rotated):
        same = _gap_of_same_shape(old, center, shape, old.scale)
        return jnp.maximum(same, _gap_of_aligned(old, center, shape))
    return _gap_of_aligned(old, center, shape)


def _gap_of_same_shape(
    old: "Region", center: jax.Array, shape: "Rotated", scale: "Rotated"
) -> jax.Array:
    """gap_o - ||A (center - x_o)|| where the two scales are equal, else 0."""
    leaves = list(zip(jax.tree.leaves(scale), jax.tree.leaves(shape), strict=True))
    if any(jnp.shape(one) != jnp.shape(other) for one, other in leaves):
        return jnp.zeros_like(old.gap)
    is_same = jnp.stack([jnp.all(one == other) for one, other in leaves]).all()
    offset = center - old.center
    less = 2 * slack(offset.dtype, offset.size)
    far = norm(scale.pull(offset), old.order) * (1 + less) / (1 - scale.distortion(old.order))
    room = jnp.where(far > 0, old.gap * (1 - less) - far, old.gap)
    is_sound = is_same & (scale.distortion(old.order) < 1) & scale.is_valid()
    return jnp.where(is_sound & (room > 0), room, 0.0)


def _gap_of_aligned(old: "Region", center: jax.Array, shape: "Scale") -> jax.Array:
    theta_old = thetas_inside(old.scale, old.center, old.order)
    theta = thetas_outside(shape, center, old.order)
    ratio = theta / theta_old
    widest, less = jnp.max(ratio), slack(ratio.dtype, ratio.size)
    offset = (center - old.center) / theta_old / old.gap
    room = 1 - norm(offset, old.order) * (1 + less) - less
    # below the smallest normal number a quotient is rounded to anything
    can = widest >= float(np.finfo(ratio.dtype).tiny)
    units = jnp.where(can, jnp.maximum(room, 0) / widest, 0.0)
    if old.order == 2:
        by_duality = _by_duality(offset, ratio / widest) / widest
        units = jnp.where(can, jnp.maximum(units, by_duality), 0.0)
    fits = jnp.where(old.gap > 0, units * old.gap * (1 - less), 0.0)
    # Equal centers and no longer theta: the whole gap, whatever a quotient is rounded to.
    is_nested = jnp.all(center == old.center) & jnp.all(theta <= theta_old)
    return jnp.where(is_nested, jnp.maximum(fits, old.gap), jnp.where(fits > 0, fits, 0.0))


def _by_duality(offset: jax.Array, ratio: jax.Array) -> jax.Array:
    """Max over 0 < x < 1 of sqrt(x (1 - sum e^2 / (1 - x rho^2))), rho <= 1, rounded down.

    1 - x rho^2 = (1 - rho)(1 + rho) + (1 - x) rho^2 has no cancellation but that of 1 - rho, which
    is made smaller by its rounding: then every term of the sum is too large.
    """
    eps, less = float(np.finfo(ratio.dtype).eps), slack(ratio.dtype, ratio.size)
    shorter = jnp.maximum(1 - ratio - 8 * eps, 0) * (1 + ratio)

    def step(_: int, state: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        low, high, best = state
        x = (low + high) / 2
        rest = shorter + (1 - x) * jnp.square(ratio)
        cost = total(jnp.square(offset) / rest)
        slope = total(jnp.square(offset) * jnp.square(ratio / rest))
        room = x * (1 - cost * (1 + 2 * less) - less)
        rises = 1 - cost - x * slope > 0
        best = jnp.where(room > best, room, best)
        return jnp.where(rises, x, low), jnp.where(rises, high, x), best

    zero = jnp.zeros((), ratio.dtype)
    _, _, best = jax.lax.fori_loop(0, _STEPS, step, (zero, zero + 1, zero))
    return jnp.sqrt(best)
