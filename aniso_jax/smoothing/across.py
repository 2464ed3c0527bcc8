"""A window of draws spread over the devices along a mesh axis, each with blocks of its own."""

from typing import Protocol

import jax
import jax.numpy as jnp

from aniso_jax.smoothing.noise import BLOCK


class Count(Protocol):
    """Counts one window."""

    def __call__(self, *, start: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(votes, the first draw that is not counted yet) from a first draw on."""
        ...


def count_across(
    axis: str | None, count: Count, *, start: jax.Array, window: int
) -> tuple[jax.Array, jax.Array]:
    """Votes of as many windows as there are devices along `axis`, one after the other.

    Blocks keep their numbers and counts are integers, so that the sum is what one device would
    have counted.

    Args:
      axis: of the mesh, inside `jax.shard_map`; None where one device counts alone.
      count: one window, from the draw that it is given.
      start: the first draw that is not counted yet.
      window: draws of one window, whole blocks.

    Returns:
      (votes, drawn), the same on every device of the axis.
    """
    if axis is None:
        return count(start=start)
    first = (start // BLOCK) * BLOCK + jax.lax.axis_index(axis) * window
    votes, drawn = count(start=jnp.maximum(start, first))
    return jax.lax.psum(votes, axis), jax.lax.pmax(drawn, axis)
