"""Wall times, rates and device names beside a run, in `timings.jsonl`; a shard has a file alone.

No hash and no promise of same bytes covers these files: one JSON line a part, appended. A line that
a crash cut off is ignored by the reader and removed by the next writer.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aniso_jax.records.experiment import Experiment
from aniso_jax.records.parts import present_parts
from aniso_jax.records.shard import Shard
from aniso_jax.storage.atomic import full_disk_said, write_flushed

TIMINGS = "timings.jsonl"


def timings_path(directory: Path, shard: Shard | None = None) -> Path:
    """Where a process writes its times.

    >>> timings_path(Path(), Shard(number=2, count=8)).name
    'timings-2-of-8.jsonl'
    """
    path = directory / TIMINGS
    return path if shard is None else path.with_stem(f"{path.stem}{shard.suffix}")


def append_timing(
    directory: Path, part: int, timings: Mapping[str, Any], shard: Shard | None = None
) -> None:
    """Append what was measured while a part was computed.

    Args:
        directory: the run.
        part: number of the part.
        timings: plain values by name; `inputs`, `optimise_seconds` and `certify_seconds` (totals
            of the part, in seconds, as `fold_seconds`) are read back by `load_frame`.
        shard: whose file it goes to.

    Raises:
        DiskFull: there is no room; the line is not there, not even in part.
    """
    line = json.dumps({**timings, "part": part}, sort_keys=True, allow_nan=False) + "\n"
    path = timings_path(directory, shard)
    with full_disk_said(path), open(path, "ab+", buffering=0) as file:
        file.truncate(end := _whole_length(path.read_bytes()))
        try:
            write_flushed(file, line.encode())
        except BaseException:
            file.truncate(end)
            raise


def read_timings(directory: Path) -> dict[int, dict[str, Any]]:
    """The newest line of every part, by part number; empty where nothing was measured.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as run:
    ...     append_timing(Path(run), 0, {"certify_seconds": 1.5})
    ...     read_timings(Path(run))
    {0: {'certify_seconds': 1.5, 'part': 0}}
    """
    files = sorted(directory.glob("timings*.jsonl"))
    return {entry["part"]: entry for path in files for entry in read_lines(path)}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The whole lines of one file of times, oldest first; none where there is no file.

    Raises:
        ValueError: a whole line is damaged; the file can go, since no result is in it.
    """
    content = path.read_bytes() if path.exists() else b""
    lines = content[: _whole_length(content)].split(b"\n")[:-1]
    return [_read_line(path, number, line) for number, line in enumerate(lines, start=1)]


def seconds_per_input(timings: Mapping[int, Mapping[str, Any]], name: str) -> float | None:
    """Mean seconds an input over the parts that were timed; None where none was.

    >>> seconds_per_input({0: {"inputs": 4, "certify_seconds": 2.0}}, "certify_seconds")
    0.5
    """
    timed = [entry for entry in timings.values() if name in entry and "inputs" in entry]
    inputs = sum(entry["inputs"] for entry in timed)
    return float(sum(entry[name] for entry in timed) / inputs) if inputs else None


def seconds_by_row(directory: Path, experiment: Experiment) -> list[float]:
    """Seconds of each input there is, search and certification: its part's mean; NaN if not timed.

    In the order of `load_run`, also of a run that lacks parts.
    """
    both = ("optimise_seconds", "certify_seconds")
    means = {
        part: sum(float(entry[name]) for name in both) / int(entry["inputs"])
        for part, entry in read_timings(directory).items()
        if all(name in entry for name in both)  # a run put through a memory later has none
    }
    size, inputs = experiment.part_size, experiment.inputs
    rows = {part: min(size, inputs - part * size) for part in present_parts(directory)}
    return [means.get(part, float("nan")) for part, count in rows.items() for _ in range(count)]


def _read_line(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        entry = json.loads(line)
    except ValueError:
        entry = None
    if not isinstance(entry, dict) or "part" not in entry:
        raise ValueError(
            f"{path} is damaged in line {number}: delete the file, which holds times only; every "
            "result stays."
        )
    return entry


def _whole_length(content: bytes) -> int:
    return content.rfind(b"\n") + 1
