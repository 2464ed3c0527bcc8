"""What is said of a memory file that cannot be used now, and is not damaged."""

import os
import resource
import shutil
import signal
import subprocess
import threading

import jax.numpy as jnp
import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory.check import check
from aniso_jax.memory.opening import memory_viewed
from aniso_jax.memory.sqlite import MemoryBusy, MemoryUnwritable


@pytest.fixture
def memory(tmp_path):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((0, 0)), 0, draws="d")
        yield memory


def test_a_closed_memory_is_not_called_damaged(memory):
    memory.close()
    for use in (lambda: memory.query(jnp.zeros(2)), memory.count):
        with pytest.raises(RuntimeError, match="is closed, or was opened by another thread"):
            use()


def test_another_thread_is_told_to_open_the_memory_itself(memory):
    said = []

    def ask() -> None:
        with pytest.raises(RuntimeError, match="open it once more where it is used") as error:
            memory.ask(ball((300, 0)), 0, draws="d")
        said.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    assert said
    assert memory.count() == 1


@pytest.fixture
def nothing_more_to_write(memory):
    """A limit on the size of files: what SQLite calls a disk I/O error, as it does a quota."""
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (memory.path.stat().st_size, before[1]))
    yield lambda: resource.setrlimit(resource.RLIMIT_FSIZE, before)
    resource.setrlimit(resource.RLIMIT_FSIZE, before)
    signal.signal(signal.SIGXFSZ, handler)


@pytest.fixture
def read_only_disk(tmp_path, memory):
    """A disk with the memory, closed, on which nothing can be written any more."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a disk cannot be mounted here")
    memory.close()
    shutil.copy(memory.path, disk / "m")
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_read_only_archive_can_be_looked_at_but_not_asked(read_only_disk):
    with memory_viewed(read_only_disk / "m") as archive:
        assert int(archive.query(jnp.zeros(2)).label) == 0
        assert check(archive) == []
        with pytest.raises(MemoryUnwritable, match="nothing was changed"):
            archive.ask(ball((300, 0)), 0, draws="d")
    with pytest.raises(MemoryUnwritable, match="make the file and its directory writable"):
        aj.memory_open(read_only_disk / "m", **BOUND)


def test_a_quota_loses_nothing_and_is_not_called_damage(memory, nothing_more_to_write):
    with pytest.raises(MemoryUnwritable, match=r"could not be read or written \(disk I/O"):
        for at in range(50):
            memory.ask(ball((10.0 * at + 100, 0)), 0, draws="d")
    nothing_more_to_write()
    before = memory.count()
    assert before >= 1
    memory.ask(ball((5000.0, 0)), 0, draws="d")
    assert memory.count() == before + 1


def test_who_reads_rows_and_asks_beside_another_writer_is_told_at_once(memory):
    with aj.memory_open(memory.path, **BOUND) as other:
        for at in (1, 2, 3):
            memory.ask(ball((10.0 * at, 0)), at, draws="d")
        rows = memory.rows()
        next(rows)
        other.ask(ball((50, 0)), 1, draws="d")
        with pytest.raises(MemoryBusy, match="read these to the end, or into a list, and ask then"):
            memory.ask(ball((60, 0)), 1, draws="d")
        assert len(list(rows)) == 3
        assert memory.ask(ball((60, 0)), 1, draws="d")[1].verdict == "keep"
        assert check(memory) == []


def test_a_forked_process_is_told_to_open_the_memory_itself(memory, monkeypatch):
    """Locks belong to processes; the guard's, which both have, stays the first one's."""
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: -1)
        for use in (
            lambda: memory.ask(ball((300, 0)), 0, draws="d"),
            lambda: memory.query(jnp.zeros(2)),
            lambda: memory.copy(memory.path.with_name("copy")),
        ):
            with pytest.raises(RuntimeError, match="forked from: open it once more here"):
                use()
    assert memory.ask(ball((300, 0)), 0, draws="d")[1].verdict == "keep"
