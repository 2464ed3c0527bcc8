"""What the first seconds say of the rest."""

import json

from aniso_jax.runs.log import JsonLines
from aniso_jax.runs.pace import Estimate, Pace
from aniso_jax.runs.progress import line


def test_the_estimate_is_told_once_after_a_second_of_drawing():
    told = []
    pace = Pace(inputs=100, n=10_000, may_stop=False, told=told.append)
    pace.prepared(4, 8.0)  # compiles
    pace.prepared(4, 2.0)
    pace.drew(500, 0.5)
    assert told == []
    pace.drew(1500, 1.5)
    pace.drew(9999, 1.0)
    (estimate,) = told
    assert estimate.draws_per_second == 1000
    assert estimate.seconds == 100 * (0.5 + 10)
    assert estimate.line() == "100 inputs, 17 min 30 s at 1,000 draws/s"


def test_runs_that_may_stop_early_take_at_most_so_long():
    told = []
    pace = Pace(inputs=1, n=1000, may_stop=True, told=told.append)
    pace.prepared(1, 1.0)
    pace.drew(1000, 10.0)
    assert told[0].line() == "1 input, at most 11 s at 100 draws/s"


def test_short_runs_have_no_line_and_programs_are_told_anyway(capsys):
    short = Estimate(inputs=3, seconds=2.0, draws_per_second=1e6, at_most=False)
    long = Estimate(inputs=10_000, seconds=11_520, draws_per_second=41e3, at_most=False)
    with line() as progress:
        progress.estimate(short)
        progress.estimate(long)
    assert capsys.readouterr().err.splitlines() == ["10,000 inputs, 3 h 12 min at 41,000 draws/s"]
    JsonLines().estimate(short)
    said = json.loads(capsys.readouterr().err)
    assert said["event"] == "estimate"
    assert (said["inputs"], said["total_seconds"], said["draws_per_second"]) == (3, 2.0, 1e6)
