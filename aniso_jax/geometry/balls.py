"""Unit balls of the l1 and l2 norm: the norm, log-volumes, and the ball that measures as the box.

Everything static (volumes, caps) is float64 on the host; only `norm` is traced.
"""

import math

import jax
import jax.numpy as jnp

from aniso_jax.geometry.rounding import total


def norm(u: jax.Array, order: int) -> jax.Array:
    """||u||_order over all axes, without the overflow of squares, its gradient finite at 0.

    NaN where u has a NaN: such a point is inside nothing.
    """
    size = jnp.abs(u)
    if order == 1:
        return total(size)
    peak = jnp.max(size)
    is_zero = peak == 0
    unit = jnp.where(is_zero, 1.0, peak)
    squares = total(jnp.square(size / unit))
    return jnp.where(is_zero, 0.0, unit * jnp.sqrt(jnp.where(is_zero, 1.0, squares)))


def log_unit_ball(dimension: int, order: int) -> float:
    """log vol{ ||u||_order <= 1 } in R^dimension.

    l2: (d/2) log pi - log Gamma(d/2 + 1).   l1: d log 2 - log d!.

    >>> round(math.exp(log_unit_ball(2, 2)), 6), round(math.exp(log_unit_ball(3, 1)), 6)
    (3.141593, 1.333333)
    """
    if order == 1:
        return dimension * math.log(2) - math.lgamma(dimension + 1)
    return dimension / 2 * math.log(math.pi) - math.lgamma(dimension / 2 + 1)


def box_radius(dimension: int, order: int) -> float:
    """Radius of the ball with the volume of the unit box [0, 1]^d.

    A proxy radius above it says no more than "the box".

    >>> round(box_radius(784, 2), 2), round(box_radius(784, 1))
    (6.81, 145)
    """
    return math.exp(-log_unit_ball(dimension, order) / dimension)


def semi_axis_cap(dimension: int, order: int) -> float:
    """Longest semi-axis that still speaks about inputs in a unit interval.

    A uniform point of the unit ball has in each coordinate the standard deviation
    1/sqrt(d + 2) for l2 and sqrt(2 / ((d + 1)(d + 2))) for l1. At the cap a uniform point of the
    region spreads in that coordinate like a uniform point of an interval of length two; a
    longer axis adds volume only where there are no inputs.

    >>> round(semi_axis_cap(784, 2), 1), round(semi_axis_cap(784, 1))
    (16.2, 321)
    """
    if order == 1:
        return math.sqrt((dimension + 1) * (dimension + 2) / 6)
    return math.sqrt((dimension + 2) / 3)
