"""Files that are there whole or not at all."""

import contextlib
import errno
import os
import re
import uuid
from collections.abc import Container, Iterator
from io import FileIO
from pathlib import Path

_TEMPORARY = re.compile(r"(.+)\.[0-9a-f]{32}\.tmp")
_FULL = {errno.ENOSPC, errno.EDQUOT}


class DiskFull(OSError):
    """The disk, or the user's quota on it, has no room left."""


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file that is seen whole or not at all, also after a crash or a power cut.

    The bytes go to a temporary name in the same directory, are flushed to the disk and renamed;
    then the directory is flushed. On any failure, Ctrl-C included, the temporary is removed.

    Raises:
        DiskFull: there is no room; what stood under the name before still stands there.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     write_atomically(Path(directory, "a.txt"), b"whole")
    ...     [file.name for file in Path(directory).iterdir()]
    ['a.txt']
    """
    temporary = path.with_name(f"{path.name}.{uuid.uuid4().hex}.tmp")
    with full_disk_said(path):
        try:
            with open(temporary, "xb", buffering=0) as file:
                write_flushed(file, content)
            os.replace(temporary, path)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        flush_directory(path.parent)


def flush_directory(directory: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def remove_leftovers(directory: Path, names: Container[str] | None = None) -> None:
    """Remove the temporaries of killed writers of these files, or of all; for their sole writer."""
    for path in directory.iterdir():
        match = _TEMPORARY.fullmatch(path.name)
        if match and (names is None or match[1] in names):
            path.unlink(missing_ok=True)


def is_leftover(path: Path) -> bool:
    """Whether a path is named like a temporary of `write_atomically`.

    >>> is_leftover(Path("part-00000.parquet.tmp")), is_leftover(Path(f"run.json.{'0' * 32}.tmp"))
    (False, True)
    """
    return _TEMPORARY.fullmatch(path.name) is not None


@contextlib.contextmanager
def full_disk_said(path: Path) -> Iterator[None]:
    """Turn the system's "no space left" into a `DiskFull`; that, and any other, names the file."""
    try:
        yield
    except OSError as error:
        if error.errno not in _FULL:
            if error.errno is not None:  # the system's own, which names no file of a write
                error.filename = error.filename or str(path)
            raise
        raise DiskFull(f"the disk is full: no room for {path}; free some space.") from error


def write_flushed(file: FileIO, content: bytes) -> None:
    """Write all bytes to an unbuffered file and flush them to the disk."""
    rest = memoryview(content)
    while rest:
        rest = rest[file.write(rest) :]
    os.fsync(file.fileno())
