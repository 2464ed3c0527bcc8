"""One host: inputs through search, selection and estimation, with everything compiled once."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.certify import Certification
from aniso_jax.certification.plan import Plan
from aniso_jax.geometry.domain import log_volume_in_box
from aniso_jax.geometry.regions import Region
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.table import part_table
from aniso_jax.runs.batches import Indices, batches_of
from aniso_jax.runs.clock import Clock
from aniso_jax.runs.devices import said
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.layout import Layout
from aniso_jax.runs.pace import Estimate, Pace
from aniso_jax.runs.preparing import Preparation, Prepared, on_every_device
from aniso_jax.runs.rows import rows_of
from aniso_jax.runs.runner import PartResult
from aniso_jax.runs.slots import Network
from aniso_jax.runs.sources import Source
from aniso_jax.runs.tasks import Task, finish

Tree = TypeVar("Tree")
Done = tuple[Prepared, Certification]


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What `on_input` is told: the draws that an input took, and what became of it."""

    draws: int
    abstained: bool
    correct: bool


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Computes the records of parts. Static but for its inputs.

    Attributes:
      inputs, model, source, plan, seed: what is computed.
      layout: how much at once, and on which devices.
      on_input: told after each input.
      on_drawn: told the draws of each call.
      on_estimate: told once how long all will take.
    """

    inputs: Inputs
    model: Model
    source: Source
    plan: Plan
    seed: int
    layout: Layout
    on_input: Callable[[Finished], None] = field(default=lambda done: None)
    on_drawn: Callable[[int], None] = field(default=lambda draws: None)
    on_estimate: Callable[[Estimate], None] = field(default=lambda estimate: None)

    def compute(self, parts: Sequence[Indices]) -> Iterator[tuple[int, PartResult]]:
        """The records of every part as (position, result), whichever is finished first.

        Inputs of later parts take the slots that those of earlier ones leave, so only the end of
        the run leaves slots idle. The times are those since the part before.
        """
        clock = Clock()
        position = {int(index): at for at, part in enumerate(parts) for index in part}
        there: dict[int, Done] = {}
        for prepared, certified in self._certified(parts, clock):
            there[prepared.index] = prepared, certified
            at = position[prepared.index]
            if all(int(index) in there for index in parts[at]):
                done = [there.pop(int(index)) for index in parts[at]]
                yield at, PartResult(self._table(done), {**clock.lap(), **self._beside(done)})

    def _certified(self, parts: Sequence[Indices], clock: Clock) -> Iterator[Done]:
        """Every input with its certification, whichever finishes first."""
        waiting: dict[int, Prepared] = {}
        pace = Pace(
            inputs=sum(map(len, parts)),
            n=self.plan.n,
            may_stop=len(self.plan.looks) > 1,
            told=self.on_estimate,
        )
        network, preparation = self._at_work(pace)

        def ready() -> Iterator[Prepared]:
            for group in batches_of(parts, self.layout.batch, network.mesh.size):
                begin = time.perf_counter()
                prepared = list(preparation.of(group, clock))
                pace.prepared(len(prepared), time.perf_counter() - begin)
                yield from prepared

        def tasks() -> Iterator[Task]:
            for number, prepared in enumerate(ready()):
                waiting[number] = prepared
                yield prepared.task

        for number, task in network.estimate(tasks(), self.layout.slots, self.plan):
            prepared, certified = waiting.pop(number), finish(task, self.plan)
            self.on_input(self._told(prepared, certified))
            yield prepared, certified

    def _at_work(self, pace: Pace) -> tuple[Network, Preparation]:
        """What draws, and what goes before it, with the weights on every device."""
        layout = self.layout
        model = on_every_device(self.model, layout.mesh)

        def drew(draws: int, seconds: float | None) -> None:
            if seconds is not None:
                pace.drew(draws, seconds)
            self.on_drawn(draws)

        network = Network(
            apply_fn=model.apply_fn,
            params=model.params,
            chunk=layout.chunk,
            mesh=layout.mesh,
            room=layout.room,
            on_drawn=drew,
        )
        return network, Preparation(
            inputs=self.inputs,
            model=model,
            source=self.source,
            plan=self.plan,
            seed=self.seed,
            batch=layout.batch,
            network=network,
        )

    def _table(self, done: list[Done]) -> Any:
        """The records of these inputs."""
        data, indices = self.inputs.data, np.array([p.index for p, _ in done])
        certified, scales = _stacked([c for _, c in done]), _stacked([p.scales for p, _ in done])
        inside = [float(in_box(c.region, data.low, data.high)) for _, c in done]
        return part_table(
            {
                "index": indices,
                "input_id": [self.inputs.ids[int(i)] for i in indices],
                "clean_prediction": np.array([p.clean for p, _ in done], np.int32),
                "domain_log_volume": [v if np.isfinite(v) else None for v in inside],
                **rows_of(
                    certified, scales, self.plan, labels=data.y[indices], shape=data.x.shape[1:]
                ),
            }
        )

    def _beside(self, done: list[Done]) -> dict[str, Any]:
        """What the side file says of a part besides its times."""
        return {
            "chunk": self.layout.room.of(self.layout.chunk),
            "draws": sum(self._draws(certified) for _, certified in done),
            **said(self.layout.mesh),
        }

    def _told(self, prepared: Prepared, certified: Certification) -> Finished:
        label = int(certified.label)
        return Finished(
            draws=self._draws(certified),
            abstained=label < 0,
            correct=label == int(self.inputs.data.y[prepared.index]),
        )

    def _draws(self, certified: Certification) -> int:
        reached = int(certified.reached)
        return self.plan.n0 + (self.plan.looks[reached - 1] if reached else 0)


@partial(jax.jit, static_argnums=(1, 2))
def in_box(region: Region, low: float, high: float) -> jax.Array:
    """One input at a time: one compiled function, so the bits cannot depend on the batch."""
    return log_volume_in_box(region, low, high)


def _stacked(trees: list[Tree]) -> Tree:
    batch: Tree = jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
    return batch
