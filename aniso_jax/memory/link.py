"""A connection that knows which files it has open, and whether they still have their names.

SQLite finds the log and its index by name, and counts who has a file open by locks of the process.
Both can be undone from outside: files are moved, removed or put back from a copy; and a process
that reads or copies the file by itself gives up its own locks with it, whereupon the next one that
closes the file takes itself for the last and removes the log. So every transaction looks at the
names again, and a lock that such reading does not undo is held where the system has one (Linux).
"""

import os
import sqlite3
import struct
import sys
from io import FileIO
from pathlib import Path

if sys.platform == "linux":
    import fcntl

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a file."""

_SHARED = (0x40000002, 510)  # the bytes that SQLite locks for as long as a file is open

_UNLOCKABLE: dict[tuple[int, int] | None, FileIO] = {}
"""Files on which the system has no such lock; never closed, which would give up SQLite's."""

Names = tuple[tuple[int, int] | None, ...]
"""Device and number of the file, of its log and of the log's index; None where there is none."""


class Link(sqlite3.Connection):
    """A connection to a memory.

    Attributes:
      path: of the file itself, whatever link led to it.
      names: which files it has open; None where it has none.
      patience: seconds to wait for another writer.
    """

    path: Path
    names: Names | None = None
    patience: float = 0.0
    _guard: FileIO | None = None
    _mover: sqlite3.Connection | None = None
    _process: int | None = None

    def settle_in(self, path: Path, before: Names) -> None:
        """Remember what is open, and lock it; after the first reading, which opens the log.

        Args:
          path: of the file itself.
          before: what had its names before it was opened.
        """
        self.path, self._guard, self._process = path, _guarded(path), os.getpid()
        self.names = (*before[:1], *named(path)[1:])

    def is_in_place(self) -> bool:
        """Whether the names still lead to the files that are open."""
        return self.names is None or named(self.path) == self.names

    def is_inherited(self) -> bool:
        """Whether a process opened it that this one was forked from: its locks are not ours."""
        return self._process not in (None, os.getpid())

    def move_log(self) -> None:
        """Move what was committed from the log into the file, waiting for nobody.

        By a second connection, since SQLite refuses it to one that keeps other writers away.
        """
        if self._mover is None:
            self._mover = sqlite3.connect(f"{self.path.as_uri()}?mode=rw", uri=True, timeout=0)
            self._mover.execute("PRAGMA synchronous = FULL")
        if self.is_in_place():
            self._mover.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def close(self) -> None:
        """Let go; where the names lead elsewhere by now, so that what has them stays.

        SQLite's last one moves the log into the file and removes what is called as the log was.
        """
        guard = self._guard
        if guard is not None and self.is_in_place() and not self.is_inherited():
            _lock(guard, is_held=False)
        try:
            if self._mover is not None:
                self._mover.close()
            super().close()
        except sqlite3.ProgrammingError:  # another thread has it open
            if guard is not None:
                _lock(guard, is_held=True)
            raise
        self.names = self._guard = self._mover = None
        if guard is not None:
            guard.close()


def named(path: Path) -> Names:
    """What has the names of a file, its log and the log's index now."""
    return tuple(_identity(path.with_name(path.name + end)) for end in ("", *BESIDE[:2]))


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _guarded(path: Path) -> FileIO | None:
    """The file, locked as by SQLite for as long as this is open; None where that cannot be.

    The lock belongs to what is open, not to the process as SQLite's do.
    """
    if sys.platform != "linux" or _identity(path) in _UNLOCKABLE:
        return None
    try:
        guard = FileIO(path)
    except OSError:
        return None
    try:
        _lock(guard, is_held=True)
    except OSError:
        found = os.fstat(guard.fileno())
        _UNLOCKABLE[found.st_dev, found.st_ino] = guard
        return None
    return guard


def _lock(guard: FileIO, *, is_held: bool) -> None:
    if sys.platform == "linux":
        kind = fcntl.F_RDLCK if is_held else fcntl.F_UNLCK
        wanted = struct.pack("hhqqi0q", kind, os.SEEK_SET, *_SHARED, 0)
        fcntl.fcntl(guard, fcntl.F_OFD_SETLK, wanted)
