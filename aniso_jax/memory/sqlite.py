"""The SQLite file of a memory: opened safely, its errors said in one sentence.

Write-ahead log and synchronous=FULL: a transaction that was committed is on the disk, one that was
not is nowhere, whenever the process or the machine dies. What was committed moves from the log into
the file at once, unless somebody reads older pages at that moment: then it moves later, and until
then the log is part of the file.
"""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from aniso_jax.storage.atomic import DiskFull

APPLICATION = 0x414E4953  # says in the file's header whose it is
FORMAT = 3
_MAGIC, _HEADER = b"SQLite format 3\0", 100


class MemoryRefused(ValueError):
    """The file is no memory, or not one for this network, norm, shape or input."""


class MemoryDamaged(ValueError):
    """The file is cut off or was changed; nothing in it is believed."""


class MemoryBusy(RuntimeError):
    """Another process held the file for longer than we wait."""


class MemoryUnwritable(OSError):
    """The file, or its directory, does not let itself be written, or could not be read."""


def connect(path: Path, *, patience: float, writes: bool = True) -> sqlite3.Connection:
    """A connection to a memory that is there.

    Args:
      patience: seconds to wait for another writer.
      writes: False to look only, also where nothing can be written: SQLite makes two files beside
        a log's file even to read it, so an archive without a log is read as one that cannot change.
    """
    _check_whole(path)
    try:
        return _connect(path, "mode=rw", patience)
    except sqlite3.OperationalError as error:
        if writes or not _is_unwritable(error) or _log(path).exists():
            raise
        return _connect(path, "mode=ro&immutable=1", patience)


def _connect(path: Path, how: str, patience: float) -> sqlite3.Connection:
    address = f"{path.resolve().as_uri()}?{how}"
    connection = sqlite3.connect(address, uri=True, isolation_level=None, timeout=patience)
    try:
        _check_kind(connection, path)
        connection.execute("PRAGMA synchronous = FULL")
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection, path: Path) -> Iterator[None]:
    """Everything in the block at once, on the disk when it ends; or nothing, where it fails.

    The write lock is taken at the start, so that what is read cannot change until the end, and
    nobody who has read waits for somebody who has.
    """
    with errors_said(path):
        try:
            connection.execute("BEGIN IMMEDIATE")
            yield
            connection.execute("COMMIT")
            _settle(connection)
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


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


def _settle(connection: sqlite3.Connection) -> None:
    """Bring what is committed into the file, so that nothing is lost with a dead process's log.

    Waits for nobody. Where it fails, on a full disk or a file with readers, the log keeps all of it
    and the next transaction tries again.
    """
    with contextlib.suppress(sqlite3.OperationalError):
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


@contextlib.contextmanager
def errors_said(path: Path) -> Iterator[None]:
    """Turn what SQLite says into one sentence that names the file and the remedy."""
    try:
        yield
    except sqlite3.Error as error:
        raise _said(path, error) from error


def _said(path: Path, error: sqlite3.Error) -> Exception:
    code = _code(error)
    if code == sqlite3.SQLITE_FULL:
        return DiskFull(
            f"the disk is full: no room for {path}; what it held is kept, free some space."
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return MemoryBusy(f"{path} is being written by another process; try again later.")
    if _is_unwritable(error):
        return MemoryUnwritable(
            f"{path} cannot be written ({error}); nothing was changed: make the file and its "
            "directory writable, or give another path."
        )
    if code == sqlite3.SQLITE_NOTADB:
        return MemoryRefused(f"{path} is no memory file ({error}); give another path.")
    if code == sqlite3.SQLITE_CORRUPT or str(error).startswith("no such"):
        return MemoryDamaged(
            f"{path} is damaged ({error}); restore it from a copy, or begin another memory."
        )
    if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
        return RuntimeError(
            f"{path} is closed, or was opened by another thread ({error}): open it once more where "
            "it is used."
        )
    return MemoryUnwritable(
        f"{path} could not be read or written ({error}); nothing was stored, and what it held is "
        "kept: see to the disk or the limits of this process, and try again."
    )


def _code(error: sqlite3.Error) -> int:
    """The primary one."""
    return int(getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR)) & 0xFF


def _is_unwritable(error: sqlite3.Error) -> bool:
    return _code(error) in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM)


def _log(path: Path) -> Path:
    """Beside the file itself, not beside a link to it."""
    real = path.resolve()
    return real.with_name(f"{real.name}-wal")


def _check_whole(path: Path) -> None:
    """Refuse a file that is shorter than its header says; SQLite itself looks at pages it needs.

    With a log beside it the file may rightly be behind its header, and SQLite makes it whole.
    """
    if _log(path).exists() or path.stat().st_size < _HEADER:
        return
    with path.open("rb") as file:
        header = file.read(_HEADER)
    page = int.from_bytes(header[16:18], "big") or 1
    wanted = int.from_bytes(header[28:32], "big") * (65536 if page == 1 else page)
    if header.startswith(_MAGIC) and path.stat().st_size < wanted and not _log(path).exists():
        raise MemoryDamaged(
            f"{path} is damaged (it has {path.stat().st_size} of its {wanted} bytes); restore it "
            "from a copy, or begin another memory."
        )


def _check_kind(connection: sqlite3.Connection, path: Path) -> None:
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application != APPLICATION:
        raise MemoryRefused(
            f"{path} is no memory file, or nothing is left of it; give another path."
        )
    if version != FORMAT:
        raise MemoryRefused(
            f"{path} has format {version}, this version of aniso_jax reads format {FORMAT}; use "
            "the version that wrote it."
        )
