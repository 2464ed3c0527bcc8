"""The line that says how far a command is."""

import json
from itertools import count
from types import SimpleNamespace

import pytest

from aniso_jax.runs import log, progress
from aniso_jax.runs.engine import Finished
from aniso_jax.runs.log import JsonLines
from aniso_jax.runs.progress import line

DONE = Finished(draws=1_000, abstained=False, correct=True)


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on by five seconds whenever it is looked at."""
    seconds = count(0.0, 5.0)
    ticking = SimpleNamespace(monotonic=lambda: next(seconds))
    for module in (log, progress):
        monkeypatch.setattr(module, "time", ticking)


def test_one_run_after_another_is_never_more_than_all(capsys) -> None:
    with line() as progress:
        for inputs in (2, 3):
            progress.start(inputs)
            progress.inputs(inputs)
    said = capsys.readouterr().err.splitlines()
    assert [words.split()[0] for words in said] == ["2/2", "5/5"]
    assert all(words.endswith(" 0 s left") for words in said)


def test_what_was_there_already_is_no_hint_of_the_time_left(clock, capsys) -> None:
    with line() as watch:
        watch.start(100)
        watch.part(SimpleNamespace(fresh=False, table=range(90)))
        watch.input(DONE)
        watch.input(DONE)
    *_, last = capsys.readouterr().err.splitlines()
    done, left = last.split()[0], last.split(", ")[-1]
    assert done == "92/100"
    # some tens of seconds for the two that were computed now: four times as long for eight
    assert left.endswith(" left") and "min" in left, last


def test_draws_are_told_before_an_input_is_done(clock, capsys) -> None:
    with line() as watch:
        watch.start(2)
        for _ in range(4):
            watch.drew(500)
    said = capsys.readouterr().err.splitlines()
    assert said and all(text.startswith("0/2 inputs, ") for text in said), said
    assert all(text.endswith(" draws/s") for text in said), said
    watch = JsonLines()
    watch.start(2)
    for _ in range(4):
        watch.drew(500)
    events = [json.loads(text) for text in capsys.readouterr().err.splitlines()]
    drawn = [event["drawn"] for event in events if event["event"] == "progress"]
    assert drawn and drawn == sorted(set(drawn)) and events[-1]["inputs_done"] == 0
