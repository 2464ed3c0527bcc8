"""The log of answers: what was changed in it is not handed out again."""

import sqlite3
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from store_samples import BOUND, ball, stream

import aniso_jax as aj
from aniso_jax.memory.check import check, checked, overview
from aniso_jax.memory.log import _COLUMNS, Logged, _chained, write_answer
from aniso_jax.memory.rows import Row, as_bytes, owner_of, write_row
from aniso_jax.memory.sqlite import MemoryDamaged, MemoryRefused


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


ONE = np.ones(2, np.float32)
NONE = {
    "an infinite gap": {"gap": np.float32(np.inf)},
    "no gap": {"gap": np.float32(np.nan)},
    "a negative gap": {"gap": np.float32(-1)},
    "an abstention": {"label": -1},
    "a negative axis": {"theta": np.float32([1, -1])},
    "an axis that is none": {"theta": np.float32([1, np.nan])},
    "a center nowhere": {"center": np.float32([0, np.inf])},
    "another dimension": {"center": np.zeros(3, np.float32)},
}


@pytest.mark.parametrize("name", NONE)
def test_what_is_no_region_is_found_though_its_digest_fits(tmp_path, name):
    row = Row(id=1, label=1, gap=np.float32(1), center=0 * ONE, theta=ONE)
    said = {"input": "i", "draws": "d", "run": "", "verdict": "keep", "asked": 0.0, "claimed": 0.0}
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        bad = replace(row, **NONE[name])
        write_row(memory.connection, bad)
        logged = Logged(region=1, label=bad.label, gap=as_bytes(bad.gap), **said)
        write_answer(memory.connection, logged, path=memory.path)
        for look in (check, lambda memory: memory.query(jnp.zeros(2))):
            with pytest.raises(MemoryDamaged, match="region 1 is none: a class, a finite center"):
                look(memory)


@pytest.mark.parametrize("draws", (np.str_("seed 0"), "a\0b", "", "Größe"))
def test_every_text_is_found_again(tmp_path, draws):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.begin(jnp.zeros(2), draws=draws)
        memory.ask(ball((0, 0)), 1, draws=draws, run=np.str_("run 1"))
        memory.ask(ball((9, 0)), 1, draws=draws)
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        assert memory.ask(ball((0, 0)), 1, draws=str(draws), run="run 1")[1].verdict == "keep"
        assert check(memory) == []


@pytest.mark.parametrize("other", (5, None, b"seed 0", "\ud800", ("seed", 0)))
def test_what_is_no_text_is_refused_and_the_file_is_as_good_as_before(tmp_path, other):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for use in (
            lambda: memory.ask(ball((0, 0)), 1, draws=other),
            lambda: memory.ask(ball((0, 0)), 1, draws="d", run=other),
            lambda: memory.begin(jnp.zeros(2), draws=other),
        ):
            with pytest.raises(MemoryRefused, match="; wanted a text that can be written down"):
                use()
        assert memory.ask(ball((0, 0)), 1, draws="d")[1].verdict == "keep"
        assert check(memory) == []
