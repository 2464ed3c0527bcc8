"""Semi-axes: of regions aligned with the coordinates, and of aligned ones around or in others."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.rounding import slack
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale

if TYPE_CHECKING:
    from aniso_jax.geometry.regions import Region

SHORTEST, LONGEST = 2.0**-40, 2.0**40
"""Semi-axes and centers that comparisons reason about: no square or quotient of two of them
leaves float32. About 1e-12 and 1e12; of anything beyond them nothing is proved."""

SMALLEST, LARGEST = 2.0**-60, 2.0**60
"""Gaps, so that no theta of such semi-axes has an inverse that float32 takes for 0."""


def thetas(scale: Scale, like: jax.Array) -> jax.Array:
    """The diagonal of S, one number for every coordinate of `like`.

    Raises:
      ValueError: a scale that is not aligned with the coordinates.
    """
    if not isinstance(scale, Isotropic | Diagonal):
        raise ValueError(
            f"The scale is a {type(scale).__name__}, which is not aligned with the coordinates; "
            "wanted an Isotropic or Diagonal one."
        )
    return scale.push(jnp.ones_like(like))


def thetas_inside(scale: Scale, like: jax.Array, order: int) -> jax.Array:
    """The diagonal of a scale whose regions lie inside those of this one; its own where it has.

    NaN for a rotated scale that is not valid: of its regions nothing is proved.
    """
    if not isinstance(scale, Rotated):
        return thetas(scale, like)
    return _around(scale, scale.inner_factor(order) * (1 - slack(like.dtype)), like)


def thetas_outside(scale: Scale, like: jax.Array, order: int) -> jax.Array:
    """The diagonal of a scale whose regions contain those of this one; NaN as `thetas_inside`."""
    if not isinstance(scale, Rotated):
        return thetas(scale, like)
    return _around(scale, scale.outer_factor(order) * (1 + slack(like.dtype)), like)


def _around(scale: Rotated, factor: jax.Array, like: jax.Array) -> jax.Array:
    theta = jnp.asarray(scale.theta) * factor * jnp.ones_like(like)
    return jnp.where(scale.is_valid(), theta, jnp.nan)


def semi_axes(region: "Region") -> jax.Array:
    """gap * theta, one number for every coordinate; zeros where nothing is claimed."""
    return region.gap * thetas(region.scale, region.center)


def outer_axes(region: "Region") -> jax.Array:
    """`semi_axes`, or those of an aligned region around one that is rotated."""
    return region.gap * thetas_outside(region.scale, region.center, region.order)


def is_measurable(region: "Region") -> jax.Array:
    """Whether the region is one that comparisons reason about; false for NaNs and empty ones."""
    is_usual = (region.gap >= SMALLEST) & (region.gap <= LARGEST)
    return measurable(outer_axes(region), region.center) & is_usual


def is_computable(region: "Region") -> jax.Array:
    """Whether a quotient by the scale and the gap rounds like any other: none of them underflows.

    Of a quotient by a theta of 3e38 nothing is left, and every point would seem to lie inside.
    """
    scale, fits = region.scale, (region.gap >= SMALLEST) & (region.gap <= LARGEST)
    if not isinstance(scale, Isotropic | Diagonal | Rotated):
        return fits
    theta = jnp.asarray(scale.sigma if isinstance(scale, Isotropic) else scale.theta)
    return fits & jnp.all((theta >= SHORTEST / LARGEST) & (theta <= LONGEST / SMALLEST))


def measurable(axes: jax.Array, center: jax.Array) -> jax.Array:
    """The same of semi-axes and a center."""
    fits = (axes >= SHORTEST) & (axes <= LONGEST) & (jnp.abs(center) <= LONGEST)
    return jnp.all(fits)
