"""The names of a memory's files: taken away, given twice, or read behind SQLite's back."""

import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys

import jax.numpy as jnp
import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory import creation, link
from aniso_jax.memory.check import check
from aniso_jax.memory.link import named
from aniso_jax.memory.sqlite import MemoryMoved, MemoryRefused, MemoryUnwritable, transaction

COME_AND_GO = (
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
    "c.execute('SELECT count(*) FROM regions').fetchone(); c.close()"
)


@pytest.fixture
def memory(tmp_path):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((0, 0)), 0, draws="d")
        yield memory


def copied_by_hand_and_closed_by_another(memory) -> None:
    shutil.copy(memory.path, memory.path.with_name("copy"))
    subprocess.run([sys.executable, "-c", COME_AND_GO, str(memory.path)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is Linux's")
def test_a_file_that_is_copied_while_it_is_open_keeps_its_log(memory):
    before = named(memory.path)
    copied_by_hand_and_closed_by_another(memory)
    assert named(memory.path) == before
    assert memory.ask(ball((10, 0)), 1, draws="d")[1].verdict == "keep"
    memory.close()
    assert [path.name for path in memory.path.parent.glob("m*")] == ["m"]
    with aj.memory_open(memory.path, **BOUND) as again:
        assert again.count() == 2
        assert check(again) == []


def not_supported(*_, **__):
    raise OSError(errno.EOPNOTSUPP, "Operation not supported")


def test_where_not_supported_holds_nothing_is_acknowledged_into_a_log_that_is_gone(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(link, "_lock", not_supported)
    monkeypatch.setattr(link, "_UNLOCKABLE", {})
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((0, 0)), 0, draws="d")
        copied_by_hand_and_closed_by_another(memory)
        with pytest.raises(MemoryMoved, match="was removed, moved or replaced while it was open"):
            memory.ask(ball((10, 0)), 1, draws="d")
    with aj.memory_open(tmp_path / "m", **BOUND) as again:
        assert again.count() == 1
        assert check(again) == []


def test_another_connection_of_the_process_does_not_undo_the_lock(memory):
    aj.memory_open(memory.path, **BOUND).close()
    before = named(memory.path)
    subprocess.run([sys.executable, "-c", COME_AND_GO, str(memory.path)], check=True)
    assert named(memory.path) == before


def removed(path) -> None:
    for end in ("", "-wal", "-shm"):
        path.with_name(path.name + end).unlink()


LOST = {
    "removed": removed,
    "moved": lambda path: path.rename(path.with_name("elsewhere")),
    "its log removed": lambda path: path.with_name("m-wal").unlink(),
    "its log's index removed": lambda path: path.with_name("m-shm").unlink(),
    "put back from a copy": lambda path: os.replace(shutil.copy(path, f"{path}.old"), path),
}


@pytest.mark.parametrize("how", LOST)
def test_a_file_that_lost_its_name_is_asked_no_more(memory, how):
    LOST[how](memory.path)
    for use in (
        lambda: memory.ask(ball((10, 0)), 1, draws="d"),
        lambda: memory.query(jnp.zeros(2)),
        lambda: memory.begin(jnp.zeros(2), draws="d"),
        lambda: memory.copy(memory.path.with_name("copy")),
    ):
        with pytest.raises(MemoryMoved, match="see that all of the memory is in place"):
            use()
    assert memory.count() == 1  # in what is open, nothing was written either


def test_what_is_closed_after_it_was_replaced_leaves_the_new_one_alone(memory):
    removed(memory.path)
    with aj.memory_open(memory.path, **BOUND) as new:
        new.ask(ball((0, 0)), 1, draws="d")
        memory.close()
        assert new.ask(ball((10, 0)), 1, draws="d")[1].verdict == "keep"
        assert check(new) == []


def test_a_name_lost_in_the_middle_acknowledges_nothing(memory):
    lost = pytest.raises(MemoryMoved)
    with lost, transaction(memory.connection, memory.path):
        removed(memory.path)


def test_a_second_name_is_refused_save_what_a_killed_creation_left(tmp_path):
    path, left = tmp_path / "m[1]", tmp_path / f"m[1].{'0' * 32}.tmp"
    aj.memory_open(path, **BOUND).close()
    os.link(path, left)
    aj.memory_open(path, **BOUND).close()
    assert not left.exists()
    os.link(path, tmp_path / "n")
    for name in (path, tmp_path / "n"):
        with pytest.raises(MemoryRefused, match=r"has 2 names \(hard links\): each would get a"):
            aj.memory_open(name, **BOUND)
    (tmp_path / "n").unlink()
    aj.memory_open(path, **BOUND).close()


def test_a_memory_is_copied_with_what_is_in_its_log(memory, tmp_path):
    reader = sqlite3.connect(memory.path)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM regions").fetchone()
    memory.ask(ball((10, 0)), 1, draws="d")  # stays in the log while somebody reads
    memory.copy(tmp_path / "copy")
    reader.close()
    with aj.memory_open(tmp_path / "copy", **BOUND) as copy:
        assert copy.count() == 2
        assert check(copy) == []
        assert copy.binding.number == memory.binding.number
        assert copy.ask(ball((20, 0)), 1, draws="d")[1].verdict == "keep"
    with pytest.raises(FileExistsError, match="give another path for the copy"):
        memory.copy(tmp_path / "copy")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "m", "m-shm", "m-wal"]


def test_a_file_system_without_hard_links_or_logs_is_told(tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", not_supported)
        with pytest.raises(MemoryUnwritable, match="a local file system with hard links"):
            aj.memory_open(tmp_path / "m", **BOUND)
    assert not list(tmp_path.iterdir())
    with (
        sqlite3.connect(":memory:") as keeps_no_log,
        pytest.raises(MemoryUnwritable, match=r"no write-ahead log here \(journal memory\)"),
    ):
        creation._set_up(keeps_no_log)


WAITER = """
import signal, sys, aniso_jax
from pathlib import Path
from aniso_jax.memory.connecting import connect
from aniso_jax.memory.sqlite import transaction
path = Path(sys.argv[1])
connection = connect(path, patience=120)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
try:
    print("waiting", flush=True)
    with transaction(connection, path):
        print("got it")
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


def test_ctrl_c_is_heard_while_another_process_writes(memory):
    (short,) = memory.connection.execute("PRAGMA busy_timeout").fetchone()
    assert short <= 100  # milliseconds that SQLite waits by itself
    words = [sys.executable, "-c", WAITER, str(memory.path)]
    with transaction(memory.connection, memory.path):
        waiter = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert waiter.stdout.readline() == "waiting\n"
        waiter.send_signal(signal.SIGINT)
        assert waiter.communicate()[0] == "interrupted\n"
