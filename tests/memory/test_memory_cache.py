"""Regions held in RAM: what interruptions leave of them, and who may keep a block."""

import jax.numpy as jnp
import numpy as np
import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory import cache as memory_cache
from aniso_jax.memory import rows as memory_rows
from aniso_jax.memory.check import check, checked
from aniso_jax.memory.rows import Row, write_row
from aniso_jax.memory.sqlite import MemoryDamaged


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(memory_rows, "_ENTRIES", 14)  # seven regions a block


def interrupt_once(monkeypatch, *, before: bool) -> None:
    """Ctrl-C while a row is taken into RAM: before the block is used up, or after."""
    added = memory_cache.added

    def interrupted(block, row):
        monkeypatch.setattr(memory_cache, "added", added)
        if not before:
            added(block, row)
        raise KeyboardInterrupt

    monkeypatch.setattr(memory_cache, "added", interrupted)


@pytest.mark.parametrize("before", (True, False))
@pytest.mark.parametrize("stored", (3, 7))
def test_ctrl_c_while_regions_are_taken_in_changes_no_answer(
    tmp_path, monkeypatch, small_blocks, before, stored
):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for at in range(stored + 1):
            memory.ask(ball((10.0 * at, 0)), at, draws="d")
        interrupt_once(monkeypatch, before=before)
        with pytest.raises(KeyboardInterrupt):
            memory.query(jnp.zeros(2))
        beside, logged = memory.ask(ball((10.0 * stored + 0.5, 0)), stored + 1, draws="d")
        assert (logged.verdict, int(beside.label)) == ("adopt", stored)
        assert int(beside.index) == stored + 1
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        assert check(memory) == []


def test_an_answer_that_rests_on_a_region_the_file_lacks_is_not_given(tmp_path):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((0, 0)), 1, draws="d")
        memory.query(jnp.zeros(2))
        memory.connection.execute("DELETE FROM regions")
        with pytest.raises(MemoryDamaged, match="region 1, of class 1, is missing"):
            memory.ask(ball((0.5, 0)), 2, draws="d")


def test_a_block_handed_out_outlives_later_questions(tmp_path):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((0, 0)), 1, draws="d")
        for block in memory.blocks():
            memory.ask(ball((10.0, 0)), 2, draws="d")
            memory.query(jnp.zeros(2))
            assert float(block.gaps[0]) == 1.0
            assert int(block.count) == 1


def test_a_check_holds_two_blocks_and_finds_pairs_across_them(tmp_path, small_blocks):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for at in range(16):
            memory.ask(ball((10.0 * at, 0)), at % 3, draws="d")
        assert list(checked(memory)) == [(0, []), (7, []), (14, []), (16, [])]
        far = np.float32((20, 0.5))
        row = Row(id=17, label=1, gap=np.float32(1), center=far, theta=np.ones(2, np.float32))
        write_row(memory.connection, row)
        *_, (done, found) = checked(memory)
    assert (done, found) == (17, ["Regions 3 and 17, of classes 2 and 1, may meet."])
