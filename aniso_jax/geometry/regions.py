"""Certified regions: the image of a ball under a scale, around an input."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry import balls, predicates
from aniso_jax.geometry.axes import is_computable
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.rounding import shrink, slack
from aniso_jax.geometry.scales import Scale
from aniso_jax.geometry.shown import code, down, scale_text, table

_LARGEST = float(np.finfo(np.float32).max)
"""What overflows is claimed as no more than this, and every number stays finite."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Region:
    """R = { center + S u : ||u||_order <= gap } = { y : ||A (y - center)||_order <= gap }.

    A gap of zero is an empty region: nothing is claimed (abstention).

    Args:
      center: the input, any shape; d is its number of entries.
      scale: S, a `Scale`.
      gap: scalar radius in whitened units, >= 0.
      order: 1 (cross-polytope) or 2 (ellipsoid); static.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> region = aj.Region(center=jnp.zeros(2), scale=aj.Diagonal(theta=jnp.array([1.0, 3.0])),
    ...                    gap=jnp.array(2.0), order=2)
    >>> bool(region.contains(jnp.array([0.0, 5.9]))), bool(region.contains(jnp.array([2.1, 0.0])))
    (True, False)
    >>> [round(float(v), 3) for v in (region.radius(), region.proxy_radius(), region.log_volume())]
    [2.0, 3.464, 3.63]
    """

    center: jax.Array
    scale: Scale
    gap: jax.Array
    order: int = field(metadata={"static": True})

    @property
    def dimension(self) -> int:
        """D, the number of input coordinates."""
        return int(jnp.size(self.center))

    def gauge(self, y: jax.Array) -> jax.Array:
        """||A (y - center)|| / gap: below 1 inside, 1 on the outline, infinite if empty."""
        self.check_single()
        if jnp.shape(y) != jnp.shape(self.center):
            raise ValueError(
                f"y has shape {jnp.shape(y)}, wanted the center's {jnp.shape(self.center)}: "
                "map over many points with jax.vmap."
            )
        distance = balls.norm(self.scale.pull(y - self.center), self.order)
        is_claimed = (self.gap > 0) & self.scale.is_valid()
        return jnp.where(is_claimed, distance / jnp.where(is_claimed, self.gap, 1.0), jnp.inf)

    def contains(self, y: jax.Array) -> jax.Array:
        """Whether y lies in the region, never true for a point outside.

        Guarantee: the gauge is enlarged by its own rounding, (log2 d + 8) eps, and by the
        `distortion` of a rotated scale, so a point within rounding of the outline counts as
        outside, as does one with a NaN, and every point of a region whose gap lies beyond
        1e-18 .. 1e18 or a theta beyond 1e-30 .. 1e30. It speaks of y in the precision that JAX
        computes in: a float64 y is first rounded where x64 is off.
        """
        gauge = self.gauge(y)
        scale = self.scale
        lost = scale.distortion(self.order) if isinstance(scale, Rotated) else 0.0
        is_inside = gauge * (1 + slack(gauge.dtype, self.dimension)) <= 1 - lost
        return is_inside & is_computable(self)

    def surely_contains(self, inner: "Region") -> jax.Array:
        """Whether this region is a superset of `inner`; see `surely_contains`."""
        return predicates.surely_contains(self, inner)

    def log_volume(self) -> jax.Array:
        """log vol R = d log gap + log |det S| + log vol(unit ball); -inf if empty."""
        self.check_single()
        d = self.dimension
        log_volume = (
            d * jnp.log(self.gap) + self.scale.log_abs_det(d) + balls.log_unit_ball(d, self.order)
        )
        return jnp.where(self.gap > 0, log_volume, -jnp.inf)

    def proxy_radius(self) -> jax.Array:
        """gap |det S|^(1/d): radius of the isotropic region of equal volume, in input units.

        Rounded down, by less than 1e-4: the exponential turns the rounding of the mean logarithm
        into as much relative error, times that logarithm (below 20 for any theta of use). A
        rotated scale's further by what the rounding of its directions can do to the determinant.
        """
        self.check_single()
        scale = self.scale
        lost = scale.log_det_error() if isinstance(scale, Rotated) else 0.0
        mean_log = (self.scale.log_abs_det(self.dimension) - lost) / self.dimension
        value = jnp.where(self.gap > 0, self.gap * jnp.exp(mean_log), 0.0)
        return jnp.minimum(value, _LARGEST) * (1 - 8 * slack(value.dtype, self.dimension))

    def radius(self) -> jax.Array:
        """Radius of the largest l_order ball around the center in R, rounded down; 0 if empty."""
        self.check_single()
        widest = jnp.maximum(self.gap * self.scale.inradius(self.order), 0.0)
        return shrink(jnp.where(self.gap > 0, widest, 0.0))

    def summary(self) -> dict[str, str]:
        """Its facts for people, radii cut downward; of a single region."""
        body = {1: "cross-polytope", 2: "ellipsoid"}[self.order]
        return {
            "region": f"l{self.order} {body} in {self.dimension:,} dimensions",
            "gap (whitened units)": down(self.gap),
            "radius": down(self.radius()),
            "proxy radius": down(self.proxy_radius()),
            "scale": scale_text(self.scale),
        }

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        return table(self.summary()) if jnp.ndim(self.gap) == 0 else code(self)

    def check_single(self) -> None:
        """Refuse a batch (a Region with batched leaves): it must be mapped over, not summed."""
        if jnp.ndim(self.gap) != 0:
            raise ValueError(
                f"gap has shape {jnp.shape(self.gap)}, wanted a scalar: this is a batch of "
                "regions, call the method under jax.vmap."
            )
