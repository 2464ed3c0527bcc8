"""One-sided statements about regions: `True` is a proof, `False` is "not sure"."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from aniso_jax.geometry.axes import is_measurable, thetas_inside, thetas_outside
from aniso_jax.geometry.inside import gap_inside
from aniso_jax.geometry.rounding import slack

if TYPE_CHECKING:
    from aniso_jax.geometry.regions import Region


def surely_contains(outer: "Region", inner: "Region") -> jax.Array:
    """Whether `outer` is certainly a superset of `inner` (`False`: not sure).

    The test is exact up to rounding for equal centers (gap_o theta_o >= gap_i theta_i in every
    coordinate), for equal shapes and for cross-polytopes; for ellipsoids it is a dual bound
    (`gap_inside`). A rotated scale is replaced by an aligned region inside or around it, unless
    both are the same: an isotropic region in a rotated one with t >= 1 is recognised, two rotated
    ones of other directions hardly ever. Rounding never makes it true, nor does what leaves the
    range of floats: it is false where a semi-axis or a center lies beyond 1e-12 .. 1e12, a gap
    beyond 1e-18 .. 1e18, or a number is not finite. An empty region lies in every other.

    Raises:
      ValueError: the regions have different norm orders or shapes, or are batches.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> ball = aj.Region(center=jnp.zeros(2), scale=aj.Isotropic(sigma=1.0), gap=jnp.array(1.0),
    ...                  order=2)
    >>> ellipse = aj.Region(center=jnp.zeros(2), scale=aj.Diagonal(theta=jnp.array([1.0, 5.0])),
    ...                     gap=jnp.array(1.0), order=2)
    >>> bool(surely_contains(ellipse, ball)), bool(surely_contains(ball, ellipse))
    (True, False)
    """
    check_comparable(outer, inner)
    by_coordinate = _dominates(outer, inner)
    fits = inner.gap <= gap_inside(outer, inner.center, inner.scale)
    is_empty = inner.gap <= 0
    can = is_measurable(outer) & is_measurable(inner)
    return is_empty | can & (by_coordinate | fits)


def _dominates(outer: "Region", inner: "Region") -> jax.Array:
    """Equal centers, and no semi-axis shorter: by comparison of factors, free of rounding.

    The products gap * theta are compared too, with the rounding of two products to spare.
    """
    theta_outer = thetas_inside(outer.scale, outer.center, outer.order)
    theta_inner = thetas_outside(inner.scale, inner.center, inner.order)
    by_factor = (outer.gap >= inner.gap) & (theta_outer >= theta_inner)
    enlarged = inner.gap * theta_inner * (1 + slack(theta_inner.dtype))
    by_product = outer.gap * theta_outer >= enlarged
    return jnp.all(outer.center == inner.center) & jnp.all(by_factor | by_product)


def check_comparable(outer: "Region", inner: "Region") -> None:
    """Refuse batches, and regions of other norms or shapes."""
    outer.check_single()
    inner.check_single()
    if outer.order != inner.order:
        raise ValueError(
            f"The regions have norm orders {outer.order} and {inner.order}; "
            "only regions of one norm can be compared."
        )
    if jnp.shape(outer.center) != jnp.shape(inner.center):
        raise ValueError(
            f"The regions have shapes {jnp.shape(outer.center)} and {jnp.shape(inner.center)}; "
            "only regions of inputs of one shape can be compared."
        )
