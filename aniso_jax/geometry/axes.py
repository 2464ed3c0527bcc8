"""The semi-axes of regions whose scale is aligned with the coordinates."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale

if TYPE_CHECKING:
    from aniso_jax.geometry.regions import Region

SHORTEST, LONGEST = 2.0**-40, 2.0**40
"""Semi-axes and centers that comparisons reason about: no square or quotient of two of them
leaves float32. About 1e-12 and 1e12; of anything beyond them nothing is proved."""


def thetas(scale: Scale, like: jax.Array) -> jax.Array:
    """The diagonal of S, one number for every coordinate of `like`.

    Raises:
      ValueError: a scale that is not aligned with the coordinates.
    """
    if not isinstance(scale, Isotropic | Diagonal):
        raise ValueError(
            f"The scale is a {type(scale).__name__}; regions are compared where the scale is "
            "Isotropic or Diagonal."
        )
    return scale.push(jnp.ones_like(like))


def semi_axes(region: "Region") -> jax.Array:
    """gap * theta, one number for every coordinate; zeros where nothing is claimed."""
    return region.gap * thetas(region.scale, region.center)


def is_measurable(region: "Region") -> jax.Array:
    """Whether the region is one that comparisons reason about; false for NaNs and empty ones."""
    return measurable(semi_axes(region), region.center) & (region.gap > 0)


def measurable(axes: jax.Array, center: jax.Array) -> jax.Array:
    """The same of semi-axes and a center."""
    fits = (axes >= SHORTEST) & (axes <= LONGEST) & (jnp.abs(center) <= LONGEST)
    return jnp.all(fits)
