"""Memory that runs out halves what is held at once, and no vote changes."""

import jax
import pytest
from cli_samples import aniso_jax, records_of

from aniso_jax.records.directory import read_experiment
from aniso_jax.runs import layout, search, slots
from aniso_jax.runs.room import Room
from aniso_jax.smoothing.noise import BLOCK

FULL = "RESOURCE_EXHAUSTED: Out of memory allocating 123 bytes."


@pytest.fixture
def small_device(monkeypatch):
    """A device that holds so many draws of an input, for the drawing alone; what it was asked."""
    asked, draw = [], slots.draw

    def holding(most: int):
        def drawn(apply_fn, chunk, *rest):
            asked.append(chunk)
            if chunk > most:
                raise jax.errors.JaxRuntimeError(FULL)
            return draw(apply_fn, chunk, *rest)

        monkeypatch.setattr(slots, "draw", drawn)
        return asked

    return holding


@pytest.mark.compiles("fully")  # bits
def test_less_is_drawn_at_once_and_the_votes_are_the_same(
    asked, plan, tmp_path, small_device, capsys
):
    words = ("certify", *asked(), *plan, "--out")
    assert aniso_jax(*words, tmp_path / "whole") == 0
    if read_experiment(tmp_path / "whole").chunk is not None:
        pytest.skip("nothing may be halved: with this JAX the network's logits depend on the chunk")
    whole = records_of(tmp_path / "whole")
    chunks = small_device(100)
    assert aniso_jax(*words, tmp_path / "run") == 0
    assert records_of(tmp_path / "run") == whole
    said = [line for line in capsys.readouterr().err.splitlines() if "ran out" in line]
    assert said == [
        f"The device's memory ran out; {draws} draws of an input at once from now on."
        for draws in (128, 64)
    ]
    first = chunks.index(BLOCK)
    assert max(chunks) > 100
    assert set(chunks[first:]) == {BLOCK}  # never tried again with more


def test_nothing_is_halved_where_logits_depend_on_the_chunk(
    asked, plan, tmp_path, small_device, monkeypatch, capsys
):
    monkeypatch.setattr(layout, "chunk_changes_logits", lambda *_, **__: True)
    asked_of_it = small_device(100)
    assert aniso_jax("certify", *asked(), *plan, "--out", tmp_path / "run") == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "aniso-jax: Memory ran out (the device holds no 256 draws of each input at once, and this "
        "network's logits depend on how many it is given); give a smaller --batch or --chunk, or "
        "less data."
    )
    assert set(asked_of_it) == {256}


def test_not_even_one_block_is_one_sentence(asked, plan, tmp_path, small_device, capsys):
    small_device(0)
    words = ("certify", *asked(), *plan, "--chunk", BLOCK, "--out", tmp_path / "run")
    assert aniso_jax(*words) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "aniso-jax: Memory ran out (the device holds no 64 draws of each input at once although "
        "that is one block, the least there is); give a smaller --batch or --chunk, or less data."
    )


@pytest.fixture
def small_searches(monkeypatch):
    """A device that searches so many inputs together, and says what it cannot."""
    step = search._step

    def holding(most: int):
        def stepped(settings, mesh, problems, states):
            if len(problems.x) > most:
                raise jax.errors.JaxRuntimeError(FULL)
            return step(settings, mesh, problems, states)

        monkeypatch.setattr(search, "_step", stepped)
        monkeypatch.setattr(jax, "default_backend", lambda: "gpu")

    return holding


def test_fewer_inputs_are_searched_together_and_the_record_says_so(
    asked, plan, tmp_path, small_searches, capsys
):
    words = ("certify", *asked(scale="isotropic"), *plan, "--chunk", 64, "--limit", 8, "--out")
    assert aniso_jax(*words, tmp_path / "two", "--batch", 2) == 0
    capsys.readouterr()
    small_searches(2)
    assert aniso_jax(*words, tmp_path / "run") == 0
    said = [line for line in capsys.readouterr().err.splitlines() if "ran out" in line]
    assert said == [
        f"The device's memory ran out; scales of {inputs} inputs are sought together."
        for inputs in (4, 2)
    ]
    assert read_experiment(tmp_path / "run").batch == 2
    assert records_of(tmp_path / "run") == records_of(tmp_path / "two")


def test_no_room_for_one_search_is_one_sentence(asked, plan, tmp_path, small_searches, capsys):
    small_searches(0)
    words = ("certify", *asked(scale="isotropic"), *plan, "--limit", 8, "--out", tmp_path / "run")
    assert aniso_jax(*words) == 2
    assert (
        capsys.readouterr()
        .err.splitlines()[-1]
        .startswith(
            "aniso-jax: Memory ran out (the device holds not even the draws by which one scale is"
        )
    )
    assert not (tmp_path / "run").exists()


def test_other_errors_are_not_taken_for_it():
    def broken(draws: int) -> None:
        raise jax.errors.JaxRuntimeError("INTERNAL: something else")

    with pytest.raises(RuntimeError, match="something else"):
        Room(print).tried(broken, 256)


def test_fewer_draws_are_checked_before_they_are_tried():
    """A check that has no room either is halved as well; one that finds a change stops the run."""
    room, log = Room(lambda draws: log.append(f"say {draws}")), []

    def check(draws: int) -> None:
        log.append(f"check {draws}")
        if draws > 128:
            raise jax.errors.JaxRuntimeError(FULL)

    def call(draws: int) -> int:
        log.append(f"call {draws}")
        if draws > 300:
            raise jax.errors.JaxRuntimeError(FULL)
        return draws

    room.check = check
    assert room.tried(call, 512) == 128
    assert log == ["call 512", "say 256", "check 256", "say 128", "check 128", "call 128"]
    assert room.tried(call, 512) == 128
    assert log[-1] == "call 128"


def test_nothing_is_halved_where_nobody_is_told():
    def full(draws: int) -> None:
        raise jax.errors.JaxRuntimeError(FULL)

    with pytest.raises(MemoryError, match=r"holds no 256 draws .* logits depend on how many"):
        Room().tried(full, 256)
