"""Where compiled programs are kept for the next process."""

from pathlib import Path

import jax
import pytest

from aniso_jax.runs.compiled import keep_compiled

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
