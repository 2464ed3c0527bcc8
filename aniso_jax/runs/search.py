"""A search driven from the host: the same pure step as in `lax.scan`, jitted once, for a batch.

On CPU a backward convolution inside a scan is several times slower than in a loop over one jitted
step; the numbers are the same.
"""

import dataclasses
from functools import partial
from typing import Any

import jax
from jax.sharding import Mesh

from aniso_jax.geometry.scales import Scale
from aniso_jax.optimize.problem import Optimized, Problem, Search, pose
from aniso_jax.runs.devices import EVERY, SAME, one_device, over_inputs, placed
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import ApplyFn


def search_batch(
    search: Search[Any],
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    *,
    law: Law,
    init: Scale,
    mesh: Mesh | None = None,
    most: int | None = None,
) -> Optimized:
    """The scales of a batch of inputs, each as if it were alone.

    Args:
      search: static settings with `init`, `step` and `finish`.
      x, keys, init: batched along their first axis.
      mesh: devices that take equal shares of the batch; None for the first one alone.
      most: steps at most; None for all.
    """
    over = mesh or one_device()
    params, batch = placed(params, over, SAME), placed((x, keys, init), over, EVERY)
    problems = _pose(apply_fn, law, over, params, *batch)
    states = _init(search, over, problems)
    for _ in range(search.steps)[:most]:
        states = _step(search, over, problems, states)
    optimized: Optimized = _finish(search, over, problems, states)
    return optimized


def _axes(problems: Problem) -> Any:
    """Every leaf is batched but the weights, which all inputs share."""
    batched = jax.tree.map(lambda _: 0, problems)
    return dataclasses.replace(batched, params=None)


@partial(jax.jit, static_argnums=(0, 1, 2))
def _pose(
    apply_fn: ApplyFn,
    law: Law,
    mesh: Mesh,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    init: Scale,
) -> Problem:
    def label(params: Any, x: jax.Array, key: jax.Array, init: Scale) -> jax.Array:
        return pose(apply_fn, params, x, key, law=law, init=init).label

    labels = over_inputs(label, mesh, (None, 0, 0, 0))(params, x, keys, init)
    return Problem(
        params=params, x=x, key=keys, start=init, label=labels, apply_fn=apply_fn, law=law
    )


@partial(jax.jit, static_argnums=(0, 1))
def _init(search: Search[Any], mesh: Mesh, problems: Problem) -> Any:
    return over_inputs(search.init, mesh, (_axes(problems),))(problems)


@partial(jax.jit, static_argnums=(0, 1))
def _step(search: Search[Any], mesh: Mesh, problems: Problem, states: Any) -> Any:
    return over_inputs(search.step, mesh, (_axes(problems), 0))(problems, states)


@partial(jax.jit, static_argnums=(0, 1))
def _finish(search: Search[Any], mesh: Mesh, problems: Problem, states: Any) -> Optimized:
    found: Optimized = over_inputs(search.finish, mesh, (_axes(problems), 0))(problems, states)
    return found
