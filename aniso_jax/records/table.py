"""From arrays to the table of a part, with nothing lost on the way."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from aniso_jax.records.schema import COLUMNS, ROTATION_COLUMNS


def part_table(columns: Mapping[str, Any]) -> Any:
    """The `pyarrow.Table` of some inputs, one row each, in the documented schema.

    Args:
        columns: every column by name. Arrays of shape (N,), (N, classes) for `selection_votes`,
            (N, looks, classes) for `votes`, (N, ...) for `theta`, and for `basis` and `stretch`
            of rotated scales (flattened here). A column that may be null takes None for "nowhere",
            or a list with None in it.

    Guarantee: no number is rounded. A float64 that should go into a float32 column is refused,
    because rounding to nearest may enlarge a claim; round in the safe direction first.

    Raises:
        ValueError: a missing or unknown column, a wrong length or type, a null or a NaN where none
            may be.
    """
    wanted = COLUMNS + (ROTATION_COLUMNS if "basis" in columns else ())
    odd = sorted(set(columns) ^ {field.name for field in wanted})
    if odd:
        raise ValueError(f"the columns {', '.join(odd)} are missing or unknown in a part.")
    rows = len(columns["index"])
    arrays = [_column(field, columns[field.name], rows) for field in wanted]
    return pa.Table.from_arrays(arrays, schema=pa.schema(wanted))


def _column(field: Any, values: Any, rows: int) -> Any:
    try:
        array = pa.nulls(rows, field.type) if values is None else _array(values, field.type)
    except (TypeError, pa.ArrowException) as error:
        raise ValueError(f"column {field.name}: wanted {field.type}; {error}") from error
    if len(array) != rows:
        raise ValueError(f"column {field.name} has {len(array)} rows, index has {rows}.")
    if array.null_count and not field.nullable:
        raise ValueError(f"column {field.name} has {array.null_count} nulls; it may have none.")
    if _has_nan(array):
        raise ValueError(f"column {field.name} holds NaN; records hold values and a status.")
    return array


def _array(values: Any, kind: Any) -> Any:
    if isinstance(values, list | tuple):
        return pa.array(values, type=kind)
    array = np.asarray(values)
    depth, leaf = _leaf(kind)
    if np.issubdtype(array.dtype, np.floating) and not np.can_cast(
        array.dtype, leaf.to_pandas_dtype(), "safe"
    ):
        raise TypeError(f"{array.dtype} does not fit without rounding.")
    if array.ndim <= depth:
        raise TypeError(f"an array of shape {array.shape} has too few axes.")
    return _nested(array.reshape(*array.shape[:depth], -1) if depth else array, kind)


def _leaf(kind: Any) -> tuple[int, Any]:
    """How deep the lists are nested, and the type inside the innermost one."""
    if not pa.types.is_list(kind):
        return 0, kind
    depth, leaf = _leaf(kind.value_type)
    return depth + 1, leaf


def _nested(array: np.ndarray, kind: Any) -> Any:
    if not pa.types.is_list(kind):
        return pa.array(array, type=kind)
    rows, width = array.shape[:2]
    offsets = pa.array(np.arange(rows + 1, dtype=np.int64) * width).cast(pa.int32())
    inner = _nested(array.reshape(rows * width, *array.shape[2:]), kind.value_type)
    return pa.ListArray.from_arrays(offsets, inner, type=kind)


def _has_nan(array: Any) -> bool:
    while pa.types.is_list(array.type):
        array = pc.list_flatten(array)
    return pa.types.is_floating(array.type) and bool(pc.any(pc.is_nan(array)).as_py())
