"""How far a run is: what is done, who is at work on it, how fast, and what is left."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aniso_jax.records.directory import read_experiment
from aniso_jax.records.experiment import Experiment
from aniso_jax.records.lock import Writer, writers
from aniso_jax.records.parts import missing_parts, present_parts
from aniso_jax.records.shard import Shard
from aniso_jax.records.sidecar import read_lines, timings_path
from aniso_jax.runs.durations import duration

_STAGES = ("optimise_seconds", "certify_seconds", "fold_seconds")


@dataclass(frozen=True, kw_only=True)
class Work:
    """A living process and its share of what is missing.

    Attributes:
        writer: the process.
        missing: parts that it has yet to do.
        inputs: how many inputs these are.
        inputs_per_second, draws_per_second: of the parts it has done; None before the first.
    """

    writer: Writer
    missing: tuple[int, ...]
    inputs: int
    inputs_per_second: float | None
    draws_per_second: float | None

    @property
    def seconds_left(self) -> float | None:
        """At its rate so far."""
        return None if not self.inputs_per_second else self.inputs / self.inputs_per_second

    def line(self) -> str:
        """One line for people."""
        shard = "" if self.writer.shard is None else f"shard {self.writer.shard}, "
        said = [f"Running: {shard}{self.writer.holder}", f"{self.inputs:,} inputs to do"]
        if self.seconds_left is None:
            return f"{', '.join(said)}, no part finished yet"
        if self.draws_per_second:
            said.append(f"{self.draws_per_second:,.0f} draws/s")
        return ", ".join([*said, f"{duration(self.seconds_left)} left"])


@dataclass(frozen=True, kw_only=True)
class Status:
    """Of a run directory, by the names of its parts; what is in them is not looked at.

    Attributes:
        directory, experiment: the run.
        missing: parts that are not there.
        work: the living processes.
    """

    directory: Path
    experiment: Experiment
    missing: tuple[int, ...]
    work: tuple[Work, ...]

    @property
    def idle(self) -> tuple[int, ...]:
        """Missing parts that nobody works on."""
        at_work = {part for work in self.work for part in work.missing}
        return tuple(part for part in self.missing if part not in at_work)

    def lines(self) -> Iterator[str]:
        """What the command prints."""
        whole, left = self.experiment, inputs_in(self.missing, self.experiment)
        yield (
            f"{self.directory}: {whole.inputs - left:,} of {whole.inputs:,} inputs are done, in "
            f"{whole.parts - len(self.missing)} of {whole.parts} parts."
        )
        yield from (work.line() for work in self.work)
        if self.idle:
            count = inputs_in(self.idle, self.experiment)
            yield f"Nobody works on {count:,} inputs: run the same command again to do them."


def status_of(directory: Path) -> Status:
    """Look at a run directory; writes nothing.

    Raises:
        NotARun: there is no run.
    """
    experiment = read_experiment(directory)
    missing = tuple(missing_parts(present_parts(directory), experiment))
    work = tuple(_work(directory, writer, missing, experiment) for writer in writers(directory))
    return Status(directory=directory, experiment=experiment, missing=missing, work=work)


def inputs_in(parts: Sequence[int], experiment: Experiment) -> int:
    """How many inputs some parts hold."""
    size, inputs = experiment.part_size, experiment.inputs
    return sum(min(size, inputs - part * size) for part in parts)


def _work(directory: Path, writer: Writer, missing: Sequence[int], experiment: Experiment) -> Work:
    shard = writer.shard
    own = tuple(part for part in missing if shard is None or shard.holds(part))
    inputs, draws = _rates(directory, shard)
    return Work(
        writer=writer,
        missing=own,
        inputs=inputs_in(own, experiment),
        inputs_per_second=inputs,
        draws_per_second=draws,
    )


def _rates(directory: Path, shard: Shard | None) -> tuple[float | None, float | None]:
    """(inputs, draws) a second over the parts in a process's file of times."""
    lines = read_lines(timings_path(directory, shard))
    seconds = sum(_seconds(line) for line in lines)
    if not seconds:
        return None, None
    inputs, draws = (sum(line.get(name, 0) for line in lines) for name in ("inputs", "draws"))
    return inputs / seconds, draws / seconds


def _seconds(line: Mapping[str, Any]) -> float:
    """That a part took, of which actors compute several side by side."""
    return sum(float(line.get(name, 0)) for name in _STAGES) / int(line.get("actors", 1))
