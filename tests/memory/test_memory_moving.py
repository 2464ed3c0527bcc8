"""The log moved into the file: only while nobody writes, whoever else has it open."""

import contextlib
import shutil
import sqlite3

import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory import sqlite


@pytest.fixture
def moves(tmp_path, monkeypatch):
    """(path, for every time that the log is moved, whether another connection could write)."""
    path, could_write = tmp_path / "m", []
    aj.memory_open(path, **BOUND).close()
    other = sqlite3.connect(path, isolation_level=None, timeout=0)

    def heard(statement: str) -> None:
        if "wal_checkpoint" not in statement:
            return
        try:
            other.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            could_write.append(False)
        else:
            other.execute("ROLLBACK")
            could_write.append(True)

    def connect(*about, **how):
        connection = real(*about, **how)
        connection.set_trace_callback(heard)
        return connection

    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", connect)
    yield path, could_write
    other.close()


def test_nobody_can_write_while_the_log_is_moved(moves):
    """Else SQLite before 3.51.3 loses, once in a long while, what is committed just then."""
    path, could_write = moves
    with aj.memory_open(path, **BOUND) as memory:
        for at in range(3):
            memory.ask(ball((10.0 * at, 0)), at, draws="d")
    assert could_write == [False] * 3


def in_the_file_alone(path, folder) -> int:
    """Regions in a copy of the file without its log."""
    with contextlib.closing(sqlite3.connect(shutil.copy(path, folder / "alone"))) as alone:
        return alone.execute("SELECT count(*) FROM regions").fetchone()[0]


def test_beside_another_writer_the_log_is_moved_by_the_next_answer(tmp_path, monkeypatch):
    path = tmp_path / "m"
    with aj.memory_open(path, **BOUND) as memory:
        other = sqlite3.connect(path, isolation_level=None, timeout=0)
        settle = sqlite._settle

        def beside_a_writer(connection):
            other.execute("BEGIN IMMEDIATE")
            settle(connection)
            other.execute("ROLLBACK")

        with monkeypatch.context() as patched:
            patched.setattr(sqlite, "_settle", beside_a_writer)
            memory.ask(ball((0, 0)), 0, draws="d")
        assert (memory.count(), in_the_file_alone(path, tmp_path)) == (1, 0)
        memory.ask(ball((10.0, 0)), 1, draws="d")
        assert in_the_file_alone(path, tmp_path) == 2
        other.close()
