"""One host: inputs through search, selection and estimation, with everything compiled once."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import chain
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.certification.certify import Certification
from aniso_jax.certification.plan import Plan
from aniso_jax.geometry.domain import log_volume_in_box
from aniso_jax.geometry.regions import Region
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.table import part_table
from aniso_jax.runs.clock import Clock
from aniso_jax.runs.grids import snapped
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.rows import rows_of
from aniso_jax.runs.runner import PartResult
from aniso_jax.runs.slots import Network, Task, finish, rows
from aniso_jax.runs.sources import Scales, Source
from aniso_jax.smoothing.votes import ApplyFn

Indices = NDArray[np.int64]
Tree = TypeVar("Tree")


@dataclass(frozen=True, kw_only=True)
class Finished:
    """What `on_input` is told: the draws that an input took, and what became of it."""

    draws: int
    abstained: bool
    correct: bool


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """An input before its estimation.

    Attributes:
      index: its position in the data.
      task: selected, nothing estimated.
      scales: its scale, and what the records say of it.
      clean: the network's answer without noise.
    """

    index: int
    task: Task
    scales: Scales
    clean: int


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Computes the records of parts. Static but for its inputs.

    Attributes:
      inputs, model, source, plan, seed: what is computed.
      batch: inputs prepared together; a ragged last one is padded, so that there is one trace.
      slots: inputs that draw side by side.
      chunk: ceiling of draws of an input held at once.
      on_input: told after each input.
    """

    inputs: Inputs
    model: Model
    source: Source
    plan: Plan
    seed: int
    batch: int
    slots: int
    chunk: int
    on_input: Callable[[Finished], None] = field(default=lambda done: None)

    def compute(self, parts: Sequence[Indices]) -> Iterator[tuple[int, PartResult]]:
        """The records of every part as (position, result), whichever is finished first.

        Inputs of later parts take the slots that those of earlier ones leave, so only the end of
        the run leaves slots idle. The times are those since the part before.
        """
        clock = Clock()
        batches = chain.from_iterable(_split(part, self.batch) for part in parts)
        position = {int(index): at for at, part in enumerate(parts) for index in part}
        there: dict[int, tuple[Prepared, Certification]] = {}
        for prepared, certified in self._certified(batches, clock):
            there[prepared.index] = prepared, certified
            at = position[prepared.index]
            if all(int(index) in there for index in parts[at]):
                table = self._table([there.pop(int(index)) for index in parts[at]])
                timings = {**clock.lap(), "device": _device(), "chunk": self.chunk}
                yield at, PartResult(table, timings)

    def _certified(
        self, batches: Iterator[Indices], clock: Clock
    ) -> Iterator[tuple[Prepared, Certification]]:
        """Every input with its certification, whichever finishes first."""
        waiting: dict[int, Prepared] = {}
        network = Network(apply_fn=self.model.apply_fn, params=self.model.params, chunk=self.chunk)

        def tasks() -> Iterator[Task]:
            every = chain.from_iterable(self._prepared(b, network, clock) for b in batches)
            for number, prepared in enumerate(every):
                waiting[number] = prepared
                yield prepared.task

        for number, task in network.estimate(tasks(), self.slots, self.plan):
            prepared, certified = waiting.pop(number), finish(task, self.plan)
            self.on_input(self._told(prepared, certified))
            yield prepared, certified

    def _prepared(self, indices: Indices, network: Network, clock: Clock) -> Iterator[Prepared]:
        """A batch of inputs with its scales found and its classes selected."""
        ids = [self.inputs.ids[int(i)] for i in indices]
        padded_ids = ids + ids[-1:] * (self.batch - len(ids))
        x = jnp.asarray(_padded(self.inputs.data.x[indices], self.batch))
        keys = keys_of(self.seed, padded_ids)
        with clock.optimising():
            scales = _waited(self.source(self.model, x, keys, padded_ids))
        scales = scales if self.plan.grid is None else snapped(scales, self.plan.grid)
        draw_keys = keys_of(self.seed, padded_ids, shared=self.plan.shared_draws)
        tasks = rows(network.select(x, draw_keys, scales.scale, self.plan))
        clean = np.asarray(_clean(self.model.apply_fn, self.model.params, x))
        for row, (index, task) in enumerate(zip(indices, tasks, strict=False)):
            yield Prepared(
                index=int(index), task=task, scales=_row(scales, row), clean=int(clean[row])
            )

    def _table(self, done: list[tuple[Prepared, Certification]]) -> Any:
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

    def _told(self, prepared: Prepared, certified: Certification) -> Finished:
        label, reached = int(certified.label), int(certified.reached)
        return Finished(
            draws=self.plan.n0 + (self.plan.looks[reached - 1] if reached else 0),
            abstained=label < 0,
            correct=label == int(self.inputs.data.y[prepared.index]),
        )


@partial(jax.jit, static_argnums=0)
def _clean(apply_fn: ApplyFn, params: Any, x: jax.Array) -> jax.Array:
    return jnp.argmax(apply_fn(params, x), axis=-1).astype(jnp.int32)


@partial(jax.jit, static_argnums=(1, 2))
def in_box(region: Region, low: float, high: float) -> jax.Array:
    """One input at a time: one compiled function, so the bits cannot depend on the batch."""
    return log_volume_in_box(region, low, high)


def _row(batch: Tree, row: int) -> Tree:
    one: Tree = jax.tree.map(lambda leaf: leaf[row], batch)
    return one


def _stacked(trees: list[Tree]) -> Tree:
    batch: Tree = jax.tree.map(lambda *leaves: jnp.stack(leaves), *trees)
    return batch


def _waited(values: Tree) -> Tree:
    """The same values, once the device has made them: only so are they timed."""
    for leaf in jax.tree.leaves(values):
        leaf.block_until_ready()
    return values


def _device() -> str:
    return str(jax.devices()[0].device_kind)


def _split(indices: Indices, size: int) -> Iterator[Indices]:
    return (indices[at : at + size] for at in range(0, len(indices), size))


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])
