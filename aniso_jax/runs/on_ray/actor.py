"""What runs in the processes of a Ray cluster: the engine of a run, asked for some of its parts."""

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from aniso_jax.records.experiment import Experiment, differences
from aniso_jax.runs.config import Certify
from aniso_jax.runs.engine import Engine, Finished
from aniso_jax.runs.on_ray.alike import Facts, check_alike, facts_of
from aniso_jax.runs.on_ray.cluster import ray_module
from aniso_jax.runs.on_ray.settings import Settings
from aniso_jax.runs.pace import Estimate
from aniso_jax.runs.preparing import on_every_device
from aniso_jax.runs.runner import PartResult
from aniso_jax.runs.setup import Read, engine_of, experiment_of
from aniso_jax.runs.watch import Watch


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What all actors of a run are asked for.

    Attributes:
      config: of the run.
      settings: of the process that asks.
      experiment: what the run is, without a memory: that is not theirs.
      facts: that theirs are compared with.
      actors: how many there are.
    """

    config: Certify
    settings: Settings
    experiment: Experiment
    facts: Facts
    actors: int


class Answer(NamedTuple):
    """Of a call: its parts, and what whoever watches is to be told, as (method, argument)."""

    results: list[tuple[int, PartResult]]
    said: list[tuple[str, Any]]


@dataclass(frozen=True, kw_only=True)
class _Heard(Watch):
    """Keeps what a run says."""

    said: list[tuple[str, Any]] = field(default_factory=list)

    def estimate(self, estimate: Estimate) -> None:
        self.said.append(("estimate", estimate))

    def less(self, draws: int) -> None:
        self.said.append(("less", draws))

    def input(self, done: Finished) -> None:
        self.said.append(("input", done))


class Actor:
    """Computes parts as the process that asks would; keeps none."""

    def __init__(self, number: int, asked: Asked) -> None:
        """Nothing is computed yet: an actor that died and is started again begins here."""
        asked.settings.apply()
        self._number, self._asked = number, asked
        self._heard = _Heard()
        self._engine: Engine | None = None

    def ready(self, stored: list[Any]) -> None:
        """Lay everything out.

        Args:
          stored: a list of one: where what was read lies in the object store.

        Raises:
          ValueError: the records would not be those of the process that asks.
        """
        if self._engine is None:
            read = ray_module().get(stored[0])
            self._engine = _checked(self._asked, read, self._heard)

    def compute(self, stored: list[Any], parts: Sequence[np.ndarray]) -> Answer:
        """The records of some parts.

        Raises:
          ValueError: as `ready`.
        """
        self.ready(stored)
        assert self._engine is not None
        results = [(at, self._signed(result)) for at, result in self._engine.compute(parts)]
        said = list(self._heard.said)
        self._heard.said.clear()
        return Answer(results, said)

    def _signed(self, result: PartResult) -> PartResult:
        """With who computed it, for the side file."""
        own = {"actor": self._number, "actors": self._asked.actors, "host": socket.gethostname()}
        return result._replace(timings={**result.timings, **own, "process": os.getpid()})


def _checked(asked: Asked, read: Read, watch: Watch) -> Engine:
    host = socket.gethostname()
    engine = engine_of(asked.config, read, watch=watch)
    check_alike(asked.facts, facts_of(engine), host=host)
    own = experiment_of(asked.config, engine, memory=None)
    if own != asked.experiment:
        raise ValueError(
            f"An actor on {host} would compute another run "
            f"({'; '.join(differences(asked.experiment, own))}): let all machines of the cluster "
            "have the same versions and devices."
        )
    return replace(engine, model=on_every_device(engine.model, engine.layout.mesh))
