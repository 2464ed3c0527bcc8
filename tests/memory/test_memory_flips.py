"""A byte of the file turned over: `check` finds it, or nothing that is read has changed."""

import shutil
import sqlite3

import jax.numpy as jnp
import numpy as np
import pytest
from store_samples import BOUND, ball, stream

import aniso_jax as aj
from aniso_jax.memory.check import check
from aniso_jax.memory.opening import memory_viewed
from aniso_jax.memory.rows import content_id
from aniso_jax.memory.sqlite import MemoryDamaged, MemoryRefused

TABLES = {"regions": "id", "answers": "id", "attempts": "input", "binding": "name"}
ASKED = jnp.float32([70, 70])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("flips") / "m"
    with aj.memory_open(path, **BOUND) as memory:
        memory.check_params(jnp.ones(2))
        memory.ask(ball(ASKED, gap=0), -1, draws="law gaussian; seed 0", run="r")
        for pair in stream(0, 12):
            memory.ask(*pair, draws="law gaussian; seed 0", run="r")
        memory.begin(jnp.zeros(2), draws="law gaussian; seed 0")
        assert check(memory) == []
    return path


def content(path) -> list:
    with memory_viewed(path) as memory:
        ask = memory.connection.execute
        return [ask(f"SELECT * FROM {t} ORDER BY {key}").fetchall() for t, key in TABLES.items()]


def found(path) -> bool:
    """Whether opening or checking a file says that something is wrong with it."""
    try:
        with memory_viewed(path) as memory:
            return check(memory) != []
    except (MemoryDamaged, MemoryRefused):
        return True


def flipped(whole, folder, at: int, bit: int):
    changed = bytearray(whole.read_bytes())
    changed[at] ^= 1 << bit
    path = folder / "flipped"
    path.write_bytes(changed)
    return path


def missed(whole, folder, seed: int, trials: int) -> list[tuple[int, int]]:
    """Bits that were turned over, changed what is read, and were not found."""
    rng, size, there = np.random.default_rng(seed), whole.stat().st_size, content(whole)
    bits = [(int(rng.integers(size)), int(rng.integers(8))) for _ in range(trials)]
    bits += [(at, int(rng.integers(8))) for at in range(0, 100, 7)]  # the header
    return [
        bit
        for bit in bits
        if not found(path := flipped(whole, folder, *bit)) and content(path) != there
    ]


def test_a_bit_that_is_turned_over_is_found_or_changes_nothing(whole, tmp_path):
    assert missed(whole, tmp_path, 0, 45) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 5))
def test_many_bits_that_are_turned_over_are_found_or_change_nothing(whole, tmp_path, seed):
    assert missed(whole, tmp_path, seed, 1000) == []


PLACES = {
    "alpha": (b"alpha0.001", b"alpha0.009"),
    "a law that is no text": (b"lawgaussian", b"law\xffaussian"),
    "weights": (b"weightsabc", b"weightsabb"),
    "the name of the params": (b"paramsparams:", b"parbmsparams:"),
    "a verdict that is no text": (b"keep", b"\xffeep"),
    "draws": (b"seed 0", b"seed 1"),
    "a table's statement": (b"CREATE INDEX", b"CREATE INDE\xff"),
    "a column's name": (b"label INTEGER", b"l\xffbel INTEGER"),
}


@pytest.mark.parametrize("name", PLACES)
def test_every_place_where_a_word_stands_is_under_a_digest(whole, tmp_path, name):
    word, instead = PLACES[name]
    before, at, places = whole.read_bytes(), -1, 0
    there = content(whole)
    while (at := before.find(word, at + 1)) >= 0:
        changed = before[:at] + instead + before[at + len(word) :]
        (tmp_path / "m").write_bytes(changed)
        is_found = found(tmp_path / "m")
        assert is_found or content(tmp_path / "m") == there, at  # in a page's free space
        places += is_found
    assert places


def test_an_index_that_hides_an_answer_is_found(whole, tmp_path):
    """Then nothing would refuse a second try with other draws."""
    path, name = shutil.copy(whole, tmp_path / "m"), content_id(ASKED).encode()
    with sqlite3.connect(path) as connection:
        (root,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name = 'answers_by_input'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    before = path.read_bytes()
    at = before.index(name, (root - 1) * size)
    path.write_bytes(before[:at] + bytes([before[at] ^ 1]) + before[at + 1 :])
    with aj.memory_open(path, **BOUND) as memory:
        assert "answers_by_input" in check(memory)[0]
        with pytest.raises(MemoryRefused, match="now seed 1"):  # the attempt says so as well
            memory.ask(ball(ASKED), 1, draws="law gaussian; seed 1")


@pytest.mark.parametrize(
    "statement",
    (
        "UPDATE binding SET value = '0.01' WHERE name = 'alpha'",
        "INSERT INTO binding VALUES ('more', 'x')",
        "DELETE FROM binding WHERE name = 'seal'",
        "DROP INDEX answers_by_input",
        "UPDATE attempts SET draws = 'law gaussian; seed 1'",
        "DELETE FROM attempts WHERE input IN (SELECT input FROM answers)",
        "UPDATE regions SET gap = 1",
        "UPDATE answers SET region = x'00'",
    ),
)
def test_what_was_written_by_hand_is_found(whole, tmp_path, statement):
    path = shutil.copy(whole, tmp_path / "m")
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(MemoryDamaged), memory_viewed(path) as memory:
        check(memory)


def test_a_file_of_the_former_format_is_refused_with_its_number(whole, tmp_path):
    path = shutil.copy(whole, tmp_path / "m")
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    with pytest.raises(MemoryRefused, match="has format 3, this version of aniso_jax reads fo"):
        aj.memory_open(path, **BOUND)
