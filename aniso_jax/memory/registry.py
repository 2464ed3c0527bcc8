"""The memory as a value: a fixed number of rows, and the pure fold step that fills them."""

import math
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.axes import thetas
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rounding import total
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.geometry.shown import table
from aniso_jax.memory.answers import MemoryAnswer
from aniso_jax.memory.crowd import share_left, shrunk
from aniso_jax.memory.rules import check_shape, check_storable, class_of, decide, is_candidate
from aniso_jax.memory.scan import look


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Memory:
    """Stored regions of one norm and input shape; make it with `memory_empty`.

    Attributes:
      centers, thetas: float32 (capacity, *shape).
      gaps, log_dets: float32 (capacity,); log det S, to compare volumes.
      labels: int32 (capacity,); ABSTAIN (-1) in free rows.
      count: int32, rows in use, the first ones.
      order: of the norm; static.
    """

    centers: jax.Array
    thetas: jax.Array
    gaps: jax.Array
    log_dets: jax.Array
    labels: jax.Array
    count: jax.Array
    order: int = field(metadata={"static": True})

    @property
    def capacity(self) -> int:
        """Rows, used or free."""
        return len(self.labels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one input."""
        return tuple(self.centers.shape[1:])

    def region(self, index: jax.Array | int) -> Region:
        """The region in a row; empty in a free one."""
        return Region(
            center=self.centers[index],
            scale=Diagonal(theta=self.thetas[index]),
            gap=self.gaps[index],
            order=self.order,
        )

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        labels, each = np.unique(np.asarray(self.labels)[: int(self.count)], return_counts=True)
        pairs = zip(labels.tolist(), each.tolist(), strict=True)
        rows = {
            "regions": f"{int(self.count):,}, room for {self.capacity:,}",
            "of the classes": ", ".join(f"{label}: {count:,}" for label, count in pairs) or "none",
            "inputs": f"{'x'.join(map(str, self.shape))}, l{self.order} norm",
        }
        return table(rows)


def memory_empty(capacity: int, shape: tuple[int, ...], *, order: int) -> Memory:
    """A memory with room for `capacity` regions around inputs of a shape, in the l_order norm.

    Raises:
      ValueError: no room, no shape, or another order than 1 or 2.

    >>> memory_empty(3, (28, 28, 1), order=2).centers.shape
    (3, 28, 28, 1)
    """
    check_shape(shape)
    if not isinstance(capacity, int | np.integer) or capacity < 1 or order not in (1, 2):
        raise ValueError(
            f"capacity is {capacity} and order {order}; wanted room for at least one region, and "
            "order 1 (cross-polytopes) or 2 (ellipsoids)."
        )
    if int(capacity) * math.prod(shape) > 2**40:
        raise ValueError(f"A memory of {capacity} regions of shape {shape} fits nowhere.")
    return Memory(
        centers=jnp.zeros((capacity, *shape), jnp.float32),
        thetas=jnp.ones((capacity, *shape), jnp.float32),
        gaps=jnp.zeros(capacity, jnp.float32),
        log_dets=jnp.zeros(capacity, jnp.float32),
        labels=jnp.full(capacity, ABSTAIN, jnp.int32),
        count=jnp.int32(0),
        order=order,
    )


def memory_insert(
    memory: Memory, new: Region, label: jax.typing.ArrayLike
) -> tuple[Memory, MemoryAnswer]:
    """Answer one input by its own certificate and by what is stored; store what is newly claimed.

    * In no stored region: the own region, shrunk away from stored regions of other classes.
    * In a stored region of another class, or without a certificate: that region's class, on its
      largest sub-region of the same shape around the input.
    * In a stored region of the own class: the larger of the two.

    Args:
      memory: stored so far. For many insertions jit this with `donate_argnums=0`, so that the
        store is changed in place.
      new: the certified region, float32; its gap is 0 on abstention.
      label: its class, or ABSTAIN (-1).

    Returns:
      (memory, answer). Where there is no free row a new region is not stored and not claimed:
      the answer is ABSTAIN.

    Guarantee:
      Stored regions of different classes are surely disjoint, and stay so when enlarged by all the
      rounding of a membership test; so no two answers of one memory contradict each other. A NaN,
      an infinity or a number beyond 1e-12 .. 1e12 is never stored. Says nothing about whether
      `new` is a true certificate.

    Raises:
      ValueError: a region of another norm, shape or dtype than the memory's, or with axes of its
        own; a label that is no whole number.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> def ball(x):
    ...     return aj.Region(center=jnp.array([x, 0.0]), scale=aj.Isotropic(sigma=1.0),
    ...                      gap=jnp.array(1.0), order=2)
    >>> memory, _ = memory_insert(memory_empty(9, (2,), order=2), ball(0.0), 0)
    >>> for x in (1.5, 0.9):
    ...     memory, answer = memory_insert(memory, ball(x), 1)
    ...     verdict = aj.MemoryVerdict(int(answer.verdict)).name
    ...     verdict, int(answer.label), round(float(answer.region.gap), 3)
    ('SHRINK', 1, 0.5)
    ('ADOPT', 0, 0.1)
    """
    _check(memory, new)
    label = class_of(label)
    seen = look(memory, new, label)
    old, old_label = memory.region(seen.index), memory.labels[seen.index]
    wants_own = is_candidate(new, label) & (~seen.is_inside | (old_label == label))
    share = share_left(memory, new, seen.undecided & wants_own, jnp.ones_like(new.gap))
    answer, stores = decide(
        new,
        label,
        shrunk(new, share),
        old=old,
        old_label=old_label,
        is_inside=seen.is_inside,
        old_index=seen.index,
        new_index=memory.count,
        has_room=memory.count < memory.capacity,
    )
    return put(memory, answer.region, label, stores), answer


def memory_query(memory: Memory, x: jax.Array) -> MemoryAnswer:
    """What the memory alone answers at x: ADOPT in a stored region, elsewhere ABSTAIN.

    Raises:
      ValueError: x has another shape or dtype than the memory's inputs.
    """
    nothing = Region(
        center=x, scale=Diagonal(theta=jnp.ones_like(x)), gap=jnp.float32(0), order=memory.order
    )
    return memory_insert(memory, nothing, ABSTAIN)[1]


def put(memory: Memory, region: Region, label: jax.Array, stores: jax.Array) -> Memory:
    """The memory with one more row where `stores` is true; nothing is copied where donated."""
    row = jnp.where(stores, memory.count, memory.capacity)  # beyond the end: dropped
    theta = thetas(region.scale, region.center)

    def written(rows: jax.Array, value: jax.Array) -> jax.Array:
        return rows.at[row].set(value, mode="drop")

    return replace(
        memory,
        centers=written(memory.centers, region.center),
        thetas=written(memory.thetas, theta),
        gaps=written(memory.gaps, region.gap),
        log_dets=written(memory.log_dets, total(jnp.log(theta))),
        labels=written(memory.labels, label),
        count=memory.count + jnp.where(stores, 1, 0).astype(jnp.int32),
    )


def _check(memory: Memory, new: Region) -> None:
    new.check_single()
    check_storable(new.scale)
    shape, dtype = jnp.shape(new.center), jnp.result_type(new.center, new.gap)
    if new.order != memory.order or shape != memory.shape or dtype != np.float32:
        raise ValueError(
            f"The region has norm order {new.order}, shape {shape} and dtype {dtype}; this memory "
            f"is for order {memory.order}, shape {memory.shape} and float32: use another memory."
        )
    scale_dtype = jnp.result_type(thetas(new.scale, new.center))
    if scale_dtype != np.float32:
        raise ValueError(
            f"The region's scale is {scale_dtype}, wanted float32: what is stored is what is "
            "claimed, without rounding."
        )
