"""One question put to many blocks of regions, as `memory_insert` puts it to one.

Regions never change, and what one leaves of a new one does not depend on the others. So most of
them are looked at before the file is locked, and in it only those that were stored meanwhile.
"""

import operator
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import SupportsIndex

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.axes import thetas
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.answers import MemoryAnswer
from aniso_jax.memory.crowd import share_left, shrunk
from aniso_jax.memory.registry import Memory
from aniso_jax.memory.rows import Row
from aniso_jax.memory.rules import CLASSES, check_storable, decide, is_candidate
from aniso_jax.memory.scan import Seen, look
from aniso_jax.memory.sqlite import MemoryRefused


@dataclass(frozen=True, kw_only=True)
class Question:
    """An input's own certificate, in float32, with a scale for every coordinate."""

    new: Region
    label: jax.Array

    @classmethod
    def of(cls, new: Region, label: int, order: int, shape: tuple[int, ...]) -> "Question":
        """A certificate as a question; refuses what would have to be rounded."""
        new.check_single()
        check_storable(new.scale)
        theta = thetas(new.scale, new.center)
        found = {np.dtype(jnp.result_type(value)).name for value in (new.center, new.gap, theta)}
        if new.order != order or jnp.shape(new.center) != shape or found != {"float32"}:
            raise MemoryRefused(
                f"The region has norm order {new.order}, shape {jnp.shape(new.center)} and numbers "
                f"in {', '.join(sorted(found))}; this memory wants order {order}, shape {shape} "
                "and float32."
            )
        region = replace(new, scale=Diagonal(theta=theta))
        return cls(new=region, label=jnp.int32(_class(label)))

    @classmethod
    def at(cls, x: jax.Array, order: int, shape: tuple[int, ...]) -> "Question":
        """A point without a certificate."""
        x = jnp.asarray(x)
        if x.shape != shape or x.dtype != np.float32:
            raise MemoryRefused(
                f"x has shape {x.shape} and numbers in {x.dtype}; this memory wants inputs of "
                f"shape {shape} in float32, as they were certified."
            )
        nothing = Region(
            center=x, scale=Diagonal(theta=jnp.ones_like(x)), gap=jnp.float32(0), order=order
        )
        return cls.of(nothing, ABSTAIN, order, shape)


def looked(
    question: Question, blocks: Iterable[tuple[int, Memory]], seen: "Looked | None" = None
) -> "Looked":
    """What stored regions say about a question, beside what those before them said.

    Args:
      blocks: regions, as (regions before the block, block); read once.
    """
    new, label = question.new, question.label
    wants_own, seen = bool(is_candidate(new, label)), seen or Looked(share=jnp.ones_like(new.gap))
    holder, share, count = seen.holder, seen.share, seen.count
    for before, block in blocks:
        glance = _look(block, new, label)
        holder = holder.or_in(block, glance, before)
        if wants_own and bool(jnp.any(glance.undecided)):
            share = _share_left(block, new, glance.undecided, share)
        count = before + int(block.count)
    return Looked(holder=holder, share=share, count=count)


def answer_from(question: Question, seen: "Looked") -> tuple[MemoryAnswer, Row | None]:
    """The answer, and the region to be stored for it; by the rules of `memory_insert`.

    Args:
      seen: what every stored region says. A new one gets the next number.
    """
    new, label, holder = question.new, question.label, seen.holder
    old = holder.region or replace(new, gap=jnp.zeros_like(new.gap))
    inside = jnp.bool_(holder.region is not None)
    found, stores = _decide(new, label, seen.share, old, jnp.int32(holder.label), inside)
    if not bool(stores):
        return replace(found, index=jnp.int32(holder.id)), None
    row = Row(
        id=seen.count + 1,
        label=int(label),
        gap=np.asarray(found.region.gap),
        center=np.asarray(new.center),
        theta=np.asarray(thetas(found.region.scale, new.center)),
    )
    return replace(found, index=jnp.int32(row.id)), row


def _class(label: SupportsIndex) -> int:
    """A whole number that the file and the arrays hold as it is; nothing is rounded to one."""
    try:
        number = operator.index(label)
    except TypeError:
        number = CLASSES
    if not ABSTAIN <= number < CLASSES:
        raise MemoryRefused(
            f"The label is {label}; wanted a class, a whole number from 0 to {CLASSES - 1}, or "
            f"{ABSTAIN} where there is no certificate."
        )
    return number


@dataclass(frozen=True, kw_only=True)
class _Holder:
    """The stored region that holds the input; of several the one with most volume around it."""

    region: Region | None = None
    label: int = ABSTAIN
    id: int = ABSTAIN
    log_volume: float = -np.inf

    def or_in(self, block: Memory, seen: Seen, before: int) -> "_Holder":
        """This one, or the block's where that is larger."""
        volume = float(seen.log_volume)
        if not bool(seen.is_inside) or (self.region is not None and volume <= self.log_volume):
            return self
        return _Holder(
            region=block.region(seen.index),
            label=int(block.labels[seen.index]),
            id=before + int(seen.index) + 1,
            log_volume=volume,
        )


@dataclass(frozen=True, kw_only=True)
class Looked:
    """What the first so many regions say about a question.

    Attributes:
      share: of the new gap, that is left.
      holder: the region that holds the input.
      count: regions looked at.
    """

    share: jax.Array
    holder: _Holder = _Holder()
    count: int = 0


_look, _share_left = jax.jit(look), jax.jit(share_left)


@jax.jit
def _decide(
    new: Region,
    label: jax.Array,
    share: jax.Array,
    old: Region,
    old_label: jax.Array,
    is_inside: jax.Array,
) -> tuple[MemoryAnswer, jax.Array]:
    nowhere = jnp.int32(ABSTAIN)
    return decide(
        new,
        label,
        shrunk(new, share),
        old=old,
        old_label=old_label,
        is_inside=is_inside,
        old_index=nowhere,
        new_index=nowhere,
        has_room=jnp.bool_(True),
    )
