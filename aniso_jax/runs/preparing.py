"""Inputs before their estimation: a batch for every device, its scales found, classes selected."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from aniso_jax.certification.plan import Plan
from aniso_jax.models.checkpoint import Model
from aniso_jax.runs.batches import Indices, laid_out, row_of
from aniso_jax.runs.clock import Clock
from aniso_jax.runs.devices import EVERY, SAME, gathered, on_each, placed
from aniso_jax.runs.grids import snapped
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.slots import Network
from aniso_jax.runs.sources import Scales, Source
from aniso_jax.runs.tasks import Task, rows
from aniso_jax.smoothing.votes import ApplyFn


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
class Preparation:
    """Prepares inputs; the attributes are the engine's.

    Attributes:
      model: with its weights on every device of the network's mesh.
      batch: inputs on a device.
    """

    inputs: Inputs
    model: Model
    source: Source
    plan: Plan
    seed: int
    batch: int
    network: Network

    def of(self, batches: list[Indices], clock: Clock) -> Iterator[Prepared]:
        """The inputs of some batches, at most one for every device."""
        model, mesh = self.model, self.network.mesh
        indices, asked = laid_out(batches, self.batch, mesh.size)
        ids = [self.inputs.ids[int(i)] for i in indices]
        x, keys = jnp.asarray(self.inputs.data.x[indices]), keys_of(self.seed, ids)
        with clock.optimising():
            scales = jax.block_until_ready(gathered(self.source(model, x, keys, ids), mesh))
        scales = scales if self.plan.grid is None else snapped(scales, self.plan.grid)
        draw_keys = keys_of(self.seed, ids, shared=self.plan.shared_draws)
        tasks = list(rows(self.network.select(x, draw_keys, scales.scale, self.plan)))
        clean = np.asarray(_clean(model.apply_fn, mesh, model.params, placed(x, mesh, EVERY)))
        for row in asked:
            index, own = int(indices[row]), row_of(scales, row)
            yield Prepared(index=index, task=tasks[row], scales=own, clean=int(clean[row]))


def on_every_device(model: Model, mesh: Mesh) -> Model:
    """The same network, its weights sent once."""
    return replace(model, params=placed(model.params, mesh, SAME))


@partial(jax.jit, static_argnums=(0, 1))
def _clean(apply_fn: ApplyFn, mesh: Mesh, params: Any, x: jax.Array) -> jax.Array:
    def answered(params: Any, x: jax.Array) -> jax.Array:
        return jnp.argmax(apply_fn(params, x), axis=-1).astype(jnp.int32)

    answers: jax.Array = on_each(answered, mesh, (SAME, EVERY), EVERY)(params, x)
    return answers
