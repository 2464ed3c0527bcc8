"""Slots: a fixed number of inputs draw side by side, and a finished one makes room for the next.

Every slot draws its own window of its own input, keyed by that input, so nobody's votes depend on
the neighbours; shapes never change, so there is one trace. With one look and no stopping rule all
slots finish together, and the slots are batches.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh

from aniso_jax.certification.plan import Plan
from aniso_jax.certification.sequence import Sequence
from aniso_jax.geometry.scales import Scale
from aniso_jax.runs.batches import row_of
from aniso_jax.runs.devices import BY_INPUT, EVERY, INPUTS, SAME, gathered, one_device, placed
from aniso_jax.runs.room import Room
from aniso_jax.runs.tasks import Task, draw, put, select, side_by_side
from aniso_jax.smoothing.votes import ApplyFn

_SHORT, _LONG = 0.5, 2.0  # seconds of a call, between which it is as long as it should be


@dataclass(frozen=True, kw_only=True)
class Network:
    """What draws: the base classifier, and how many draws of an input a device takes at once.

    Attributes:
      apply_fn, params: the base classifier.
      chunk: ceiling of draws of an input in one call on a device.
      mesh: the devices.
      room: what of a chunk fits into them.
      on_drawn: told the draws of each call and its seconds; None for those of one that compiles.
    """

    apply_fn: ApplyFn
    params: Any
    chunk: int
    mesh: Mesh = field(default_factory=one_device)
    room: Room = field(default_factory=Room)
    on_drawn: Callable[[int, float | None], None] = field(default=lambda draws, seconds: None)

    def select(self, x: jax.Array, keys: jax.Array, scales: Scale, plan: Plan) -> Task:
        """A batch of inputs for each device, with their classes selected and nothing estimated."""
        batch = placed((x, keys, scales), self.mesh, EVERY)

        def selected(chunk: int) -> Task:
            task: Task = select(self.apply_fn, chunk, self.mesh, self.params, *batch, plan)
            return task

        return gathered(self.room.tried(selected, self.chunk), self.mesh)

    def estimate(self, tasks: Iterable[Task], slots: int, plan: Plan) -> Iterator[tuple[int, Task]]:
        """Every task with all its draws, as (number, task), whichever finishes first.

        Args:
          tasks: one at a time; the next is asked for when a slot is free.
          slots: how many draw side by side on each device along the mesh's inputs.
        """
        waiting, total = enumerate(tasks), slots * self.mesh.shape[INPUTS]
        held: list[tuple[int, Task] | None] = list(islice(waiting, total))
        if not held:
            return
        drawing = side_by_side([entry[1] for entry in held if entry], total)
        drawing = placed(drawing, self.mesh, BY_INPUT)
        held += [None] * (total - len(held))
        call = _Calls(self, placed(plan, self.mesh, SAME))
        while any(held):
            drawing, states = call.drawn(drawing, held)
            if plan.shared_draws and not np.all(states.done):
                continue  # those who see the same draws begin together
            for slot in np.flatnonzero(states.done).tolist():
                if (entry := held[slot]) is not None:
                    yield entry[0], replace(entry[1], state=row_of(states, slot))
                held[slot] = entry = next(waiting, None)
                if entry is not None:
                    drawing = put(self.mesh, drawing, slot, placed(entry[1], self.mesh, SAME))


class _Calls:
    """Calls of about a second each, so that progress is seen and a repeated one costs little."""

    def __init__(self, network: Network, plan: Plan) -> None:
        self._network, self._plan = network, plan
        self._windows, self._compiled = 1, 0

    def drawn(self, tasks: Task, held: list[tuple[int, Task] | None]) -> tuple[Task, Sequence]:
        """The tasks after a call, and their states on the host."""
        network, begin, before = self._network, time.perf_counter(), np.asarray(tasks.state.drawn)

        def called(chunk: int) -> Sequence:
            fixed = network.apply_fn, chunk, network.mesh, network.params
            after: Sequence = draw(*fixed, tasks, self._plan, self._windows)
            return after

        after = network.room.tried(called, network.chunk)
        states: Sequence = jax.device_get(after)
        taken = np.array([entry is not None for entry in held])
        draws, seconds = int(np.sum((states.drawn - before)[taken])), time.perf_counter() - begin
        self._took(draws, seconds, cut_short=bool(np.any(states.done[taken])))
        return replace(tasks, state=after), states

    def _took(self, draws: int, seconds: float, *, cut_short: bool) -> None:
        """Note what a call took; where it ended with an input done, the next is no longer."""
        chunk = self._network.room.of(self._network.chunk)
        self._network.on_drawn(draws, seconds if chunk == self._compiled else None)
        self._compiled = chunk
        if seconds < _SHORT and not cut_short:
            self._windows *= 2
        elif seconds > _LONG:
            self._windows = max(self._windows // 2, 1)
