"""The stage of a verification that is about a memory: the run's regions, and those of its file."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from aniso_jax.audit.stored import Row
from aniso_jax.audit.verify.apart import Stored
from aniso_jax.audit.verify.files import Files
from aniso_jax.audit.verify.findings import Verification, merged, stage
from aniso_jax.audit.verify.memory_file import (
    copy_findings,
    file_findings,
    opened,
    regions_of_others,
)
from aniso_jax.audit.verify.memory_file import stranger_findings as file_strangers
from aniso_jax.audit.verify.memory_records import (
    adoption_findings,
    answer_findings,
    meeting_findings,
    number_findings,
    stored_regions,
    stranger_findings,
)
from aniso_jax.audit.verify.stages import known, records_in
from aniso_jax.memory.sqlite import snapshot
from aniso_jax.runs.inputs import Inputs

_REGIONS = "the regions that the run stored: disjoint where their classes differ"


def of_memory(files: Files, inputs: Inputs | None, path: Path | None) -> Verification:
    """What the records of a run with a memory say of each other, and of its file where given.

    Raises:
      ValueError: a file was given, and the run has no memory, or another one.
    """
    experiment = files.experiment
    if experiment.memory is None:
        if path is not None:
            raise ValueError(f"--memory {path} was given, and the run has no memory: leave it out.")
        return stage()
    if inputs is None:
        without = stage(skipped=[f"{_REGIONS}, and what was adopted: the data are their centers"])
        return without if path is None else merged([_of_file(files, path), without])
    rows = [row for part in records_in(files) for row in known(part, inputs)]
    regions = stored_regions(rows, experiment, inputs)
    if path is None:
        own = _among_themselves(files, rows, regions, inputs)
        return merged([own, _without_file(files, rows, regions)])
    return _with_file(files, rows, regions, inputs, path)


def _with_file(
    files: Files, rows: Sequence[Row], regions: Mapping[int, Stored], inputs: Inputs, path: Path
) -> Verification:
    with (
        opened(path, files.experiment) as memory,
        snapshot(memory.connection, path),
    ):
        others = regions_of_others(memory, rows, list(regions))
        copies = list(copy_findings(memory, rows, list(regions.values())))
        copies += file_strangers(memory, regions) if _is_alone(files) else ()
    elsewhere = f"that {len(others)} regions of other runs, which answers rest on, were certified"
    held = stage(
        findings=copies,
        checked=[f"{path.name}: that it holds these regions"],
        skipped=[f"{elsewhere}: verify those runs"] if others else [],
    )
    own = _among_themselves(files, rows, {**regions, **others}, inputs)
    return merged([own, held, _of_file(files, path)])


def _of_file(files: Files, path: Path) -> Verification:
    with opened(path, files.experiment) as memory:
        found = list(file_findings(memory))
    return stage(findings=found, checked=[f"{path.name}: its pages, answers and all its regions"])


def _among_themselves(
    files: Files, rows: Sequence[Row], regions: Mapping[int, Stored], inputs: Inputs
) -> Verification:
    experiment = files.experiment
    found = [
        *number_findings(rows),
        *adoption_findings(rows, regions, experiment, inputs),
        *answer_findings(rows, regions, experiment, inputs),
        *meeting_findings(rows, regions, experiment),
        *(stranger_findings(rows, regions) if _is_alone(files) else ()),
    ]
    adopted = [row for row in rows if row["memory"] == "adopted"]
    inside = sum(row["memory_region"] in regions for row in adopted)
    what = f"{_REGIONS}, and each input in one answers its class; {inside} adopted regions lie in "
    return stage(findings=found, checked=[f"{what}the stored ones they name"])


def _is_alone(files: Files) -> bool:
    """Whether the memory is this run's alone, and all its records are there to say what is."""
    return files.experiment.joint_alpha is not None and files.inputs == files.experiment.inputs


def _without_file(files: Files, rows: Sequence[Row], regions: Mapping[int, Stored]) -> Verification:
    """What only the file can tell."""
    unknown = sum(
        row["memory"] == "adopted" and row["memory_region"] not in regions for row in rows
    )
    resting = f"{unknown} answers that rest on them, and " * (unknown > 0)
    name = files.experiment.memory
    return stage(
        skipped=[f"regions of other runs in {name}, {resting}the file itself: give --memory FILE"]
    )
