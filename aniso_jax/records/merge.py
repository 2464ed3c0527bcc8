"""The parts of one run that lie in several directories, brought into one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from aniso_jax.records.directory import RunMismatch, check_run, open_run, read_experiment
from aniso_jax.records.experiment import Experiment, differences
from aniso_jax.records.load import IncompleteRun, load_run
from aniso_jax.records.lock import sole_writer
from aniso_jax.records.parts import (
    ForeignPart,
    missing_parts,
    part_path,
    present_parts,
    read_part,
)
from aniso_jax.records.sidecar import append_timing, read_timings
from aniso_jax.storage.atomic import full_disk_said, remove_leftovers, write_atomically


def merge_runs(sources: Sequence[Path], out: Path, *, partial: bool = False) -> int:
    """Bring the parts of several directories into one run directory; returns its inputs.

    Guarantee: every part is checked as when it is read, those that lie in `out` already too, and
    its bytes stay what they are; where all are there, the directory is the one that a single
    process would have written. Nothing is written before it is known that the parts suffice.

    Args:
        sources: run directories of one configuration, such as shards.
        out: made where it is missing; where it holds parts of the run they count, as a source's.
        partial: merge although parts are missing; the run can be continued there.

    Raises:
        NotARun, RunMismatch: a source is no run or another one, or `out` holds something else.
        IncompleteRun: parts are missing, and `partial` was not asked for; they are named.
        ForeignPart, TornPart: a part is damaged, or another one in two directories.
    """
    experiment = _common(sources)
    named = {path.resolve() for path in sources}
    there = check_run(out, experiment) and out.resolve() not in named
    places = dict(_places([*sources, *[out] * there], experiment))
    if not partial:
        _check_complete(places, experiment, sources)
    with full_disk_said(out):
        out.mkdir(parents=True, exist_ok=True)
    with sole_writer(out):
        open_run(out, experiment)
        remove_leftovers(out)
        _copy(places, out)
    return len(load_run(out, partial=partial, columns=()))


def _common(sources: Sequence[Path]) -> Experiment:
    """The experiment of all of them."""
    first = read_experiment(sources[0])
    for path in sources[1:]:
        other = read_experiment(path)
        if other != first:
            raise RunMismatch(
                f"{path} is another run than {sources[0]}, where you ask for one: "
                f"{'; '.join(differences(other, first))}. Merge what belongs together."
            )
    return first


def _places(sources: Sequence[Path], experiment: Experiment) -> Iterator[tuple[int, Path]]:
    """Where each part lies, all of them checked; the first place where it lies in several."""
    first: dict[int, Path] = {}
    for path in sources:
        for part in present_parts(path):
            table = read_part(path, part, experiment)
            if part not in first:
                yield part, first.setdefault(part, path)
            elif not table.equals(read_part(first[part], part, experiment)):
                raise ForeignPart(
                    f"{part_path(path, part)} holds other records than the same part of "
                    f"{first[part]}: find out by `aniso-jax verify --replay` which is right, and "
                    "move the other away."
                )


def _check_complete(
    places: Mapping[int, Path], experiment: Experiment, sources: Sequence[Path]
) -> None:
    missing = missing_parts(places, experiment)
    if missing:
        named = ", ".join(map(str, missing[:8])) + ", ..." * (len(missing) > 8)
        raise IncompleteRun(
            f"{' and '.join(map(str, sources))} lack{'s' * (len(sources) == 1)} {len(missing)} of "
            f"{experiment.parts} parts "
            f"({named}); finish the shards, or ask for a partial result."
        )


def _copy(places: Mapping[int, Path], out: Path) -> None:
    timings = {path: read_timings(path) for path in {*places.values()}}
    for part, path in places.items():
        if path.resolve() == out.resolve() or part_path(out, part).exists():
            continue
        timing = timings[path].get(part)
        if timing is not None:
            append_timing(out, part, timing)
        write_atomically(part_path(out, part), part_path(path, part).read_bytes())
