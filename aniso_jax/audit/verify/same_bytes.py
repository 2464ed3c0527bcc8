"""Whether a file of a run has the very bytes that its content is written as.

A content hash says nothing of the bytes that carry no content. But the same records are always
written as the same bytes, by one version of pyarrow, so writing them once more shows every bit.
"""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from aniso_jax.records.experiment import Experiment
from aniso_jax.records.parts import part_path, write_part
from aniso_jax.records.schema import run_schema

_WRITER = re.compile(r"parquet-cpp-arrow version (\d+\.\d+\.\d+)")


def part_has_its_bytes(run: Path, part: int, table: Any, experiment: Experiment) -> bool | None:
    """Whether a part is, bit by bit, what its records are written as; None where another writer
    wrote it.

    Args:
      run, part: where it lies.
      table: its records, as `read_part` returns them.
      experiment: the run's.
    """
    path = part_path(run, part)
    writer = _writer(path)
    if writer is not None and writer != pa.__version__:
        return None
    with TemporaryDirectory() as directory:
        again = Path(directory)
        write_part(again, part, table.cast(run_schema(experiment)), experiment)
        return part_path(again, part).read_bytes() == path.read_bytes()


def _writer(path: Path) -> str | None:
    """The version of pyarrow that wrote a file; None where the file names none."""
    try:
        named = _WRITER.fullmatch(pq.read_metadata(path).created_by)
    except UnicodeDecodeError:
        return None
    return named[1] if named else None


def is_canonical_json(path: Path) -> bool:
    """Whether a readable run.json is laid out as it is written."""
    text = path.read_bytes()
    return text == (json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n").encode()
