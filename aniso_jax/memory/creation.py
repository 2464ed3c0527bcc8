"""A memory file made: whole or not at all, and never beside what is left of another one."""

import contextlib
import os
import sqlite3
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from aniso_jax.memory.binding import write_binding
from aniso_jax.memory.connecting import APPLICATION, FORMAT
from aniso_jax.memory.link import BESIDE
from aniso_jax.memory.sqlite import MemoryRefused, MemoryUnwritable, errors_said
from aniso_jax.storage.atomic import flush_directory, full_disk_said

_SCHEMA = """
CREATE TABLE binding (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE regions (id INTEGER PRIMARY KEY, label INTEGER NOT NULL, gap BLOB NOT NULL,
    center BLOB NOT NULL, theta BLOB NOT NULL, digest BLOB NOT NULL);
CREATE TABLE answers (id INTEGER PRIMARY KEY, input TEXT NOT NULL, draws TEXT NOT NULL,
    run TEXT NOT NULL, verdict TEXT NOT NULL, label INTEGER NOT NULL, gap BLOB NOT NULL,
    region INTEGER, asked REAL, claimed REAL, digest BLOB NOT NULL);
CREATE TABLE attempts (input TEXT PRIMARY KEY, draws TEXT NOT NULL, digest BLOB NOT NULL)
    WITHOUT ROWID;
CREATE INDEX answers_by_input ON answers (input);
"""


def create(path: Path, binding: Mapping[str, str]) -> None:
    """Make an empty memory, seen whole or not at all; one that another process made first stays.

    A process killed in here may leave NAME.*.tmp files, which nobody reads: remove them.

    Raises:
      MemoryRefused: the log of a memory that is gone lies there.
      MemoryUnwritable, DiskFull: nothing was made.
    """
    with contextlib.suppress(FileExistsError):
        publish(path, lambda connection: _fill(connection, binding))


def copy(connection: sqlite3.Connection, path: Path) -> None:
    """Copy an open memory to a new file, seen whole or not at all, while others may write.

    Raises:
      FileExistsError: there is a file.
      MemoryRefused, MemoryUnwritable, DiskFull: nothing was made.
    """
    publish(path, lambda new: _copied(connection, new, path))


def publish(path: Path, fill: Callable[[sqlite3.Connection], None]) -> None:
    """Make a file under a name that nobody reads, flush it, and give it its own; never twice."""
    path = path.resolve()
    _check_nothing_left(path)
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    with errors_said(path), full_disk_said(path):
        try:
            connection = sqlite3.connect(temporary, isolation_level=None)
            with contextlib.closing(connection):
                fill(connection)
            _name(temporary, path)
        finally:
            for suffix in ("", *BESIDE):
                _named(temporary, suffix).unlink(missing_ok=True)
        flush_directory(path.parent)


def _name(temporary: Path, path: Path) -> None:
    """Give a file its name, unless there is one that has it; what renames would replace that."""
    try:
        os.link(temporary, path)
    except FileExistsError:
        raise
    except OSError as error:
        raise MemoryUnwritable(
            f"{path.parent} gives a file no second name ({error.strerror}), without which a memory "
            "is not made whole or not at all: give a path on a local file system with hard links."
        ) from error


def _check_nothing_left(path: Path) -> None:
    """SQLite would play the log of a memory that is gone into the one that gets its name."""
    left = [path.name + suffix for suffix in BESIDE if _named(path, suffix).exists()]
    if left and not path.exists():  # looked at last: another process makes it before its log
        raise MemoryRefused(
            f"{path.parent} holds {' and '.join(left)} but no {path.name}: what is left of a "
            "memory that was removed or moved, and would be taken for the new one's; put that "
            "memory back beside it, or remove what is left, or give another path."
        )


def _named(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


def _fill(connection: sqlite3.Connection, binding: Mapping[str, str]) -> None:
    _set_up(connection)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {FORMAT}")
    connection.executescript(f"BEGIN; {_SCHEMA} COMMIT;")
    write_binding(connection, binding)


def _copied(connection: sqlite3.Connection, new: sqlite3.Connection, path: Path) -> None:
    if path.exists():
        raise FileExistsError(f"{path} exists; give another path for the copy.")
    connection.backup(new)
    _set_up(new)


def _set_up(connection: sqlite3.Connection) -> None:
    """Raises MemoryUnwritable where the file system cannot keep a log."""
    connection.execute("PRAGMA synchronous = FULL")
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise MemoryUnwritable(
            f"SQLite keeps no write-ahead log here (journal {mode}), which many processes at one "
            "memory need: give a path on a local file system."
        )
