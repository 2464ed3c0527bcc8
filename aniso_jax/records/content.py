"""A hash of what a table says, whatever its chunks, buffers, compression or library version."""

import hashlib
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def content_hash(table: Any) -> str:
    """SHA-256, in hexadecimal, of a table's names, types, values and run-level constants.

    Two tables have the same hash where they hold the same rows: the layout in memory or in a file
    does not matter.
    """
    digest = hashlib.sha256()
    for key, value in sorted((table.schema.metadata or {}).items()):
        _feed_bytes(digest, key)
        _feed_bytes(digest, value)
    for field in table.schema:
        _feed_bytes(digest, f"{field.name}:{_spelt(field.type)}".encode())
        _feed_array(digest, pa.concat_arrays([*table[field.name].chunks, pa.array([], field.type)]))
    return digest.hexdigest()


def _spelt(kind: Any) -> str:
    """A type without the name of a list's inside, which parquet changes."""
    return f"list<{_spelt(kind.value_type)}>" if pa.types.is_list(kind) else str(kind)


def _feed_bytes(digest: Any, content: bytes) -> None:
    digest.update(len(content).to_bytes(8, "little"))
    digest.update(content)


def _feed_array(digest: Any, array: Any) -> None:
    """Which values are there, then the values: of a list the lengths and what is inside."""
    _feed_numbers(digest, array.is_valid())
    if pa.types.is_list(array.type):
        _feed_numbers(digest, pc.list_value_length(array).fill_null(0))
        _feed_array(digest, pc.list_flatten(array))
    elif pa.types.is_string(array.type):
        _feed_numbers(digest, pc.binary_length(array).fill_null(0))
        _feed_bytes(digest, "".join(array.fill_null("").to_pylist()).encode())
    else:
        zero = pa.scalar(False) if pa.types.is_boolean(array.type) else pa.scalar(0, array.type)
        _feed_numbers(digest, array.fill_null(zero))


def _feed_numbers(digest: Any, array: Any) -> None:
    numbers = array.to_numpy(zero_copy_only=False)
    _feed_bytes(digest, np.ascontiguousarray(numbers, numbers.dtype.newbyteorder("<")).tobytes())
