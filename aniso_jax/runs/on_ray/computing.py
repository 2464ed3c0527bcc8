"""A run computed by actors: what they are given, and what becomes of their answers."""

import contextlib
import pickle
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np

from aniso_jax.runs.config import Certify
from aniso_jax.runs.engine import Engine
from aniso_jax.runs.layout import PART
from aniso_jax.runs.on_ray.actor import Actor, Answer, Asked
from aniso_jax.runs.on_ray.alike import facts_of
from aniso_jax.runs.on_ray.cluster import connected, places_of
from aniso_jax.runs.on_ray.queue import TRIES, answered
from aniso_jax.runs.on_ray.settings import settings_here
from aniso_jax.runs.pace import Estimate
from aniso_jax.runs.runner import Compute, PartResult
from aniso_jax.runs.setup import Read, experiment_of
from aniso_jax.runs.watch import Watch


@contextlib.contextmanager
def computing_on_ray(
    config: Certify, read: Read, engine: Engine, *, watch: Watch
) -> Iterator[Compute]:
    """What `engine` computes, by actors that begin with what was read, placed once.

    Guarantee: the same records, bit by bit, however many actors there are and however often one
    dies: each is checked against this process before it computes.

    Raises:
      ValueError: no cluster answers or it is too small, the network cannot be sent, or an actor
        would compute something else.
      RuntimeError: an actor dies again and again.
    """
    _check_sent(read)
    asked = Asked(
        config=config,
        settings=settings_here(),
        experiment=experiment_of(config, engine, memory=None),
        facts=facts_of(engine),
        actors=1,
    )
    with connected(config.cluster or "") as ray:
        actors = _actors(ray, asked, platform=_platform(engine))
        stored = [ray.put(read)]  # kept here until the end, for actors that are started again
        # twice as many inputs as draw side by side, so that few slots idle at the end of a call
        at_once = -(-2 * engine.layout.slots // PART)
        yield partial(
            _computed, partial(answered, ray, actors, stored), at_once, len(actors), watch
        )


def _actors(ray: ModuleType, asked: Asked, *, platform: str) -> list[Any]:
    places = places_of(ray, asked.config.actors, platform=platform)
    made = ray.remote(Actor).options(
        **places.share,
        max_restarts=TRIES,
        max_task_retries=TRIES,
        runtime_env={"env_vars": asked.settings.environment},
    )
    asked = replace(asked, actors=places.count)
    return [made.remote(number, asked) for number in range(1, places.count + 1)]


def _computed(
    answers: Callable[[list[Any]], Iterator[tuple[int, Answer]]],
    at_once: int,
    actors: int,
    watch: Watch,
    parts: Sequence[np.ndarray],
) -> Iterator[tuple[int, PartResult]]:
    """Every part, as soon as it is there; so many in a call, or each actor's share of a few."""
    step = max(min(at_once, -(-len(parts) // actors)), 1)
    starts = range(0, len(parts), step)
    tell = _Teller(watch, inputs=sum(map(len, parts)), actors=actors)
    for number, answer in answers([parts[at : at + step] for at in starts]):
        tell.all_of(answer)
        for position, result in answer.results:
            yield starts[number] + position, result


class _Teller:
    """Tells whoever watches what actors said, as if it had been one process."""

    def __init__(self, watch: Watch, *, inputs: int, actors: int) -> None:
        self._watch, self._inputs, self._actors = watch, inputs, min(actors, inputs)
        self._is_estimated = False

    def all_of(self, answer: Answer) -> None:
        """Of the estimates the first: it is about a call, and says how long all will take."""
        for name, what in answer.said:
            if name != "estimate":
                getattr(self._watch, name)(what)
            elif not self._is_estimated:
                self._is_estimated = True
                self._watch.estimate(self._of_all(what))

    def _of_all(self, estimate: Estimate) -> Estimate:
        calls = self._inputs / estimate.inputs
        return replace(
            estimate,
            inputs=self._inputs,
            seconds=estimate.seconds * calls / self._actors,
            draws_per_second=estimate.draws_per_second * self._actors,
        )


def _check_sent(read: Read) -> None:
    """Refuse a network that no other process can have."""
    try:
        from ray import cloudpickle

        cloudpickle.dumps(read.model.apply_fn)
    except (TypeError, AttributeError, pickle.PicklingError) as error:
        raise ValueError(
            f"The network {read.model.arch} cannot be sent to actors ({error}): leave --engine "
            "ray out."
        ) from error


def _platform(engine: Engine) -> str:
    platform: str = engine.layout.mesh.devices.flat[0].platform
    return platform
