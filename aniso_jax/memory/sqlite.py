"""The SQLite file of a memory: written safely, its errors said in one sentence.

Write-ahead log and synchronous=FULL: a transaction that was committed is on the disk, one that was
not is nowhere, whenever the process or the machine dies. What was committed moves from the log into
the file at once, unless somebody reads older pages or writes at that moment: then it moves later,
and until then the log is part of the file.

It moves under the write lock. SQLite itself does not ask for that, and before 3.51.3 (3.50.7 and
3.44.6 have the mend too) it loses what is committed by one connection, beginning the log anew, just
while another looks what there is to move.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from aniso_jax.memory.link import Link
from aniso_jax.storage.atomic import DiskFull

ONE_WAIT = 0.1
"""Seconds that SQLite may wait by itself, deaf to Ctrl-C."""

_DAMAGE = {
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_ERROR,  # our own statements are right, so that the file's tables are not
    sqlite3.SQLITE_CONSTRAINT,
    sqlite3.SQLITE_MISMATCH,
    sqlite3.SQLITE_TOOBIG,
}


class MemoryRefused(ValueError):
    """The file is no memory, or not one for this network, norm, shape or input."""


class MemoryDamaged(ValueError):
    """The file is cut off or was changed; nothing in it is believed."""


class MemoryBusy(RuntimeError):
    """Another process held the file for longer than we wait."""


class MemoryUnwritable(OSError):
    """The file, or its directory, does not let itself be written, or could not be read."""


class MemoryMoved(MemoryUnwritable):
    """The file or its log was removed, moved or replaced while it was open."""


@contextlib.contextmanager
def transaction(connection: Link, path: Path) -> Iterator[None]:
    """Everything in the block at once, on the disk when it ends; or nothing, where it fails.

    The write lock is taken at the start, so that what is read cannot change until the end, and
    nobody who has read waits for somebody who has. The names are looked at again at the end:
    what went into a file that has none is not acknowledged.
    """
    with errors_said(path):
        try:
            patiently(connection, "BEGIN IMMEDIATE")
            check_in_place(connection, path)
            yield
            connection.execute("COMMIT")
            check_in_place(connection, path)
            _settle(connection)
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def check_in_place(connection: Link, path: Path) -> None:
    """Refuse to go on with files that have lost their names, or that another process opened.

    Raises:
      MemoryMoved: they have.
      RuntimeError: it did, and this one was forked from it.
    """
    if connection.is_inherited():
        raise RuntimeError(
            f"{path} was opened by the process that this one was forked from: open it once more "
            "here."
        )
    if not connection.is_in_place():
        raise MemoryMoved(
            f"{path}, or the -wal or -shm beside it, was removed, moved or replaced while it was "
            "open here; nothing is answered from what is open: see that all of the memory is in "
            "place, and open it once more."
        )


def patiently(connection: Link, statement: str) -> sqlite3.Cursor:
    """Run a statement that may have to wait, for as long as the connection is patient.

    In short waits, since SQLite's own does not hear Ctrl-C.
    """
    end = time.monotonic() + connection.patience
    while True:
        try:
            return connection.execute(statement)
        except sqlite3.OperationalError as error:
            is_worth_it = _code(error) == sqlite3.SQLITE_BUSY and not _is_behind(error)
            if not is_worth_it or time.monotonic() >= end:
                raise
        time.sleep(ONE_WAIT / 10)


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """What is read in the block is of one moment, whatever others write meanwhile; nests."""
    if connection.in_transaction:
        yield
        return
    with errors_said(path):
        connection.execute("BEGIN")
        try:
            yield
        finally:
            with contextlib.suppress(sqlite3.ProgrammingError):  # closed: it has ended
                connection.rollback()


def _settle(connection: Link) -> None:
    """Bring what is committed into the file, so that nothing is lost with a dead process's log.

    Nobody writes meanwhile. Where it fails, on a full disk or a file with readers or another
    writer, the log keeps all of it and the next transaction tries again.
    """
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("BEGIN IMMEDIATE")
        try:
            connection.move_log()
        finally:
            connection.execute("COMMIT")


@contextlib.contextmanager
def errors_said(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one sentence that names the file and the remedy."""
    try:
        yield
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise _said(path, error) from error


def _said(path: Path, error: Exception) -> Exception:
    code = _code(error)
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return RuntimeError(
            f"{path} is closed, or was opened by another thread ({error}): open it once more where "
            "it is used."
        )
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(
            f"the disk is full: no room for {path}; what it held is kept, free some space."
        )
    if _is_behind(error):
        return MemoryBusy(
            f"{path} was written by others while its rows() or blocks() are being read here, as "
            "they were before: read these to the end, or into a list, and ask then."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return MemoryBusy(f"{path} is being written by another process; try again later.")
    if is_unwritable(error):
        return MemoryUnwritable(
            f"{path} cannot be written ({error}); nothing was changed: make the file and its "
            "directory writable, or give another path."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return MemoryRefused(f"{path} is no memory file ({error}); give another path.")
    if code in _DAMAGE:
        return damaged(path, str(error))
    return MemoryUnwritable(
        f"{path} could not be read or written ({error}); nothing was stored, and what it held is "
        "kept: see to the disk or the limits of this process, and try again."
    )


def damaged(path: Path, how: str) -> MemoryDamaged:
    """What is said of a file whose content is not what was written."""
    return MemoryDamaged(
        f"{path} is damaged ({how}); restore it from a copy, or begin another memory."
    )


def is_unwritable(error: Exception) -> bool:
    """Whether SQLite says that it may not write."""
    return _code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def _is_behind(error: Exception) -> bool:
    """Whether this connection is reading what is no longer the last; waiting changes nothing."""
    return getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_BUSY_SNAPSHOT


def _code(error: Exception) -> int:
    """The primary one; of text that is none, which has no code, that of a damaged file."""
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_IOERR_SHORT_READ:
        return sqlite3.SQLITE_CORRUPT
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF
