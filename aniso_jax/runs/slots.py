"""Slots: a fixed number of inputs draw side by side, and a finished one makes room for the next.

Every slot draws its own window of its own input, keyed by that input, so nobody's votes depend on
the neighbours; shapes never change, so there is one trace. With one look and no stopping rule all
slots finish together, and the slots are batches.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.certify import Certification, conclude
from aniso_jax.certification.plan import Plan
from aniso_jax.certification.sequence import Sequence, advance, begin
from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.votes import ApplyFn, count_votes

_FREE = -1  # of a slot that holds nobody


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Task:
    """An input on its way: what is needed to draw on.

    Attributes:
      x, key, scale: of the input.
      selection_votes: int32 (classes,).
      state: how far its estimation has come.
    """

    x: jax.Array
    key: jax.Array
    scale: Scale
    selection_votes: jax.Array
    state: Sequence


@dataclass(frozen=True, kw_only=True)
class Network:
    """What draws: the base classifier, and how many draws of an input it takes at once."""

    apply_fn: ApplyFn
    params: Any
    chunk: int

    def select(self, x: jax.Array, keys: jax.Array, scales: Scale, plan: Plan) -> Task:
        """A batch of inputs with their classes selected and nothing estimated yet."""
        network = self.apply_fn, self.chunk, self.params
        selected: Task = _select(*network, x, keys, scales, plan)
        return selected

    def estimate(self, tasks: Iterable[Task], slots: int, plan: Plan) -> Iterator[tuple[int, Task]]:
        """Every task with all its draws, as (number, task), whichever finishes first.

        Args:
          tasks: one at a time; the next is asked for when a slot is free.
          slots: how many draw side by side.
        """
        waiting = enumerate(tasks)
        first = list(islice(waiting, slots))
        numbers = [number for number, _ in first] + [_FREE] * (slots - len(first))
        drawing = _side_by_side([task for _, task in first], slots) if first else None
        while any(number != _FREE for number in numbers):
            drawing = _draw(self.apply_fn, self.chunk, self.params, drawing, plan)
            for slot in np.flatnonzero(np.asarray(drawing.state.done)):
                if numbers[slot] != _FREE:
                    yield numbers[slot], _take(drawing, slot)
                numbers[slot], task = next(waiting, (_FREE, None))
                drawing = drawing if task is None else _put(drawing, slot, task)


@partial(jax.jit, static_argnums=(0, 1))
def _select(
    apply_fn: ApplyFn,
    chunk: int,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    scales: Scale,
    plan: Plan,
) -> Task:
    def one(x: jax.Array, key: jax.Array, scale: Scale) -> Task:
        votes = count_votes(
            apply_fn,
            params,
            x,
            key,
            law=plan.law,
            scale=scale,
            n=plan.n0,
            chunk=chunk,
            phase=Phase.SELECT,
            grid=plan.grid,
        )
        state = begin(apply_fn, params, x, scale=scale, plan=plan, selection_votes=votes)
        return Task(x=x, key=key, scale=scale, selection_votes=votes, state=state)

    if plan.shared_draws:  # one key for all: under vmap the noise is then made once
        return jax.vmap(one, in_axes=(0, None, 0))(x, keys[0], scales)
    return jax.vmap(one)(x, keys, scales)


@partial(jax.jit, static_argnums=(0, 1))
def _draw(apply_fn: ApplyFn, chunk: int, params: Any, tasks: Task, plan: Plan) -> Task:
    """Window after window for every slot, until one more is done."""

    def step(tasks: Task) -> Task:
        def one(task: Task) -> Sequence:
            network = apply_fn, params, task.x, task.key, task.state
            return advance(*network, scale=task.scale, plan=plan, chunk=chunk)

        shared, axes = _shared(tasks) if plan.shared_draws else (tasks, 0)
        return replace(tasks, state=jax.vmap(one, in_axes=(axes,))(shared))

    done = jnp.sum(tasks.state.done)

    def all_go_on(tasks: Task) -> jax.Array:
        return (jnp.sum(tasks.state.done) == done) & ~jnp.all(tasks.state.done)

    drawn: Task = jax.lax.while_loop(all_go_on, step, tasks)
    return drawn


def _shared(tasks: Task) -> tuple[Task, Any]:
    """Tasks whose keys and counts of draws are one for all, and the axes over which they differ.

    With one look at a fixed n all that are not done have drawn equally many.
    """
    drawn = jnp.min(jnp.where(tasks.state.done, np.iinfo(np.int32).max, tasks.state.drawn))
    axes = jax.tree.map(lambda _: 0, tasks)
    return (
        replace(tasks, key=tasks.key[0], state=replace(tasks.state, drawn=drawn)),
        replace(axes, key=None, state=replace(axes.state, drawn=None)),
    )


@jax.jit
def finish(task: Task, plan: Plan) -> Certification:
    """What the votes of one finished task prove."""
    return conclude(
        task.x,
        scale=task.scale,
        plan=plan,
        selection_votes=task.selection_votes,
        history=task.state.history,
        reached=task.state.reached,
    )


def rows(tasks: Task) -> Iterator[Task]:
    """A batch of tasks one at a time."""
    return (_take(tasks, row) for row in range(len(tasks.x)))


def _side_by_side(tasks: list[Task], slots: int) -> Task:
    """A task in every slot; what the last of too few does twice is not asked for."""
    filled = tasks + tasks[-1:] * (slots - len(tasks))
    stacked: Task = jax.tree.map(lambda *leaves: jnp.stack(leaves), *filled)
    return stacked


@jax.jit
def _take(tasks: Task, slot: int) -> Task:
    one: Task = jax.tree.map(lambda leaf: leaf[slot], tasks)
    return one


@jax.jit
def _put(tasks: Task, slot: int, task: Task) -> Task:
    filled: Task = jax.tree.map(lambda leaf, one: leaf.at[slot].set(one), tasks, task)
    return filled
