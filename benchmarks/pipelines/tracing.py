"""A search followed along its steps: the scale that it would return at each, and what it costs."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray
from pipelines.ours import Ours, counted

import aniso_jax as aj
from aniso_jax.data.ids import input_id
from aniso_jax.optimize.problem import Problem, pose
from aniso_jax.runs.inputs import keys_of

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Trace:
    """A search at some of its steps.

    Attributes:
      steps: how many were done.
      scales: theta of every input at each, as if the search had stopped there.
      label, start, step, finish: evaluations of an input, counted, a backward row as two.
    """

    steps: list[int]
    scales: list[Array]
    label: int
    start: int
    step: int
    finish: int


def follow(search: Any, ours: Ours, x: Array, sigma: Array, points: int) -> Trace:
    """The search on every input from its own isotropic sigma."""
    steps = sorted({round(search.steps * (i + 1) / points) for i in range(points)})
    batches = [slice(at, at + ours.batch) for at in range(0, len(x), ours.batch)]
    found = [_followed(search, ours, x[one], sigma[one], steps) for one in batches]
    scales = [np.concatenate(at_step) for at_step in zip(*found, strict=True)]
    return Trace(steps=steps, scales=scales, **_costs(search, ours, x[:1], sigma[:1]))


def _followed(search: Any, ours: Ours, x: Array, sigma: Array, steps: list[int]) -> list[Array]:
    """The thetas of one batch at each of these steps."""
    given = (ours.params, jnp.asarray(x), _keys(ours, x), jnp.asarray(sigma))
    labels = _label(ours.apply_fn, ours.plan.law, *given)
    part = partial(_part, search, ours.apply_fn, ours.plan.law)
    state, found = part("init", *given, labels), []
    for done in range(1, steps[-1] + 1):
        state = part("step", *given, labels, state)
        if done in steps:
            scale = part("finish", *given, labels, state).scale
            found.append(
                np.asarray(jax.vmap(lambda s, x: s.push(jnp.ones_like(x)))(scale, given[1]))
            )
    return found


def _costs(search: Any, ours: Ours, x: Array, sigma: Array) -> dict[str, int]:
    """Evaluations of each part of a search, counted on one input."""
    metered, meter = counted(ours)

    def rows(call: Callable[..., Any], *args: Any) -> tuple[Any, int]:
        meter.rows = 0
        result = jax.block_until_ready(call(*args))
        jax.effects_barrier()
        return result, meter.rows

    given = (ours.params, jnp.asarray(x), _keys(ours, x), jnp.asarray(sigma))
    part = partial(_part, search, metered.apply_fn, ours.plan.law)
    labels, label = rows(partial(_label, metered.apply_fn, ours.plan.law), *given)
    state, start = rows(part, "init", *given, labels)
    state, step = rows(part, "step", *given, labels, state)
    _, finish = rows(part, "finish", *given, labels, state)
    return {"label": label, "start": start, "step": step, "finish": finish}


def _keys(ours: Ours, x: Array) -> jax.Array:
    return keys_of(ours.seed, [input_id(one) for one in x])


@partial(jax.jit, static_argnums=(0, 1))
def _label(
    apply_fn: Any, law: aj.Law, params: Any, x: jax.Array, keys: jax.Array, sigma: jax.Array
) -> jax.Array:
    def one(x: jax.Array, key: jax.Array, sigma: jax.Array) -> jax.Array:
        init = aj.Isotropic(sigma=sigma)
        return pose(apply_fn, params, x, key, law=law, init=init).label

    return jax.vmap(one)(x, keys, sigma)


@partial(jax.jit, static_argnums=(0, 1, 2, 3))
def _part(
    search: Any,
    apply_fn: Any,
    law: aj.Law,
    name: str,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    sigma: jax.Array,
    labels: jax.Array,
    *states: Any,
) -> Any:
    """`search.init`, `step` or `finish` of a batch."""

    def one(x: jax.Array, key: jax.Array, sigma: jax.Array, label: jax.Array, *state: Any) -> Any:
        init = aj.Isotropic(sigma=sigma)
        problem: Problem = pose(apply_fn, params, x, key, law=law, init=init, label=label)
        return getattr(search, name)(problem, *state)

    return jax.vmap(one)(x, keys, sigma, labels, *states)
