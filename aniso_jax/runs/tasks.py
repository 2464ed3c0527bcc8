"""Inputs on their way through selection and estimation: the compiled steps, over all devices."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from aniso_jax.certification.certify import Certification, conclude
from aniso_jax.certification.plan import Plan
from aniso_jax.certification.sequence import Sequence, advance, begin
from aniso_jax.geometry.scales import Scale
from aniso_jax.runs.batches import row_of
from aniso_jax.runs.devices import BY_INPUT, DRAWS, INPUTS, SAME, on_each, over_inputs
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.votes import ApplyFn, count_votes

_Drawing = tuple[Sequence, jax.Array, jax.Array]  # states, how many are done, windows drawn


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


@partial(jax.jit, static_argnums=(0, 1, 2))
def select(
    apply_fn: ApplyFn,
    chunk: int,
    mesh: Mesh,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    scales: Scale,
    plan: Plan,
) -> Task:
    """Inputs with their classes selected and nothing estimated; every device takes its own."""

    def one(params: Any, plan: Plan, x: jax.Array, key: jax.Array, scale: Scale) -> Task:
        votes = count_votes(
            *(apply_fn, params, x, key),
            law=plan.law,
            scale=scale,
            n=plan.n0,
            chunk=chunk,
            phase=Phase.SELECT,
            grid=plan.grid,
        )
        state = begin(apply_fn, params, x, scale=scale, plan=plan, selection_votes=votes)
        return Task(x=x, key=key, scale=scale, selection_votes=votes, state=state)

    # with one key for all the noise is made once under vmap
    key, axis = (keys[0], None) if plan.shared_draws else (keys, 0)
    selected: Task = over_inputs(one, mesh, (None, None, 0, axis, 0))(params, plan, x, key, scales)
    return selected


@partial(jax.jit, static_argnums=(0, 1, 2))
def draw(
    apply_fn: ApplyFn,
    chunk: int,
    mesh: Mesh,
    params: Any,
    tasks: Task,
    plan: Plan,
    most: jax.Array | int,
) -> Sequence:
    """The states after window upon window, until one more is done, or `most` windows are drawn.

    The slots lie along the mesh's inputs; all devices go on together.
    """

    def local(params: Any, tasks: Task, plan: Plan, most: jax.Array) -> Sequence:
        before, slots = _done(tasks.state), tasks.state.done.size * jax.lax.axis_size(INPUTS)

        def step(so_far: _Drawing) -> _Drawing:
            after = _one_window(apply_fn, chunk, params, replace(tasks, state=so_far[0]), plan)
            return after, _done(after), so_far[2] + 1

        def all_go_on(so_far: _Drawing) -> jax.Array:
            _, done, windows = so_far
            return (done == before) & (done < slots) & (windows < most)

        return jax.lax.while_loop(all_go_on, step, (tasks.state, before, jnp.int32(0)))[0]

    spread = on_each(local, mesh, (SAME, BY_INPUT, SAME, SAME), BY_INPUT)
    after: Sequence = spread(params, tasks, plan, jnp.asarray(most, jnp.int32))
    return after


def _one_window(apply_fn: ApplyFn, chunk: int, params: Any, tasks: Task, plan: Plan) -> Sequence:
    def one(task: Task) -> Sequence:
        network = apply_fn, params, task.x, task.key, task.state
        return advance(*network, scale=task.scale, plan=plan, chunk=chunk, across=DRAWS)

    shared, axes = _shared(tasks) if plan.shared_draws else (tasks, 0)
    after: Sequence = jax.vmap(one, in_axes=(axes,))(shared)
    return after


def _done(states: Sequence) -> jax.Array:
    """How many are done, on all devices."""
    done: jax.Array = jax.lax.psum(jnp.sum(states.done), INPUTS)
    return done


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


def side_by_side(tasks: list[Task], slots: int) -> Task:
    """A task in every slot; what the last of too few does twice is not asked for."""
    filled = tasks + tasks[-1:] * (slots - len(tasks))
    stacked: Task = jax.tree.map(lambda *leaves: jnp.stack(leaves), *filled)
    return stacked


_take = jax.jit(row_of)


@partial(jax.jit, static_argnums=0)
def put(mesh: Mesh, tasks: Task, slot: int, task: Task) -> Task:
    """The same tasks but for one slot, each where it was: on the device that holds it."""

    def local(tasks: Task, slot: jax.Array, task: Task) -> Task:
        own = slot - jax.lax.axis_index(INPUTS) * len(tasks.x)

        def chosen(leaf: jax.Array, one: jax.Array) -> jax.Array:
            is_slot = (jnp.arange(len(leaf)) == own).reshape(-1, *[1] * one.ndim)
            return jnp.where(is_slot, one, leaf)

        filled: Task = jax.tree.map(chosen, tasks, task)
        return filled

    filled: Task = on_each(local, mesh, (BY_INPUT, SAME, SAME), BY_INPUT)(tasks, slot, task)
    return filled
