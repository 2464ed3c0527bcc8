"""Where the axes of a diagonal scale may lie: not below the start, not far beyond the inputs."""

import jax
import jax.numpy as jnp

from aniso_jax.geometry.balls import semi_axis_cap
from aniso_jax.optimize.problem import Problem

_AT_CAP = 0.8  # a step's few draws know the gap, and so the cap, to about this


def first_axes(problem: Problem) -> jax.Array:
    """Theta of the scale that the search starts from."""
    return problem.start.push(jnp.ones_like(problem.x))


def cut(problem: Problem, theta: jax.Array, gap: jax.Array, reach: float) -> jax.Array:
    """Theta between the start and `reach` caps at this gap; the start wins where they cross."""
    return jnp.maximum(jnp.minimum(theta, reach * longest_axis(problem, gap)), first_axes(problem))


def capped_share(problem: Problem, theta: jax.Array, gap: jax.Array) -> jax.Array:
    """Share of semi-axes that are at the cap, or above 80 % of it, since the gap is estimated."""
    return at_cap(problem, theta, gap)


def at_cap(problem: Problem, spread: jax.Array, gap: jax.Array) -> jax.Array:
    """The same of lengths, one a coordinate, that a unit of gap gives."""
    return jnp.mean(spread >= _AT_CAP * longest_axis(problem, gap))


def longest_axis(problem: Problem, gap: jax.Array) -> jax.Array:
    """Largest theta whose semi-axis gap * theta still speaks about inputs in a unit interval."""
    return semi_axis_cap(problem.x.size, problem.law.order) / jnp.maximum(gap, 0.01)
