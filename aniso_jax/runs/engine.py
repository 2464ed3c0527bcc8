"""One host: batches of inputs through search and certification, with everything compiled once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan
from aniso_jax.geometry.domain import log_volume_in_box
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Scale
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.table import part_table
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.rows import rows_of
from aniso_jax.runs.runner import PartResult
from aniso_jax.runs.sources import Source
from aniso_jax.smoothing.votes import ApplyFn

Rows = dict[str, Any]
Tree = TypeVar("Tree")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What `on_batch` is told: inputs certified, draws counted, abstentions, correct labels."""

    inputs: int
    draws: int
    abstained: int
    correct: int


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Computes the records of a part. Static but for its inputs.

    Attributes:
      inputs, model, source, plan, seed: what is computed.
      batch: inputs in one call; a ragged last batch is padded, so that there is one trace.
      chunk: ceiling of draws of an input held at once.
      on_batch: told after each batch.
    """

    inputs: Inputs
    model: Model
    source: Source
    plan: Plan
    seed: int
    batch: int
    chunk: int
    on_batch: Callable[[Batch], None] = field(default=lambda done: None)

    def compute(self, indices: NDArray[np.int64]) -> PartResult:
        """The records of these inputs, in this order, with the times that they took."""
        clock = {"optimise_seconds": 0.0, "certify_seconds": 0.0}
        batches = [self._batch(batch, clock) for batch in _split(indices, self.batch)]
        columns = {name: _joined([rows[name] for rows in batches]) for name in batches[0]}
        timings = {**clock, "device": jax.devices()[0].device_kind, "chunk": self.chunk}
        return PartResult(part_table(columns), timings)

    def _batch(self, indices: NDArray[np.int64], clock: dict[str, float]) -> Rows:
        data, ids = self.inputs.data, [self.inputs.ids[int(i)] for i in indices]
        x = jnp.asarray(_padded(data.x[indices], self.batch))
        padded_ids = ids + ids[-1:] * (self.batch - len(ids))
        keys = keys_of(self.seed, padded_ids)
        network = self.model.apply_fn, self.chunk, self.model.params
        with _timed(clock, "optimise_seconds"):
            scales = _waited(self.source(self.model, x, keys, padded_ids))
        with _timed(clock, "certify_seconds"):
            result = _waited(certify_batch(*network, x, keys, scales.scale, self.plan))
        labels = _padded(data.y[indices], self.batch)
        rows = rows_of(result, scales, self.plan, labels=labels, shape=data.x.shape[1:])
        rows |= _context(self.model, data, x, result)
        rows = {name: _first(value, len(indices)) for name, value in rows.items()}
        self.on_batch(_told(rows, self.plan))
        return {"index": indices, "input_id": ids, **rows}


@partial(jax.jit, static_argnums=(0, 1))
def certify_batch(
    apply_fn: ApplyFn,
    chunk: int,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    scale: Scale,
    plan: Plan,
) -> Certification:
    """`certify` over a batch of inputs, keys and scales."""

    def one(x: jax.Array, key: jax.Array, scale: Scale) -> Certification:
        return certify(apply_fn, params, x, key, law=plan.law, scale=scale, plan=plan, chunk=chunk)

    return jax.vmap(one)(x, keys, scale)


@partial(jax.jit, static_argnums=0)
def _clean(apply_fn: ApplyFn, params: Any, x: jax.Array) -> jax.Array:
    return jnp.argmax(apply_fn(params, x), axis=-1).astype(jnp.int32)


@partial(jax.jit, static_argnums=(1, 2))
def _in_box(region: Region, low: float, high: float) -> jax.Array:
    """One input at a time: one compiled function, so the bits cannot depend on the batch."""
    return log_volume_in_box(region, low, high)


def _context(model: Model, data: Any, x: jax.Array, result: Certification) -> Rows:
    """What stands beside a certificate: the clean prediction, the volume inside the box."""
    regions = [_row(result.region, row) for row in range(len(x))]
    inside = [float(_in_box(region, data.low, data.high)) for region in regions]
    return {
        "clean_prediction": np.asarray(_clean(model.apply_fn, model.params, x)),
        "domain_log_volume": [value if np.isfinite(value) else None for value in inside],
    }


def _row(region: Region, row: int) -> Region:
    one: Region = jax.tree.map(lambda leaf: leaf[row], region)
    return one


def _waited(values: Tree) -> Tree:
    """The same values, once the device has made them: only so are they timed."""
    for leaf in jax.tree.leaves(values):
        leaf.block_until_ready()
    return values


def _told(rows: Rows, plan: Plan) -> Batch:
    count = len(rows["label"])
    return Batch(
        inputs=count,
        draws=count * plan.n0 + sum(plan.looks[len(votes) - 1] for votes in rows["votes"] if votes),
        abstained=int(np.sum(rows["prediction"] < 0)),
        correct=int(np.sum(rows["correct"])),
    )


def _split(indices: NDArray[np.int64], size: int) -> Iterator[NDArray[np.int64]]:
    return (indices[at : at + size] for at in range(0, len(indices), size))


def _padded(values: NDArray[Any], size: int) -> NDArray[Any]:
    return np.concatenate([values, np.repeat(values[-1:], size - len(values), axis=0)])


def _first(values: Any, count: int) -> Any:
    return None if values is None else values[:count]


def _joined(values: list[Any]) -> Any:
    if values[0] is None:
        return None
    if isinstance(values[0], list):
        return [item for part in values for item in part]
    return np.concatenate(values)


class _timed:
    """Adds the seconds of a with-block to an entry of `clock`."""

    def __init__(self, clock: dict[str, float], name: str) -> None:
        self.clock, self.name = clock, name

    def __enter__(self) -> None:
        self.start = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.clock[self.name] += time.perf_counter() - self.start
