"""Connections to memory files that are there: of our kind, whole, and under one name."""

import contextlib
import glob
import sqlite3
from pathlib import Path

from aniso_jax.memory.link import BESIDE, Link, named
from aniso_jax.memory.sqlite import (
    ONE_WAIT,
    MemoryRefused,
    check_in_place,
    damaged,
    is_unwritable,
    patiently,
)
from aniso_jax.storage.atomic import is_leftover

APPLICATION = 0x414E4953  # says in the file's header whose it is
FORMAT = 4


def connect(path: Path, *, patience: float, writes: bool = True) -> Link:
    """A connection to a memory that is there.

    Nothing reads the file but SQLite: what else opens and closes it gives up SQLite's locks on it.

    Args:
      patience: seconds to wait for another writer.
      writes: False to look only, also where nothing can be written: SQLite makes two files beside
        a log's file even to read it, so an archive without a log is read as one that cannot change.

    Raises:
      MemoryRefused: no memory, one of another format, or one with a second name.
      MemoryDamaged: it is shorter than it says.
    """
    real = path.resolve()
    _check_one_name(real, path)
    try:
        return _connect(real, path, "mode=rw", patience)
    except sqlite3.OperationalError as error:
        if writes or not is_unwritable(error) or _log(real).exists():
            raise
        return _connect(real, path, "mode=ro&immutable=1", patience)


def _connect(real: Path, path: Path, how: str, patience: float) -> Link:
    before = named(real)
    connection: Link = sqlite3.connect(
        f"{real.as_uri()}?{how}", uri=True, isolation_level=None, timeout=ONE_WAIT, factory=Link
    )
    try:
        connection.patience = patience
        connection.text_factory = _text
        _check_kind(connection, path)
        connection.settle_in(real, before)
        _check_whole(connection, path)
        _check_log(connection, path, how)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")  # every transaction sees to it itself
        check_in_place(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _text(raw: bytes) -> str:
    """Bytes that are no text are no error here: their digest tells that they were changed."""
    return raw.decode("utf-8", "replace")


def _check_one_name(real: Path, path: Path) -> None:
    """Refuse a file with a second name: SQLite names the log after the name, and so keeps two.

    A creation that was killed at its last step leaves one, which goes. Of a file that is mounted
    under two names the system counts one.
    """
    with contextlib.suppress(OSError):
        if real.stat().st_nlink > 1:
            _remove_leftover_names(real)
        if real.stat().st_nlink > 1:
            raise MemoryRefused(
                f"{path} has {real.stat().st_nlink} names (hard links): each would get a log of "
                "its own, and together they destroy the file; remove all names but one, or copy it "
                "while nobody has it open."
            )


def _remove_leftover_names(real: Path) -> None:
    for other in real.parent.glob(f"{glob.escape(real.name)}.*.tmp"):
        if is_leftover(other) and other.samefile(real):
            other.unlink(missing_ok=True)


def _log(real: Path) -> Path:
    return real.with_name(real.name + BESIDE[0])


def _check_kind(connection: Link, path: Path) -> None:
    application = patiently(connection, "PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise MemoryRefused(
            f"{path} is no memory file, or nothing is left of it; give another path."
        )
    if version != FORMAT:
        raise MemoryRefused(
            f"{path} has format {version}, this version of aniso_jax reads format {FORMAT}; use "
            "the version that wrote it, or begin another memory."
        )


def _check_whole(connection: Link, path: Path) -> None:
    """Refuse a file that is shorter than its header says; SQLite itself looks at pages it needs.

    With a log that holds something the file may rightly be behind its header.
    """
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    there, log = connection.path.stat().st_size, _log(connection.path)
    if there < pages * size and not (log.exists() and log.stat().st_size):
        raise damaged(path, f"it has {there} of its {pages * size} bytes")


def _check_log(connection: Link, path: Path, how: str) -> None:
    """Refuse a file whose header says that it has no log; it was made with one."""
    (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    if mode != "wal" and "immutable" not in how:
        raise damaged(path, f"its journal is {mode}, and was a log")
