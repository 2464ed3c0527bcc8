"""The certificates of a run, folded into a memory one after the other, in the run's order."""

import contextlib
import time
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pyarrow as pa

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.answers import MemoryAnswer, MemoryVerdict
from aniso_jax.memory.binding import Binding
from aniso_jax.memory.log import Logged
from aniso_jax.memory.opening import open_bound
from aniso_jax.memory.store import MemoryFile
from aniso_jax.records.experiment import Experiment
from aniso_jax.records.schema import run_schema
from aniso_jax.runs.engine import in_box
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.lengths import lengths_of
from aniso_jax.runs.named_memory import NamedMemory, check_parts
from aniso_jax.runs.rows import measures
from aniso_jax.runs.runner import Compute, PartResult

SAID = {
    MemoryVerdict.KEEP: "kept",
    MemoryVerdict.SHRINK: "shrunk",
    MemoryVerdict.ADOPT: "adopted",
    MemoryVerdict.ABSTAIN: "abstained",
}
"""The verdicts as records spell them."""

_DRAWS = (
    "law scale scale_source sigma n0 n looks bound target tolerance alpha seed shared_draws mode "
    "matmul_precision"
)


@contextlib.contextmanager
def remembering(
    compute: Compute,
    named: NamedMemory | None,
    out: Path,
    experiment: Experiment,
    inputs: Inputs,
    params: Any,
) -> Iterator[Compute]:
    """The same computation with every record put through a memory; itself where there is none.

    Draws and searches run side by side as ever; what is finished waits until all before it has been
    put in, so that the order of the answers is the run's. A run that was stopped gets the answers
    it was given, input by input, and goes on; an equal input further on is asked anew, since where
    the first one got no answer a region may hold it by now. That its inputs are to be certified
    with these draws is written down before the first one, whatever becomes of the run.

    Args:
      params: of the experiment's network, by its fingerprint; the memory refuses others later.

    Raises:
      ValueError: a memory of another network, law, shape or alpha, one that was asked about
        some input with other draws, or not the one that the run's parts rest on; before any draw
        is made.
    """
    if named is None:
        yield compute
        return
    draws = draws_of(experiment)
    with open_bound(named.path, _binding(named, experiment)) as memory:
        named.check(memory)
        check_parts(memory, out, experiment)
        memory.check_params(params, are_known=True)
        memory.begin_all((inputs.data.x[index] for index in inputs.indices), draws=draws)
        yield partial(_in_order, compute, memory, experiment, inputs)


def _binding(named: NamedMemory, experiment: Experiment) -> Binding:
    return Binding(
        weights=remembered_network(experiment),
        law=experiment.law,
        shape=experiment.shape,
        alpha=experiment.alpha,
        number=named.number,
    )


def remembered_network(experiment: Experiment) -> str:
    """The network that a run's regions speak of, as its memory names it.

    * Noise on a grid: rounding to the grid is part of the network, so that with another grid, or
      none, it is another network. Nothing else changes: the theorem certifies this network under
      the law's real noise, on a region of real numbers, after the distance of the integer noise
      was paid for; a region that is shrunk or adopted lies in one of these.
    * A joint claim: all N certificates hold together with probability 1 - alpha, each at alpha/N,
      and every answer rests on one of them, since a region that is shrunk lies in the input's own
      and one that is adopted in another input's. That fails where an answer rests on a region of
      other runs; so the memory is the run's alone, whose hash is part of the name, and no other
      run can open it.
    """
    rounding = [] if experiment.grid is None else [f"grid {experiment.grid}"]
    owner = [] if experiment.joint_alpha is None else [f"run {experiment.hash}"]
    return ", ".join([*owner, *rounding, experiment.model_fingerprint])


def draws_of(experiment: Experiment) -> str:
    """What determines an input's votes and bound: another one is another try.

    A search rounds otherwise in other batches, on other devices and by other versions, but its
    noise and what it looks for are the same: none of these counts as another try, save batch and
    chunk where the network's logits depend on them.
    """
    names = _DRAWS if experiment.chunk is None else f"{_DRAWS} batch chunk"
    return "; ".join(f"{name} {getattr(experiment, name)}" for name in names.split())


def _in_order(
    compute: Compute,
    memory: MemoryFile,
    experiment: Experiment,
    inputs: Inputs,
    parts: Sequence[np.ndarray],
) -> Iterator[tuple[int, PartResult]]:
    """Every part once all before it are done, folded."""
    waiting: dict[int, PartResult] = {}
    due = 0
    for position, result in compute(parts):
        waiting[position] = result
        while due in waiting:
            done, begin = waiting.pop(due), time.monotonic()
            table = _folded(done.table, memory, experiment, inputs)
            timings = {**done.timings, "fold_seconds": time.monotonic() - begin}
            yield due, PartResult(table, timings)
            due += 1


def _folded(table: Any, memory: MemoryFile, experiment: Experiment, inputs: Inputs) -> Any:
    """The records of a part with what is claimed after the memory was asked."""
    rows = [_answered(row, memory, experiment, inputs) for row in table.to_pylist()]
    schema = run_schema(experiment).remove_metadata()
    return pa.Table.from_pylist(rows, schema=schema)


def _answered(
    row: dict[str, Any], memory: MemoryFile, experiment: Experiment, inputs: Inputs
) -> dict[str, Any]:
    data = inputs.data
    new = _own_region(row, data.x[row["index"]], order=memory.binding.order)
    question = f"{experiment.hash} {row['index']}"  # an equal input is asked anew
    draws = draws_of(experiment)
    answer, logged = memory.ask(new, row["prediction"], draws=draws, run=question)
    return {
        **row,
        **_claims(answer, data.low, data.high),
        "correct": int(answer.label) == row["label"],
        **_of_memory(answer, logged),
        "own_prediction": row["prediction"],
        "own_gap": row["gap"],
    }


def _own_region(row: dict[str, Any], x: np.ndarray, *, order: int) -> Region:
    theta = np.float32(row["sigma"] if row["theta"] is None else row["theta"])
    whole = np.broadcast_to(theta, x.size).reshape(x.shape)
    return Region(
        center=jnp.asarray(x),
        scale=Diagonal(theta=jnp.asarray(whole)),
        gap=jnp.float32(row["gap"]),
        order=order,
    )


def _claims(answer: MemoryAnswer, low: float, high: float) -> dict[str, Any]:
    """The columns of a claim."""
    region, gap = answer.region, np.asarray(answer.region.gap)
    lengths = lengths_of(region.scale, 1, order=region.order)
    measured = measures(gap.reshape(1), lengths, region.dimension, order=region.order)
    inside = float(in_box(region, low, high))
    return {
        "prediction": int(answer.label),
        "gap": float(gap),
        **{name: _plain(values[0]) for name, values in measured.items()},
        "domain_log_volume": inside if np.isfinite(inside) else None,
    }


def _of_memory(answer: MemoryAnswer, logged: Logged) -> dict[str, Any]:
    verdict = MemoryVerdict(int(answer.verdict))
    adopted = verdict == MemoryVerdict.ADOPT
    theta = answer.region.scale.push(jnp.ones_like(answer.region.center))
    own, claimed = logged.asked, logged.claimed
    return {
        "memory": SAID[verdict],
        "memory_region": None if int(answer.index) == ABSTAIN else int(answer.index),
        "claimed_theta": np.asarray(theta).ravel().tolist() if adopted else None,
        "memory_cost": None if own is None or claimed is None else own - claimed,
    }


def _plain(value: Any) -> float | None:
    return None if value is None else float(value)
