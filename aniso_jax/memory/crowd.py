"""Regions that one glance could not tell from a new one: how much of it they leave, many at once.

Each of them leaves a share of the new gap that depends on the two regions alone, and what is left
is the least share of all. So neither the order in which they are looked at nor what is looked at
together changes it, and a fold over many blocks says what a fold over one says. A region is done
with once its share is seen to be no less than the least one so far: mostly in a step or two.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from aniso_jax.geometry.axes import is_measurable, semi_axes
from aniso_jax.geometry.disjoint import surely_disjoint
from aniso_jax.geometry.reach import free_reach
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.separation import Pair, margin

if TYPE_CHECKING:
    from aniso_jax.memory.registry import Memory

_ENTRIES, _MOST = 2**14, 16
"""Numbers of an array, and regions, that are looked at together."""

_CLOSE = 1e-3
"""A share below 1 by more than this is no matter of margins."""


def share_left(memory: "Memory", new: Region, undecided: jax.Array, share: jax.Array) -> jax.Array:
    """The part of the gap of `new` at which it is surely disjoint from every undecided region.

    Args:
      memory: one block of the store, or all of it.
      new: a measurable region.
      undecided: bool (capacity,).
      share: what other blocks leave, at most 1.

    Guarantee: at `share_left * gap`, and at every smaller gap, there is a proof as that of
    `surely_disjoint`; where the share is below 1, with nearly twice its margin.
    """
    size = min(max(_ENTRIES // new.dimension, 1), _MOST)  # as in every block: then bits agree
    where = jnp.nonzero(undecided, size=memory.capacity + size, fill_value=memory.capacity)[0]
    count = jnp.sum(undecided)

    def is_open(state: tuple[jax.Array, jax.Array]) -> jax.Array:
        return (state[0] < count) & (state[1] > 0)

    def step(state: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        start, share = state
        rows = jax.lax.dynamic_slice_in_dim(where, start, size)
        crowd = jax.vmap(memory.region)(jnp.minimum(rows, memory.capacity - 1))
        left = _shares(new, crowd, share, rows < memory.capacity)
        return start + size, jnp.minimum(share, left)

    return jax.lax.while_loop(is_open, step, (jnp.zeros_like(count), share))[1]


def _shares(new: Region, crowd: Region, share: jax.Array, is_there: jax.Array) -> jax.Array:
    """The least share that those regions of a batch leave that are not disjoint from `new`."""
    enough = jnp.where(is_there, share, 0)  # where none is, none is searched
    left = jax.vmap(_share, in_axes=(None, 0, 0))(new, crowd, enough)
    may_meet = is_there & ~(left >= share)

    def searched() -> jax.Array:
        return jax.vmap(surely_disjoint, in_axes=(None, 0))(new, crowd)

    # Of two that keep the distance, but not twice its margin, or have absurd axes, the search for
    # that distance knows more.
    is_close = may_meet & ((left > 1 - _CLOSE) | (left <= 0))
    apart = jax.lax.cond(jnp.any(is_close), searched, lambda: jnp.zeros_like(may_meet))
    return jnp.min(jnp.where(may_meet & ~(is_close & apart), left, 1))


def _share(new: Region, old: Region, enough: jax.Array) -> jax.Array:
    """What `old` leaves of `new`; 0 where nothing is proved."""
    axes, tolerance = semi_axes(old), 2 * margin(new.center.dtype, new.dimension)
    pair = Pair(
        offset=(old.center - new.center) / axes, ratio=semi_axes(new) / axes, order=new.order
    )
    can = is_measurable(old)
    found = free_reach(pair, tolerance=tolerance, enough=jnp.where(can, enough, 0))
    return jnp.where(can, found, 0.0)


def shrunk(new: Region, share: jax.Array) -> Region:
    """`new` with this share of its gap."""
    return replace(new, gap=new.gap * share)
