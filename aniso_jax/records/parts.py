"""Immutable part files: `part-00007.parquet`, whole, hashed, and of one run only."""

import io
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from aniso_jax.records.content import content_hash
from aniso_jax.records.experiment import Experiment, differences
from aniso_jax.records.schema import experiment_of, run_schema
from aniso_jax.storage.atomic import write_atomically

_NAME = re.compile(r"part-(\d{5,})\.parquet")
_PART, _CONTENT = b"aniso_jax.part", b"aniso_jax.content"


class TornPart(ValueError):
    """A part file that is cut off or damaged; it can be deleted and computed again."""


class ForeignPart(ValueError):
    """A part file that belongs to another run, or to another place in this one."""


def part_path(directory: Path, part: int) -> Path:
    """Where a part lies.

    >>> part_path(Path("run"), 7).name
    'part-00007.parquet'
    """
    return directory / f"part-{part:05d}.parquet"


def present_parts(directory: Path) -> list[int]:
    """The numbers of the parts that are there, ascending; their content is not looked at."""
    matches = (_NAME.fullmatch(path.name) for path in directory.iterdir())
    return sorted(int(match[1]) for match in matches if match)


def missing_parts(there: Iterable[int], experiment: Experiment) -> list[int]:
    """The numbers of the parts that are not there yet."""
    return sorted(set(range(experiment.parts)) - set(there))


def write_part(directory: Path, part: int, table: Any, experiment: Experiment) -> None:
    """Write one part, whole or not at all.

    Guarantee: the same table gives the same bytes, however it is chunked in memory (under one
    version of pyarrow; `content_hash` is the same under all).

    Raises:
        ValueError: the table has other columns or another number of rows than the part wants.
        DiskFull: there is no room; nothing half-written stays.
    """
    constants = {**run_schema(experiment).metadata, _PART: str(part).encode()}
    table = table.replace_schema_metadata(constants)
    trouble = _shape_trouble(table, part, experiment)
    if trouble:
        raise ValueError(f"part {part} cannot be written: {trouble}.")
    hashed = table.replace_schema_metadata({**constants, _CONTENT: content_hash(table).encode()})
    write_atomically(part_path(directory, part), parquet_bytes(hashed))


def read_part(directory: Path, part: int, experiment: Experiment) -> Any:
    """One part as a `pyarrow.Table`, after every check.

    Raises:
        TornPart: the file is cut off, damaged, or its content does not have the hash it names.
        ForeignPart: it is of another run, part number or schema; what differs is named.
    """
    path = part_path(directory, part)
    table = _read_parquet(path)
    trouble = _foreign_trouble(table, part, experiment)
    if trouble:
        raise ForeignPart(f"{path} does not belong to this run: {trouble}. Move it away.")
    constants = dict(table.schema.metadata)
    named = constants.pop(_CONTENT, b"").decode()
    table = table.replace_schema_metadata(constants)
    if content_hash(table) != named:
        raise TornPart(_torn(path, "its content does not have the hash that it names"))
    return table


def parquet_bytes(table: Any) -> bytes:
    """The table as a parquet file; equal tables give equal bytes under one version of pyarrow."""
    sink = io.BytesIO()
    whole = table.combine_chunks()
    pq.write_table(whole, sink, compression="zstd", row_group_size=max(1, len(whole)))
    return sink.getvalue()


def _read_parquet(path: Path) -> Any:
    try:
        return pq.ParquetFile(pa.BufferReader(path.read_bytes())).read()
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        reason = str(error).splitlines()[0].rstrip(".")
        raise TornPart(_torn(path, reason)) from error


def _torn(path: Path, reason: str) -> str:
    return f"{path} is torn ({reason}): delete it and run the same command again to redo it."


def _foreign_trouble(table: Any, part: int, experiment: Experiment) -> str:
    try:
        there = experiment_of(table.schema)
    except ValueError as error:
        return str(error).rstrip(".")
    if there != experiment:
        return "; ".join(differences(there, experiment))
    number = table.schema.metadata.get(_PART, b"none").decode()
    if number != str(part):
        return f"it is part {number}, under the name of part {part}"
    return _shape_trouble(table, part, experiment)


def _shape_trouble(table: Any, part: int, experiment: Experiment) -> str:
    wanted = run_schema(experiment)
    if not table.schema.equals(wanted):
        odd = sorted({str(f) for f in table.schema} ^ {str(f) for f in wanted})
        return f"its columns differ from the schema in {', '.join(odd) or 'their order'}"
    rows = min(experiment.part_size, experiment.inputs - part * experiment.part_size)
    if len(table) != rows or rows < 1:
        return f"it has {len(table)} rows, the run wants {max(rows, 0)} in part {part}"
    steps = pc.pairwise_diff(table["index"].combine_chunks())
    if len(table) > 1 and pc.min(steps).as_py() < 1:
        return "its indices do not ascend"
    return ""
