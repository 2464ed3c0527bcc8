"""Where the axes of a rotated scale may lie: as those of a diagonal one, along every direction."""

import jax
import jax.numpy as jnp

from aniso_jax.geometry.rotated import Rotated
from aniso_jax.optimize.axes import at_cap, first_axes, longest_axis
from aniso_jax.optimize.problem import Problem


def cut_axes(problem: Problem, scale: Rotated, gap: jax.Array, reach: float) -> Rotated:
    """The scale with neither coordinates nor directions beyond `reach` caps, nor below the start.

    In coordinate i a point of the region spreads as theta_i ||M e_i||, along direction a by
    t_a ||theta V_a||: neither is above the cap. Neither theta nor min(theta) t fall below the
    shortest axis of the start, and so no axis does; the start wins where the two cross.
    """
    start, cap = jnp.min(first_axes(problem)), reach * longest_axis(problem, gap)
    theta, basis = jnp.maximum(jnp.asarray(scale.theta), start), jnp.asarray(scale.basis)
    longest = jnp.maximum(cap / lengths(theta, basis), 1.0)
    stretch = jnp.minimum(jnp.asarray(scale.stretch), longest)
    turned = Rotated(theta=theta, basis=basis, stretch=stretch)
    theta = jnp.maximum(jnp.minimum(theta, cap / _spread(turned)), start)
    stretch = jnp.maximum(stretch, start / jnp.min(theta))
    return Rotated(theta=theta, basis=basis, stretch=stretch)


def share_at_cap(problem: Problem, scale: Rotated, gap: jax.Array) -> jax.Array:
    """Share of coordinates in which the region spreads as far as the cap, as `capped_share`."""
    return at_cap(problem, jnp.asarray(scale.theta) * _spread(scale), gap)


def lengths(theta: jax.Array, basis: jax.Array) -> jax.Array:
    """||theta V_a|| for every direction a."""
    squares = jnp.square(theta * basis)
    return jnp.sqrt(jnp.sum(squares, axis=tuple(range(1, squares.ndim))))


def _spread(scale: Rotated) -> jax.Array:
    """||M e_i|| for every coordinate: (1 + sum_a V_ia^2 (t_a^2 - 1))^(1/2)."""
    squares = jnp.square(jnp.asarray(scale.basis))
    more = jnp.tensordot(jnp.square(jnp.asarray(scale.stretch)) - 1, squares, axes=1)
    return jnp.sqrt(jnp.maximum(1 + more, 1e-12))
