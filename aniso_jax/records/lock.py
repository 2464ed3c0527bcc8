"""One writer a run directory; the kernel forgets the lock of a process that has died."""

import contextlib
import fcntl
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from aniso_jax.storage.atomic import full_disk_said

LOCK = ".lock"


class RunBusy(RuntimeError):
    """Another living process writes this run directory."""


@contextlib.contextmanager
def sole_writer(directory: Path) -> Iterator[None]:
    """Hold the directory's lock while the block runs.

    The file `.lock` stays behind and means nothing by itself: the lock is the kernel's (`flock`)
    and ends with the process, however it ends.

    Raises:
        RunBusy: another process holds it; the sentence names that process.
    """
    path = directory / LOCK
    with full_disk_said(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _acquire(descriptor, directory)
        with full_disk_said(path):
            _sign(descriptor)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, directory: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 200, 0).decode(errors="replace").strip() or "another process"
        raise RunBusy(
            f"{directory} is being written by {holder}; wait until it ends, or choose another "
            "--out."
        ) from None


def _sign(descriptor: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}\n".encode(), 0)
