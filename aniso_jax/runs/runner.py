"""Part by part through a run: skip what is there, keep what is done, go on where it stopped."""

import time
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from aniso_jax.records.directory import check_run, open_run
from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.records.lock import sole_writer
from aniso_jax.records.parts import TornPart, part_path, present_parts, read_part, write_part
from aniso_jax.records.shard import Shard
from aniso_jax.records.sidecar import append_timing
from aniso_jax.storage.atomic import DiskFull, full_disk_said, remove_leftovers


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the sentence says how much is kept and how to go on."""


class PartResult(NamedTuple):
    """What computing a part gives."""

    table: Any
    """The records, a `pyarrow.Table` from `part_table`, one row an input, in the asked order."""
    timings: Mapping[str, Any]
    """Seconds, rates, devices: plain values for the side file."""


Compute = Callable[[Sequence[np.ndarray]], Iterable[tuple[int, PartResult]]]
"""From the indices of some parts to each one's position among them and its records."""


@dataclass(frozen=True, kw_only=True)
class PartDone:
    """Told to `on_part` after each part.

    Attributes:
        part: its number.
        table: its records.
        fresh: computed now; False where it was there already.
        inputs_done: inputs done so far, this part included.
        inputs: inputs of the run, or of the shard.
    """

    part: int
    table: Any
    fresh: bool
    inputs_done: int
    inputs: int


def split_parts(indices: np.ndarray, part_size: int) -> list[np.ndarray]:
    """A selection cut into parts; the last one may be shorter.

    >>> [part.tolist() for part in split_parts(np.arange(5), 2)]
    [[0, 1], [2, 3], [4]]
    """
    return [indices[at : at + part_size] for at in range(0, len(indices), part_size)]


def run_parts(
    directory: Path,
    experiment: Experiment,
    parts: Sequence[np.ndarray],
    compute: Compute,
    *,
    shard: Shard | None = None,
    on_part: Callable[[PartDone], None] = lambda done: None,
) -> None:
    """Compute every part of a run, or of a shard of it, that is not there yet.

    Guarantee: however often and wherever the process is killed, running the same again ends with
    the same bytes in every part; a part is there whole or not at all.

    Args:
        directory: the run directory; made where it is missing.
        experiment: what the run is.
        parts: the selection as `split_parts` cuts it; ascending indices.
        compute: from the indices of the missing parts to their records, each part once, in any
            order. The records of an input must depend on nothing else.
        shard: the share of the parts that are looked at and computed; None for all.
        on_part: called after each part, for progress; parts that were there are reported too.

    Raises:
        RunMismatch, NotARun: the directory holds another run, or something else.
        RunBusy: another process writes the directory, or this shard of it.
        ForeignPart: a part of another run lies in it.
        Interrupted: Ctrl-C; finished parts are kept.
        DiskFull: no room; finished parts are kept, nothing half-written stays.
        ValueError: the parts are not the experiment's selection.
    """
    _check_selection(experiment, parts)
    check_run(directory, experiment)
    with full_disk_said(directory):
        directory.mkdir(parents=True, exist_ok=True)
    own = own_parts(parts, shard)
    with sole_writer(directory, shard):
        try:
            open_run(directory, experiment)
            _tidy(directory, own, shard)
            keep = partial(_keep, directory, experiment, shard)
            _run_all(directory, experiment, own, compute, keep, on_part)
        except KeyboardInterrupt as stop:
            raise Interrupted(f"Stopped: {_kept(directory, own)} to go on.") from stop
        except DiskFull as full:
            raise DiskFull(
                f"The disk is full: {_kept(directory, own)} after freeing some space."
            ) from full


def own_parts(parts: Sequence[np.ndarray], shard: Shard | None) -> dict[int, np.ndarray]:
    """The parts of a shard by number; all of them without one."""
    every = enumerate(parts)
    return {part: indices for part, indices in every if shard is None or shard.holds(part)}


def _tidy(directory: Path, own: Mapping[int, np.ndarray], shard: Shard | None) -> None:
    """Other shards may be in the middle of a write."""
    names = None if shard is None else {part_path(directory, part).name for part in own}
    remove_leftovers(directory, names)


def _run_all(
    directory: Path,
    experiment: Experiment,
    own: Mapping[int, np.ndarray],
    compute: Compute,
    keep: Callable[[int, np.ndarray, PartResult], None],
    on_part: Callable[[PartDone], None],
) -> None:
    """Parts that are there are reported first; then the missing ones, as they are finished."""
    done, inputs = 0, sum(map(len, own.values()))

    def tell(part: int, table: Any, *, fresh: bool) -> None:
        nonlocal done
        done += len(table)
        on_part(PartDone(part=part, table=table, fresh=fresh, inputs_done=done, inputs=inputs))

    missing = []
    for part in own:
        table = _whole_part(directory, part, experiment)
        if table is None:
            missing.append(part)
        else:
            tell(part, table, fresh=False)
    for position, result in compute([own[part] for part in missing]):
        part = missing[position]
        keep(part, own[part], result)
        tell(part, result.table, fresh=True)


def _whole_part(directory: Path, part: int, experiment: Experiment) -> Any:
    """The part that is there; None where it is missing or torn, so that it is computed."""
    if not part_path(directory, part).exists():
        return None
    try:
        return read_part(directory, part, experiment)
    except TornPart as torn:
        warnings.warn(f"{torn} It is computed again now.", stacklevel=2)
        return None


def _keep(
    directory: Path,
    experiment: Experiment,
    shard: Shard | None,
    part: int,
    indices: np.ndarray,
    result: PartResult,
) -> None:
    """Times first: a part that is there has its times, and a part redone replaces them."""
    if not np.array_equal(result.table["index"].to_numpy(), indices):
        raise ValueError(f"part {part} was computed for other inputs than it was asked for.")
    beside = {"inputs": len(indices), "ended": time.time(), **result.timings}
    append_timing(directory, part, beside, shard)
    write_part(directory, part, result.table, experiment)


def _check_selection(experiment: Experiment, parts: Sequence[np.ndarray]) -> None:
    indices = np.concatenate(parts) if parts else np.array([], np.int64)
    if len(indices) != experiment.inputs or hash_indices(indices) != experiment.indices_hash:
        raise ValueError(
            f"the parts hold {len(indices)} inputs that are not the {experiment.inputs} inputs of "
            "the experiment; cut its selection with split_parts."
        )


def _kept(directory: Path, own: Mapping[int, np.ndarray]) -> str:
    there = set(present_parts(directory))
    done = sum(len(indices) for part, indices in own.items() if part in there)
    total = sum(map(len, own.values()))
    return f"{done} of {total} inputs are done and kept in {directory}; run the same command again"
