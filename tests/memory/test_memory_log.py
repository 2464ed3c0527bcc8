"""The log of answers: what was changed in it is not handed out again."""

import sqlite3

import jax.numpy as jnp
import pytest
from store_samples import BOUND, ball, stream

import aniso_jax as aj
from aniso_jax.memory.check import check, checked, overview
from aniso_jax.memory.log import _COLUMNS, _chained
from aniso_jax.memory.rows import owner_of
from aniso_jax.memory.sqlite import MemoryDamaged


@pytest.fixture
def path(tmp_path):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for pair in stream(0, 12):
            memory.ask(*pair, draws="d", run="r")
        assert check(memory) == []
    return tmp_path / "m"


def change(path, statement: str) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    (
        "UPDATE answers SET gap = x'0000c642' WHERE id = 1",
        "UPDATE answers SET label = label + 1 WHERE id = 1",
        "UPDATE answers SET verdict = 'abstain' WHERE id = 1",
    ),
)
def test_a_changed_answer_is_not_given_again(path, statement):
    change(path, statement)
    with aj.memory_open(path, **BOUND) as memory:
        with pytest.raises(MemoryDamaged, match="answer 1 is missing or was changed"):
            memory.ask(*next(iter(stream(0, 1))), draws="d", run="r")
        with pytest.raises(MemoryDamaged, match="answer 1 is missing or was changed"):
            check(memory)


def test_a_lost_answer_is_found(path):
    change(path, "DELETE FROM answers WHERE id = 3")
    with (
        aj.memory_open(path, **BOUND) as memory,
        pytest.raises(MemoryDamaged, match="answer 3 is missing"),
    ):
        check(memory)


def test_an_answer_whose_region_is_gone_is_not_given_again(path):
    change(path, "DELETE FROM regions WHERE id = 1")
    with (
        aj.memory_open(path, **BOUND) as memory,
        pytest.raises(MemoryDamaged, match="region 1 is missing or was changed"),
    ):
        memory.ask(*next(iter(stream(0, 1))), draws="d", run="r")


def test_an_answer_beyond_its_region_is_found_though_its_digest_fits(tmp_path):
    path = tmp_path / "one"
    with aj.memory_open(path, **BOUND) as memory:
        memory.ask(ball((0, 0)), 1, draws="d")
        gap = jnp.float32(2).tobytes()
        memory.connection.execute("UPDATE answers SET gap = ?", (gap,))
        values = memory.connection.execute(f"SELECT {_COLUMNS} FROM answers").fetchone()
        digest = _chained(owner_of(memory.connection), 1, None, values)
        memory.connection.execute("UPDATE answers SET digest = ?", (digest,))
        assert check(memory) == ["Answer 1 (keep) claims more than its region holds."]


def test_a_check_sees_one_moment_while_others_write(path):
    with aj.memory_open(path, **BOUND) as memory, aj.memory_open(path, **BOUND) as other:
        regions, steps = memory.count(), checked(memory)
        next(steps)
        for at in range(3):
            other.ask(ball((500.0 + 10 * at, 0)), 1, draws="d")
        assert list(steps) == [(regions, [])]
        assert check(memory) == []
        assert memory.count() == regions + 3
        seen = overview(memory)
        assert sum(seen.regions.values()) == regions + 3
