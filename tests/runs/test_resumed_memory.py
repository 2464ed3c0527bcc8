"""A run goes on with the memory it began with, and with all of it."""

import shutil
import sqlite3

import pytest
from cli_samples import aniso_jax, records_of

from aniso_jax.records.load import load_frame
from aniso_jax.records.parts import part_path


@pytest.fixture(scope="module")
def run(tmp_path_factory, asked, plan):
    """(words without --memory, directory, memory) of a finished run."""
    folder = tmp_path_factory.mktemp("resumed")
    words = ("certify", *asked(), *plan, "--out", folder / "run")
    (folder / "before").mkdir()
    memory = folder / "before" / "m.sqlite"
    assert aniso_jax(*words, "--limit", 17, "--memory", memory) == 0
    return (*words, "--limit", 17), folder / "run", memory


def test_another_memory_of_the_same_name_is_refused(run, tmp_path, asked, plan, capsys):
    words, out, _ = run
    other = tmp_path / "m.sqlite"
    elsewhere = ("certify", *asked(), *plan, "--limit", 1, "--out", tmp_path / "other")
    assert aniso_jax(*elsewhere, "--memory", other) == 0
    before = records_of(out)
    assert aniso_jax(*words, "--memory", other) == 2
    assert "memory: the run has m.sqlite (" in capsys.readouterr().err
    assert records_of(out) == before


def test_a_longer_run_with_the_same_draws_may_ask_the_same_memory(tmp_path, asked, plan):
    """The search of two inputs runs in another batch than that of five: no other draws."""
    memory = tmp_path / "m.sqlite"
    sizes = ("--batch", 2, "--chunk", 256)  # said, since this network's logits may depend on them
    words = ("certify", *asked("gaussian", "isotropic"), *plan, *sizes, "--memory", memory)
    assert aniso_jax(*words, "--limit", 2, "--out", tmp_path / "short") == 0
    assert aniso_jax(*words, "--limit", 5, "--out", tmp_path / "long") == 0
    frame = load_frame(tmp_path / "long")
    assert set(frame["memory"][:2]) == {"adopted"}


def test_a_run_makes_no_new_memory_for_the_one_it_lost(run, tmp_path, capsys):
    words, _, _ = run
    assert aniso_jax(*words, "--memory", tmp_path / "m.sqlite") == 2
    assert "put back the memory it was begun with" in capsys.readouterr().err
    assert not (tmp_path / "m.sqlite").exists()


def test_a_memory_without_regions_that_the_parts_rest_on_is_refused(run, tmp_path, capsys):
    words, out, memory = run
    older = tmp_path / "m.sqlite"
    shutil.copy(memory, older)
    forget(older)
    part_path(out, 1).unlink()
    assert aniso_jax(*words, "--memory", older) == 2
    assert "is an older copy, or was copied without the -wal" in capsys.readouterr().err
    assert not part_path(out, 1).exists()
    assert aniso_jax(*words, "--memory", memory) == 0


def forget(memory) -> None:
    """What a copy of the file as it was when it was made holds."""
    connection = sqlite3.connect(memory)
    with connection:
        connection.execute("DELETE FROM regions")
        connection.execute("DELETE FROM answers")
    connection.close()
