"""Where compiled programs are kept for the next process."""

import os
from pathlib import Path

import jax
import pytest

from aniso_jax.runs.compiled import forget_oldest, keep_compiled

NAME = "jax_compilation_cache_dir"


@pytest.fixture
def untold(tmp_path, monkeypatch):
    """JAX as it is where nobody told it a place, and a home of its own."""
    before = jax.config.values[NAME]
    jax.config.update(NAME, None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield tmp_path / "cache"
    jax.config.update(NAME, before)


def test_they_are_kept_in_the_users_cache(untold):
    keep_compiled()
    folder = Path(jax.config.values[NAME])
    assert folder.is_dir() and folder.parent == untold / "aniso-jax"


def test_not_where_nothing_can_be_kept(untold):
    untold.write_text("a file")
    keep_compiled()
    assert jax.config.values[NAME] is None


def test_where_jax_was_told_it_stays(untold, tmp_path):
    jax.config.update(NAME, str(tmp_path / "mine"))
    keep_compiled()
    assert jax.config.values[NAME] == str(tmp_path / "mine")


def test_code_for_other_threads_lies_apart(untold, monkeypatch):
    monkeypatch.setenv("NPROC", "3")
    keep_compiled()
    assert Path(jax.config.values[NAME]).name.endswith("-3")


def test_the_oldest_go_where_there_are_too_many(tmp_path):
    for age in range(10):
        path = tmp_path / f"kind-{age % 2}" / f"{age}-cache"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(bytes(100))
        os.utime(path, (10_000 - age, 10_000 - age))
    forget_oldest(tmp_path, most=1000)
    assert len(list(tmp_path.rglob("*-cache"))) == 10
    forget_oldest(tmp_path, most=900)
    assert sorted(path.name[0] for path in tmp_path.rglob("*-cache")) == ["0", "1", "2", "3"]
