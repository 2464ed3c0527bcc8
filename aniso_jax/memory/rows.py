"""Rows of the file and the arrays made of them: the numbers stored are the numbers claimed."""

import hashlib
import math
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rounding import total
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.registry import Memory, memory_empty, put
from aniso_jax.memory.sqlite import MemoryDamaged, damaged

_ENTRIES = 2**22
"""Numbers of a block's centers."""

_OWNER = "SELECT value FROM binding WHERE name = 'number'"
_SELECT = "SELECT id, label, gap, center, theta, digest FROM regions WHERE id > ? ORDER BY id"
_ENDS = (
    "SELECT claimed, claimed > (SELECT coalesce(max(id), 0) FROM regions) "
    "FROM (SELECT coalesce(max(region), 0) AS claimed FROM answers)"
)
_LITTLE = np.dtype("<f4")


@dataclass(frozen=True, kw_only=True)
class Row:
    """A stored region: its number (1, 2, ...), class and float32 numbers."""

    id: int
    label: int
    gap: NDArray[np.float32]
    center: NDArray[np.float32]
    theta: NDArray[np.float32]

    def values(self, owner: str) -> tuple[Any, ...]:
        """What the table of the memory with this number holds of it."""
        blobs = tuple(as_bytes(array) for array in (self.gap, self.center, self.theta))
        return self.id, self.label, *blobs, _digest(owner, self.id, self.label, *blobs)


def as_bytes(values: Any) -> bytes:
    """Float32, little-endian, in C order."""
    return np.ascontiguousarray(values, _LITTLE).tobytes()


def from_bytes(blob: bytes, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """The array that `as_bytes` wrote."""
    return np.frombuffer(blob, _LITTLE).astype(np.float32).reshape(shape)


def content_id(x: Any) -> str:
    """SHA-256 of an input's shape and float32 content; negative zeros count as zeros.

    >>> content_id(np.zeros(3, np.float32)) == content_id(-np.zeros(3, np.float32))
    True
    """
    array = np.asarray(x, np.float32) + 0
    return hashlib.sha256(str(array.shape).encode() + as_bytes(array)).hexdigest()


def write_row(connection: sqlite3.Connection, row: Row) -> None:
    """Add a region; inside the caller's transaction."""
    values = row.values(owner_of(connection))
    connection.execute("INSERT INTO regions VALUES (?, ?, ?, ?, ?, ?)", values)


def owner_of(connection: sqlite3.Connection) -> str:
    """The memory's number, which goes into every digest: what was another's does not fit.

    A log that SQLite finds beside a file is believed by SQLite, whichever file it was made for.
    """
    number: str = connection.execute(_OWNER).fetchone()[0]
    return number


def read_rows(
    connection: sqlite3.Connection, path: Path, shape: tuple[int, ...], *, after: int
) -> Iterator[Row]:
    """The regions stored since number `after`, every one of them whole.

    Raises:
      MemoryDamaged: a region is missing, has other bytes than were written, or is no region.
    """
    expected, owner = after, owner_of(connection)
    for number, label, *blobs, digest in connection.execute(_SELECT, (after,)):
        expected += 1
        are_blobs = all(isinstance(blob, bytes) for blob in blobs)
        if number != expected or not are_blobs or digest != _digest(owner, number, label, *blobs):
            raise changed(path, f"region {expected}")
        row = _row(number, label, *blobs, shape=shape)
        if row is None:
            raise damaged(
                path,
                f"region {number} is none: a class, a finite center, positive finite numbers and "
                "the memory's shape are wanted",
            )
        yield row


def _row(
    number: int, label: int, gap: bytes, center: bytes, theta: bytes, *, shape: tuple[int, ...]
) -> Row | None:
    """A region of these bytes; None where they are none, which nobody stores who goes by `ask`."""
    size = len(center) if -1 in shape else _LITTLE.itemsize * math.prod(shape)
    if (len(gap), len(center), len(theta)) != (_LITTLE.itemsize, size, size):
        return None
    row = Row(
        id=number,
        label=label,
        gap=from_bytes(gap, ()),
        center=from_bytes(center, shape),
        theta=from_bytes(theta, shape),
    )
    positive = all(np.all((sizes > 0) & (sizes < np.inf)) for sizes in (row.gap, row.theta))
    return row if label >= 0 and positive and np.all(np.isfinite(row.center)) else None


def check_all_there(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file from whose end regions are missing that answers rest on.

    Raises:
      MemoryDamaged: they are.
    """
    claimed, is_missing = connection.execute(_ENDS).fetchone()
    if is_missing:
        raise changed(path, f"region {claimed}")


def read_row(connection: sqlite3.Connection, path: Path, number: int) -> Row:
    """One region, flattened.

    Raises:
      MemoryDamaged: it is missing, or has other bytes than were written.
    """
    for row in read_rows(connection, path, (-1,), after=number - 1):
        return row
    raise changed(path, f"region {number}")


def changed(path: Path, what: str) -> MemoryDamaged:
    """What is said of something that a file should hold."""
    return damaged(path, f"{what} is missing or was changed")


def block_rows(shape: tuple[int, ...]) -> int:
    """Regions in a block."""
    return min(max(_ENTRIES // max(math.prod(shape), 1), 1), 1024)


def block_of(rows: Sequence[Row], shape: tuple[int, ...], order: int) -> Memory:
    """A block with these regions and free rows after them."""
    block = memory_empty(block_rows(shape), shape, order=order)
    used = len(rows)
    if not used:
        return block

    def filled(values: jax.Array, wanted: list[Any]) -> jax.Array:
        there = np.array(values)
        there[:used] = np.stack(wanted)
        return jnp.asarray(there)

    thetas = filled(block.thetas, [row.theta for row in rows])
    return Memory(
        centers=filled(block.centers, [row.center for row in rows]),
        thetas=thetas,
        gaps=filled(block.gaps, [row.gap for row in rows]),
        log_dets=_log_dets(thetas),
        labels=filled(block.labels, [np.int32(row.label) for row in rows]),
        count=jnp.int32(used),
        order=order,
    )


def added(block: Memory, row: Row) -> Memory:
    """The block with one more region; the block given is used up."""
    region = Region(
        center=jnp.asarray(row.center),
        scale=Diagonal(theta=jnp.asarray(row.theta)),
        gap=jnp.asarray(row.gap),
        order=block.order,
    )
    filled: Memory = _added(block, region, jnp.int32(row.label), jnp.bool_(True))
    return filled


_added = jax.jit(put, donate_argnums=0)
_log_dets = jax.jit(jax.vmap(lambda theta: total(jnp.log(theta))))


def _digest(owner: str, number: int, label: int, *blobs: bytes) -> bytes:
    sizes = [len(blob) for blob in blobs]
    digest = hashlib.sha256(f"{owner} {number} {label} {sizes}".encode())
    for blob in blobs:
        digest.update(blob)
    return digest.digest()
