"""What a memory leaves beside its file, when the file is removed, cut off or copied without it."""

import shutil

import jax.numpy as jnp
import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory.check import check
from aniso_jax.memory.opening import memory_viewed
from aniso_jax.memory.sqlite import MemoryDamaged, MemoryRefused

SUFFIXES = ("-wal", "-shm")


@pytest.fixture
def killed(tmp_path):
    """The folder of a memory as a process leaves it that was killed after three answers."""
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for at in range(3):
            memory.ask(ball((10.0 * at, 0)), at, draws="d")
        shutil.copytree(tmp_path, tmp_path.parent / "killed")
    yield tmp_path.parent / "killed"
    shutil.rmtree(tmp_path.parent / "killed")


@pytest.mark.parametrize("left", (SUFFIXES, SUFFIXES[:1], SUFFIXES[1:]))
def test_no_memory_is_made_where_the_log_of_another_one_lies(killed, left):
    for name in ("m", *(f"m{suffix}" for suffix in SUFFIXES if suffix not in left)):
        (killed / name).unlink()
    said = f"holds {' and '.join(f'm{suffix}' for suffix in left)} but no m: what is left of a"
    with pytest.raises(MemoryRefused, match=said):
        aj.memory_open(killed / "m", **BOUND)
    assert sorted(path.name for path in killed.iterdir()) == sorted(f"m{each}" for each in left)


@pytest.mark.parametrize("weights", ("abc", "xyz"))
def test_the_log_of_another_memory_is_not_believed(killed, weights):
    """Put there by hand afterwards, so that nobody could refuse to make the file."""
    (killed / "m").unlink()
    for suffix in SUFFIXES:
        (killed / f"m{suffix}").rename(killed / f"left{suffix}")
    bound = {**BOUND, "weights": weights}
    aj.memory_open(killed / "m", **bound).close()
    (killed / "left-wal").rename(killed / "m-wal")
    said = pytest.raises((MemoryDamaged, MemoryRefused))
    with said, aj.memory_open(killed / "m", **bound) as memory:
        memory.query(jnp.zeros(2))


@pytest.mark.parametrize("share", (0.0, 0.3, 0.6, 0.9, 1.0))
def test_no_acknowledged_region_is_lost_with_the_log(killed, share):
    log = killed / "m-wal"
    log.write_bytes(log.read_bytes()[: int(share * log.stat().st_size)])
    (killed / "m-shm").unlink()
    if not share:
        log.unlink()
    with memory_viewed(killed / "m") as memory:
        assert memory.count() == 3
        assert check(memory) == []


def test_a_link_stands_for_the_file_and_for_what_lies_beside_it(killed, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(killed / "m")
    with aj.memory_open(link, **BOUND) as memory:
        assert memory.count() == 3
        assert memory.connection.path == killed / "m"
    (killed / "m").rename(killed / "moved")
    aj.memory_open(link, **BOUND).close()  # made where the link points to
    assert (killed / "m").is_file()
    (killed / "m").rename(killed / "m-wal")
    with pytest.raises(MemoryRefused, match="holds m-wal but no m: "):
        aj.memory_open(link, **BOUND)
