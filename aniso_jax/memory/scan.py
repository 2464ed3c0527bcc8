"""One pass over stored regions: which of them hold a point, which may meet a new region.

The pass costs a few operations a coordinate. It decides membership, and with s = 1/2 in the dual
(l2: sum delta^2 / (2 (lambda^2 + mu^2)), l1: sum |delta| / (2 max(lambda, mu))) proves most regions
disjoint; what it cannot prove is left to the search of `crowd`.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.axes import semi_axes
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rounding import slack, total
from aniso_jax.geometry.separation import margin

if TYPE_CHECKING:
    from aniso_jax.memory.registry import Memory

_ENTRIES = 2**18
"""Numbers of an array in one block: what caches hold."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Seen:
    """What one pass saw.

    Attributes:
      is_inside: whether some stored region holds the point; what is within rounding of an outline
        counts as inside.
      index: the one with the largest sub-region of its shape around the point; 0 where none.
      log_volume: of that sub-region, up to a constant of the norm; -inf where none.
      undecided: bool (capacity,), regions of other classes not yet proved disjoint from the new.
    """

    is_inside: jax.Array
    index: jax.Array
    log_volume: jax.Array
    undecided: jax.Array


def look(memory: "Memory", new: Region, label: jax.Array) -> Seen:
    """One pass over the store, for the center of `new` and for `new` itself with its class.

    The store is read block by block where it lies, so that no copy of it is made.
    """
    rows = min(max(_ENTRIES // new.dimension, 1), memory.capacity)
    axes = semi_axes(new)

    def block(number: jax.Array, seen: tuple[jax.Array, ...]) -> tuple[jax.Array, ...]:
        start = jnp.minimum(number * rows, memory.capacity - rows)  # the last one may overlap

        def cut(values: jax.Array) -> jax.Array:
            return jax.lax.dynamic_slice_in_dim(values, start, rows)

        stored = cut(memory.centers), cut(memory.thetas), cut(memory.gaps)
        gauge, apart = jax.vmap(_glance, in_axes=(0, 0, 0, None, None))(*stored, new, axes)
        told = gauge, apart | (cut(memory.labels) == label)
        put = jax.lax.dynamic_update_slice_in_dim
        return tuple(put(whole, part, start, 0) for whole, part in zip(seen, told, strict=True))

    far = jnp.full(memory.capacity, jnp.inf, memory.gaps.dtype)
    none = far, jnp.ones(memory.capacity, bool)
    blocks = (memory.count + rows - 1) // rows
    gauges, apart = jax.lax.fori_loop(0, blocks, block, none)
    return _seen(memory, gauges, apart, new.dimension)


def _glance(
    center: jax.Array, theta: jax.Array, gap: jax.Array, new: Region, axes: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """(gauge of the new center in a stored region, whether s = 1/2 proves the two disjoint).

    All sums have terms of one sign and are made in pairs. A square that overflows or underflows
    makes the point lie outside, or the regions seem nearer than they are, which is safe.
    """
    size, old, d = jnp.abs(new.center - center), gap * theta, new.dimension
    enough = 1 + margin(center.dtype, d)
    if new.order == 1:
        gauge, dual = total(size / old), total(size / jnp.maximum(old, axes))
    else:
        gauge = jnp.sqrt(total(jnp.square(size / old)))
        dual = total(jnp.square(size) / (jnp.square(old) + jnp.square(axes)))
        enough = enough**2
    return gauge, dual > 2 * enough * (1 + slack(center.dtype, d))


def _seen(memory: "Memory", gauges: jax.Array, apart: jax.Array, dimension: int) -> Seen:
    live = jnp.arange(memory.capacity) < memory.count
    inside = live & (gauges <= 1 + slack(gauges.dtype, dimension))
    # largest first, and among regions that hold the point on their very outline any one
    left = jnp.maximum(memory.gaps * (1 - gauges), np.finfo(gauges.dtype).tiny)
    volumes = dimension * jnp.log(left) + memory.log_dets
    volumes = jnp.where(inside, volumes, -jnp.inf)
    index = jnp.argmax(volumes)
    return Seen(
        is_inside=jnp.any(inside),
        index=index,
        log_volume=volumes[index],
        undecided=live & ~apart,
    )
