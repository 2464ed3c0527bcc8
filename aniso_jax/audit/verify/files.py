"""The files of a run, with every trouble found, where the reader would stop at the first."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from aniso_jax.audit.verify.findings import Finding, of_file
from aniso_jax.audit.verify.run_json import contradictions, expected_indices, find_experiment
from aniso_jax.audit.verify.same_bytes import part_has_its_bytes
from aniso_jax.records.experiment import Experiment
from aniso_jax.records.parts import part_path, present_parts, read_part


@dataclass(frozen=True, kw_only=True)
class Files:
    """What could be read of a run.

    Attributes:
      experiment: of run.json, or of the first whole part where that cannot be used.
      parts: the tables that are whole and of this run, by number.
      findings: what is wrong with the others, and with their order.
      foreign_writers: parts that another version of pyarrow wrote.
    """

    experiment: Experiment
    parts: dict[int, Any]
    findings: tuple[Finding, ...]
    foreign_writers: tuple[int, ...]

    @property
    def inputs(self) -> int:
        """How many records could be read."""
        return sum(map(len, self.parts.values()))


def read_files(run: Path, *, partial: bool) -> Files:
    """Read run.json and every part; each trouble is a finding that names its file.

    Args:
      run: the run's directory.
      partial: missing parts are no trouble.

    Raises:
      NotARun: there is nothing that could be a run, or run.json cannot be used and no part can
        say what the run is.
    """
    experiment, findings = find_experiment(run)
    findings += contradictions(experiment)
    parts, torn = _read_parts(run, experiment)
    same = {part: part_has_its_bytes(run, part, parts[part], experiment) for part in parts}
    said = "it has other bytes than its records are written as by the pyarrow that it names"
    findings += [*torn, *([] if partial else _missing(run, experiment))]
    findings += [
        of_file(part_path(run, p).name, said) for p, equal in same.items() if equal is False
    ]
    for part, table in parts.items():
        findings += _order(table, part, experiment)
    return Files(
        experiment=experiment,
        parts=parts,
        findings=tuple(findings),
        foreign_writers=tuple(part for part, equal in same.items() if equal is None),
    )


def _read_parts(run: Path, experiment: Experiment) -> tuple[dict[int, Any], list[Finding]]:
    """The parts that are whole and of this run, and what is wrong with the others."""
    parts: dict[int, Any] = {}
    findings = []
    for part in present_parts(run):
        try:
            parts[part] = read_part(run, part, experiment)
        except (ValueError, OSError, pa.ArrowException) as error:  # torn or foreign, above all
            findings.append(of_file(part_path(run, part).name, str(error)))
    return parts, findings


def _missing(run: Path, experiment: Experiment) -> list[Finding]:
    said = "it is missing: run the same command again to finish the run, or ask for --partial"
    absent = sorted(set(range(experiment.parts)) - set(present_parts(run)))
    return [of_file(part_path(run, part).name, said) for part in absent]


def _order(table: Any, part: int, experiment: Experiment) -> Iterator[Finding]:
    """The rows of a part are the inputs of its place in the selection."""
    first, name = part * experiment.part_size, part_path(Path(), part).name
    wanted = expected_indices(experiment)[first : first + len(table)].tolist()
    for row, (there, index) in enumerate(zip(table["index"].to_pylist(), wanted, strict=True)):
        if there != index:
            yield Finding(
                where=f"input {there}",
                column="index",
                stored=repr(there),
                derived=repr(index),
                said=f"row {row} of {name} holds another input of the selection",
            )
