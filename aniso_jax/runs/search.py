"""A search driven from the host: the same pure step as in `lax.scan`, jitted once, for a batch.

On CPU a backward convolution inside a scan is several times slower than in a loop over one jitted
step; the numbers are the same.
"""

import dataclasses
from functools import partial
from typing import Any

import jax

from aniso_jax.geometry.scales import Scale
from aniso_jax.optimize.problem import Optimized, Problem, Search, pose
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
) -> Optimized:
    """The scales of a batch of inputs, each as if it were alone.

    Args:
      search: static settings with `init`, `step` and `finish`.
      x, keys, init: batched along their first axis.
    """
    problems = _pose(apply_fn, law, params, x, keys, init)
    states = _init(search, problems)
    for _ in range(search.steps):
        states = _step(search, problems, states)
    optimized: Optimized = _finish(search, problems, states)
    return optimized


def _axes(problems: Problem) -> Any:
    """Every leaf is batched but the weights, which all inputs share."""
    batched = jax.tree.map(lambda _: 0, problems)
    return dataclasses.replace(batched, params=None)


@partial(jax.jit, static_argnums=(0, 1))
def _pose(
    apply_fn: ApplyFn, law: Law, params: Any, x: jax.Array, keys: jax.Array, init: Scale
) -> Problem:
    labels = jax.vmap(
        lambda x, key, init: pose(apply_fn, params, x, key, law=law, init=init).label
    )(x, keys, init)
    return Problem(
        params=params, x=x, key=keys, start=init, label=labels, apply_fn=apply_fn, law=law
    )


@partial(jax.jit, static_argnums=0)
def _init(search: Search[Any], problems: Problem) -> Any:
    return jax.vmap(search.init, in_axes=(_axes(problems),))(problems)


@partial(jax.jit, static_argnums=0)
def _step(search: Search[Any], problems: Problem, states: Any) -> Any:
    return jax.vmap(search.step, in_axes=(_axes(problems), 0))(problems, states)


@partial(jax.jit, static_argnums=0)
def _finish(search: Search[Any], problems: Problem, states: Any) -> Optimized:
    return jax.vmap(search.finish, in_axes=(_axes(problems), 0))(problems, states)
