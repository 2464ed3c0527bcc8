"""The records of a run against the memory file that they name."""

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import numpy as np

from aniso_jax.audit.stored import Row
from aniso_jax.audit.verify.apart import Stored
from aniso_jax.audit.verify.findings import Finding, of_file
from aniso_jax.audit.verify.rederive import finding_in
from aniso_jax.memory.binding import Binding, check_binding
from aniso_jax.memory.check import checked
from aniso_jax.memory.opening import memory_viewed
from aniso_jax.memory.rows import Row as Kept
from aniso_jax.memory.rows import read_row
from aniso_jax.memory.sqlite import MemoryDamaged
from aniso_jax.memory.store import MemoryFile
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.remember import remembered_network


def opened(path: Path, experiment: Experiment) -> MemoryFile:
    """The memory file of a run, to be looked at.

    Raises:
      ValueError: no memory, or another than the run names: another number, network, law or alpha.
    """
    memory = memory_viewed(path)
    try:
        named = re.fullmatch(r".* \((\w+)\)", str(experiment.memory))
        wanted = Binding(
            weights=remembered_network(experiment),
            law=experiment.law,
            shape=experiment.shape,
            alpha=experiment.alpha,
            number=named[1] if named else "",
        )
        check_binding(memory.binding, wanted, path)
        if memory.binding.number != wanted.number:
            raise ValueError(
                f"--memory {path} has the number {memory.binding.number}, the run was made with "
                f"{experiment.memory}: give the run's memory."
            )
    except ValueError:
        memory.close()
        raise
    return memory


def file_findings(memory: MemoryFile) -> Iterator[Finding]:
    """What `aniso-jax memory check` finds in the file."""
    try:
        for _, troubles in checked(memory):
            yield from (of_file(memory.path.name, trouble) for trouble in troubles)
    except MemoryDamaged as damaged:
        yield of_file(memory.path.name, str(damaged))


def regions_of_others(
    memory: MemoryFile, rows: Sequence[Row], mine: Sequence[int]
) -> dict[int, Stored]:
    """The regions that these records adopted and that no record of theirs made, by number."""
    adopted = {row["memory_region"] for row in rows if row["memory"] == "adopted"}
    there = range(1, memory.count() + 1)
    kept = (_kept(memory, number) for number in sorted(adopted - set(mine)) if number in there)
    return {row.id: _stored(row) for row in kept}


def stranger_findings(memory: MemoryFile, mine: Collection[int]) -> Iterator[Finding]:
    """Regions that the run did not store in the memory of a joint claim, which is its alone."""
    for number in range(1, memory.count() + 1):
        if number not in mine:
            said = f"region {number} is none of the run's, whose claim is joint"
            yield of_file(memory.path.name, said)


def copy_findings(
    memory: MemoryFile, rows: Sequence[Row], regions: Sequence[Stored]
) -> Iterator[Finding]:
    """Regions of the records that are not, bit by bit, those of the file; and missing ones."""
    there = range(1, memory.count() + 1)
    named = {row["memory_region"]: row for row in reversed(rows) if row["memory_region"]}
    for number in sorted(set(named) - set(there)):
        said = f"{memory.path.name} holds no more"
        yield finding_in(named[number], "memory_region", f"at most {len(there)}", said)
    for region in regions:
        if region.number in there and not _same(_kept(memory, region.number), region):
            wanted = f"region {region.number} of {memory.path.name}"
            yield finding_in(rows[region.position], "gap", wanted, "that is another region")


def _kept(memory: MemoryFile, number: int) -> Kept:
    return read_row(memory.connection, memory.path, number)


def _stored(row: Kept) -> Stored:
    return Stored(
        number=row.id,
        position=-1,
        label=row.label,
        center=np.asarray(row.center, np.float64).reshape(-1),
        theta=np.asarray(row.theta, np.float64).reshape(-1),
        gap=float(row.gap),
    )


def _same(kept: Kept, region: Stored) -> bool:
    there = _stored(kept)
    same = (
        np.array_equal(getattr(there, name), getattr(region, name)) for name in ("center", "theta")
    )
    return there.label == region.label and there.gap == region.gap and all(same)
