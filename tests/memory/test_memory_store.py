"""The memory file: what it keeps, what it refuses, and what happens to it."""

import os
import shutil
import sqlite3
import subprocess
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from memory_samples import separation
from store_samples import BOUND, ball, stored, stream, writer

import aniso_jax as aj
from aniso_jax.memory import rows as memory_rows
from aniso_jax.memory.sqlite import (
    MemoryBusy,
    MemoryDamaged,
    MemoryRefused,
    MemoryUnwritable,
    transaction,
)
from aniso_jax.storage.atomic import DiskFull


def opened(path, **changed) -> aj.MemoryFile:
    return aj.memory_open(path, **{**BOUND, **changed})


def fill(path, count: int, seed: int = 0) -> list[str]:
    with opened(path) as memory:
        return [memory.ask(*pair, draws="d")[1].verdict for pair in stream(seed, count)]


def check_invariant(rows) -> None:
    for number, (*new, label) in enumerate(rows):
        for *old, other in rows[:number]:
            assert label == other or separation(old, new, 2) > 1


@pytest.fixture(scope="module")
def full(tmp_path_factory):
    """A file with some regions, closed."""
    path = tmp_path_factory.mktemp("full") / "m.sqlite"
    assert {"keep", "shrink", "adopt"} <= set(fill(path, 60))
    return path


@pytest.fixture
def path(full, tmp_path):
    return shutil.copy(full, tmp_path / "m.sqlite")


def test_the_file_answers_as_the_pure_fold_does(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_rows, "_ENTRIES", 14)  # seven regions a block
    insert, memory = jax.jit(aj.memory_insert), aj.memory_empty(64, (2,), order=2)
    with opened(tmp_path / "m", ram=1) as file:  # one block in RAM, the others streamed
        for region, label in stream(1, 40):
            memory, wanted = insert(memory, region, label)
            answer, logged = file.ask(region, label, draws="d")
            assert aj.MemoryVerdict(int(wanted.verdict)).name.lower() == logged.verdict
            assert answer.label == wanted.label
            assert answer.index - (wanted.index >= 0) == wanted.index  # numbered from 1
            np.testing.assert_allclose(answer.region.gap, wanted.region.gap, rtol=1e-5)
            np.testing.assert_array_equal(answer.region.scale.theta, wanted.region.scale.theta)
        assert file.count() == int(memory.count) > 3 * 7
        check_invariant(stored(file))


def test_what_is_stored_is_what_was_claimed(tmp_path):
    path, claims = tmp_path / "m", []
    with opened(path) as memory:
        for pair in stream(2, 40):
            answer, logged = memory.ask(*pair, draws="d")
            if logged.verdict in ("keep", "shrink"):
                region = answer.region
                claims.append((region.center, region.scale.theta, region.gap, int(answer.label)))
    with opened(path) as memory:
        rows = stored(memory)
    for claim, row in zip(claims, rows, strict=True):
        assert all(np.array_equal(one, other) for one, other in zip(claim, row, strict=True))
    check_invariant(rows)


def test_a_query_reads_and_writes_nothing(path):
    before = path.read_bytes()
    with opened(path) as memory:
        center, *_, label = stored(memory)[0]
        answer = memory.query(jnp.asarray(center))
        assert int(answer.label) == label
        assert int(answer.index) == 1
        nowhere = memory.query(jnp.float32([500, 500]))
        assert (int(nowhere.label), int(nowhere.verdict)) == (-1, aj.MemoryVerdict.ABSTAIN)
        assert int(memory.query(jnp.float32([np.nan, 0])).label) == -1
    assert path.read_bytes() == before


def test_the_same_run_gets_the_same_answer_again_and_another_try_is_refused(tmp_path):
    with opened(tmp_path / "m") as memory:
        first, logged = memory.ask(ball((0, 0)), 1, draws="seed 0", run="r")
        memory.ask(ball((3, 0), gap=0), -1, draws="seed 0", run="r")
        memory.ask(ball((3.5, 0)), 2, draws="seed 0", run="r")
        again, same = memory.ask(ball((0, 0)), 1, draws="seed 0", run="r")
        assert (same.verdict, same.region, same.gap) == (logged.verdict, logged.region, logged.gap)
        assert np.array_equal(again.region.scale.theta, first.region.scale.theta)
        assert again.verdict == first.verdict
        # the same question is answered as before; a new one by what is stored by now
        assert memory.ask(ball((3, 0), gap=0), -1, draws="seed 0", run="r")[0].label == -1
        assert memory.ask(ball((3, 0), gap=0), -1, draws="seed 0", run="s")[0].label == 2
        with pytest.raises(MemoryRefused, match=r"with other draws \(seed 0, now seed 1\)"):
            memory.ask(ball((0, 0)), 1, draws="seed 1", run="r")
        with pytest.raises(MemoryRefused, match="share of alpha"):
            memory.begin(jnp.float32([0, -0.0]), draws="seed 1")
        assert memory.count() == 2


def test_another_network_norm_or_shape_is_refused(path):
    before = path.read_bytes()
    for changed, said in (
        ({"weights": "xyz"}, "weights is abc, you asked for xyz"),
        (
            {"law": aj.uniform},
            "law is gaussian, you asked for uniform; norm is l2, you asked for l1",
        ),
        ({"alpha": 0.01}, "alpha is 0.001, you asked for 0.01"),
        ({"shape": (3,)}, r"shape is \[2\], you asked for \[3\]"),
        ({"weights": {"w": np.zeros(2)}}, "weights is abc, you asked for params:"),
    ):
        with pytest.raises(MemoryRefused, match=said):
            opened(path, **changed)
    with opened(path) as memory:
        with pytest.raises(MemoryRefused, match="norm order 1"):
            memory.ask(ball((0, 0), order=1), 0, draws="d")
        with pytest.raises(MemoryRefused, match="shape"):
            memory.ask(ball((0, 0, 0), theta=(1, 1, 1)), 0, draws="d")
        for x, said in ((jnp.zeros(3), r"shape \(3,\)"), (jnp.zeros(2, int), "numbers in int32")):
            with pytest.raises(MemoryRefused, match=f"x has .*{said}.* wants inputs of shape"):
                memory.query(x)
    assert path.read_bytes() == before


@pytest.mark.parametrize("label", (1.7, jnp.float32(1), 2**31, 2**40, -2))
def test_a_label_that_is_no_class_is_refused(tmp_path, label):
    with opened(tmp_path / "m") as memory:
        with pytest.raises(MemoryRefused, match="wanted a class, a whole number from 0 to 2"):
            memory.ask(ball((0, 0)), label, draws="d")
        assert memory.ask(ball((0, 0)), jnp.int32(2**31 - 1), draws="d")[1].label == 2**31 - 1


def test_what_is_no_memory_is_refused_and_left_alone(tmp_path):
    text, empty, other = (tmp_path / name for name in ("text", "empty", "other"))
    text.write_text("a note, not a memory " * 100)
    empty.touch()
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    for path in (text, empty, other):
        before = path.read_bytes()
        with pytest.raises(MemoryRefused, match="no memory file"):
            opened(path)
        assert path.read_bytes() == before


@pytest.mark.parametrize("share", (0.0, 0.3, 0.6, 0.95))
def test_a_file_cut_off_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises((MemoryDamaged, MemoryRefused)), opened(path) as memory:
        memory.query(jnp.zeros(2))


@pytest.mark.parametrize(
    "change",
    (
        "DELETE FROM regions WHERE id = 3",
        "UPDATE regions SET label = label + 1 WHERE id = 4",
        "UPDATE regions SET gap = x'0000803f' WHERE id = 2",
        "UPDATE regions SET center = x'00000000' WHERE id = 2",
        "DELETE FROM regions WHERE id = (SELECT max(id) FROM regions)",
    ),
)
def test_a_changed_region_is_found(path, change):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(change)
    connection.close()
    with pytest.raises(MemoryDamaged, match="is missing or was changed"), opened(path) as memory:
        memory.query(jnp.zeros(2))


def test_a_full_disk_loses_nothing(path):
    with opened(path) as memory:
        before = memory.count()
        pages = memory.connection.execute("PRAGMA page_count").fetchone()[0]
        memory.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(DiskFull, match="what it held is kept, free some space"):
            for pair in stream(9, 4000):
                memory.ask(*pair, draws="d")
        held = memory.count()
        assert held >= before
        memory.connection.execute(f"PRAGMA max_page_count = {pages + 1000}")
        memory.ask(ball((200, 200)), 1, draws="d")
    with opened(path) as memory:
        rows = stored(memory)
    assert len(rows) == held + 1
    check_invariant(rows[:60] + rows[-20:])


def test_a_really_full_disk_loses_nothing(small_disk, full):
    path = shutil.copy(full, small_disk / "m.sqlite")
    with opened(path) as memory:
        before = memory.count()
        with pytest.raises(DiskFull, match="the disk is full: no room for "):
            for pair in stream(9, 4000):
                memory.ask(*pair, draws="d")
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    with opened(path) as memory:
        assert memory.count() >= before
        assert len(stored(memory)) == memory.count()


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_file_that_cannot_be_written_says_so(path):
    if os.geteuid() == 0:
        pytest.skip("root may write everything")
    path.chmod(0o444)
    with opened(path) as memory, pytest.raises(MemoryUnwritable, match="make the file and its"):
        memory.ask(ball((0, 0)), 0, draws="d")


def test_a_read_only_connection_is_said_in_one_sentence(path):
    """As root nothing else is read-only; this is what SQLite says of a read-only file."""
    with opened(path) as memory:
        memory.connection.execute("PRAGMA query_only = ON")
        before = memory.count()
        with pytest.raises(MemoryUnwritable, match="nothing was changed"):
            memory.ask(ball((300, 0)), 0, draws="d")
        assert memory.count() == before


def test_nobody_waits_forever(path):
    with opened(path) as holder, opened(path, patience=0.1) as other:
        busy = pytest.raises(MemoryBusy, match="is being written by another process")
        with transaction(holder.connection, path), busy:
            other.ask(ball((300, 0)), 0, draws="d")
        other.ask(ball((300, 0)), 0, draws="d")


def test_a_missing_folder_is_said(tmp_path):
    with pytest.raises(OSError, match="nowhere"):
        opened(tmp_path / "nowhere" / "m")


def kill_trials(tmp_path, trials: int) -> tuple[int, int]:
    """(trials that were killed in the middle, acknowledged answers that were looked up)."""
    path, rng, killed, seen = tmp_path / "m", np.random.default_rng(0), 0, 0
    for trial in range(trials):
        process = writer(path, trial, 400)
        heard = [process.stdout.readline() for _ in range(int(rng.integers(0, 30)))]
        process.kill()
        heard += process.stdout.readlines()
        process.communicate(timeout=60)
        killed += process.returncode == -9
        acknowledged = [line.split() for line in heard if line.endswith("\n")]
        seen += len(acknowledged)
        if not path.exists():
            continue
        with opened(path) as memory:
            rows = stored(memory)
            logged = memory.connection.execute("SELECT verdict, region FROM answers").fetchall()
        kept = [region for verdict, region in logged if verdict in ("keep", "shrink")]
        assert kept == list(range(1, len(rows) + 1))  # no half answer
        for verdict, index, label, gap, *numbers in acknowledged:
            if verdict in ("keep", "shrink"):
                center, theta, there, stored_label = rows[int(index) - 1]
                assert [float(v).hex() for v in (*center, *theta)] == numbers
                assert (float(there).hex(), stored_label) == (gap, int(label))
        for number in range(max(len(rows) - 40, 0), len(rows)):
            check_invariant_of(rows, number)
    return killed, seen


def check_invariant_of(rows, number: int) -> None:
    *new, label = rows[number]
    for *old, other in rows[:number]:
        assert label == other or separation(old, new, 2) > 1


def test_killed_writers_lose_nothing_that_was_acknowledged(tmp_path):
    killed, seen = kill_trials(tmp_path, 3)
    assert killed == 3
    assert seen > 0


@pytest.mark.slow
def test_a_hundred_killed_writers_lose_nothing_that_was_acknowledged(tmp_path):
    killed, seen = kill_trials(tmp_path, 100)
    assert killed == 100
    assert seen > 500


def test_eight_processes_at_once_keep_the_invariant(tmp_path):
    path = tmp_path / "m"
    processes = [writer(path, seed, 25) for seed in range(8)]
    said = [process.communicate(timeout=300) for process in processes]
    assert all(process.returncode == 0 for process in processes), said
    lines = [line.split() for out, _ in said for line in out.splitlines()]
    assert len(lines) == 8 * 25
    with opened(path) as memory:
        rows = stored(memory)
    stores = sorted(int(line[1]) for line in lines if line[0] in ("keep", "shrink"))
    assert stores == list(range(1, len(rows) + 1))
    assert all(b - a == 1 for a, b in pairwise(stores))
    check_invariant(rows)
