"""One writer a run directory, or one a shard; the kernel forgets the lock of a dead process."""

import contextlib
import fcntl
import os
import re
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from aniso_jax.records.shard import Shard
from aniso_jax.storage.atomic import full_disk_said

LOCK = ".lock"
_SHARD_LOCK = re.compile(r"\.lock-(\d+)-of-(\d+)")
_TRIES, _PAUSE = 3, 0.02  # whoever looks holds a lock for a moment


class RunBusy(RuntimeError):
    """Another living process writes this run directory."""


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A living process that writes a run directory.

    Attributes:
        shard: its share; None for all of it.
        holder: which process it says it is.
    """

    shard: Shard | None
    holder: str


@contextlib.contextmanager
def sole_writer(directory: Path, shard: Shard | None = None) -> Iterator[None]:
    """Hold the directory's lock while the block runs; shards hold it together, each its own alone.

    The files `.lock` stay behind and mean nothing by themselves: the locks are the kernel's
    (`flock`) and end with the process, however it ends.

    Raises:
        RunBusy: another process holds it, or a shard of another cut, which has some of the same
            parts; the sentence names that process.
        ValueError: the file system has no locks, as some of clusters.
    """
    if shard is None:
        with _held(directory / LOCK, directory, fcntl.LOCK_EX):
            yield
        return
    with (
        _held(directory / LOCK, directory, fcntl.LOCK_SH),
        _held(directory / f"{LOCK}{shard.suffix}", directory, fcntl.LOCK_EX),
    ):
        _check_cut(directory, shard)
        yield


def is_lock(path: Path) -> bool:
    """Whether a file is one of those that writers hold.

    >>> is_lock(Path("run/.lock")), is_lock(Path(".lock-2-of-8")), is_lock(Path("a.lock"))
    (True, True, False)
    """
    return path.name == LOCK or _SHARD_LOCK.fullmatch(path.name) is not None


def writers(directory: Path) -> list[Writer]:
    """The living processes that write a directory, as far as its file system tells."""
    files = sorted(path for path in directory.iterdir() if is_lock(path))
    return [Writer(shard=_shard_of(path), holder=_holder(path)) for path in files if _is_held(path)]


def _check_cut(directory: Path, shard: Shard) -> None:
    """Asked under one's own lock, so that of two who begin together one at least sees the other."""
    for writer in writers(directory):
        if writer.shard is not None and writer.shard.count != shard.count:
            raise RunBusy(
                f"{directory} is being written by {writer.holder} as shard {writer.shard}: wait "
                f"until it ends, or give --shard i/{writer.shard.count} with another i."
            )


@contextlib.contextmanager
def _held(path: Path, directory: Path, kind: int) -> Iterator[None]:
    with full_disk_said(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not _acquired(descriptor, kind, directory):
            raise RunBusy(
                f"{directory} is being written by {_holder(path)}; wait until it ends, or choose "
                "another --out."
            )
        with full_disk_said(path):
            _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def _acquired(descriptor: int, kind: int, directory: Path) -> bool:
    for attempt in range(_TRIES):
        time.sleep(_PAUSE * (attempt > 0))
        try:
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            continue
        except OSError as error:
            raise ValueError(
                f"{directory} lies on a file system without locks (flock: {error.strerror}), so "
                "that two processes could write it unseen: give each its own --out on a disk that "
                "has them, and put them together by aniso-jax merge."
            ) from error
    return False


def _is_held(path: Path) -> bool:
    """Whether somebody holds it alone; where there are no locks, nobody can."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return False


def _shard_of(path: Path) -> Shard | None:
    match = _SHARD_LOCK.fullmatch(path.name)
    return Shard(number=int(match[1]), count=int(match[2])) if match else None


def _holder(path: Path) -> str:
    return path.read_bytes()[:200].decode(errors="replace").strip() or "another process"


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
