"""A changed digit anywhere in a record is found, and named by its input and its column."""

import numpy as np
import pytest
from verify_samples import Sample, copied, named, records, rewrite

from aniso_jax.records.directory import read_experiment
from aniso_jax.records.schema import COLUMNS

ROW = 2  # of part 0, a certified one


def up(value):
    return float(np.nextafter(np.float32(value), np.float32(np.inf)))


def down(value):
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def digit(votes):
    """One vote more for the class with most votes."""
    most = int(np.argmax(votes))
    return [count + (place == most) for place, count in enumerate(votes)]


def moved(votes):
    """One vote moved from one rival to another: the sum and the hits stay."""
    rivals = [place for place in np.argsort(votes)[:-1] if votes[place] > 0]
    other = next(place for place in np.argsort(votes)[:-1] if place != rivals[-1])
    return [count + (k == other) - (k == rivals[-1]) for k, count in enumerate(votes)]


CHANGES = {
    "input_id": [lambda i: i[:-1] + ("0" if i[-1] != "0" else "1")],
    "label": [lambda label: (label + 1) % 3],
    "prediction": [lambda label: (label + 1) % 3, lambda _: -1],
    "correct": [lambda correct: not correct],
    "clean_prediction": [lambda label: (label + 1) % 3, lambda _: -1, lambda _: 99],
    "status": [lambda _: "abstained", lambda _: "nonfinite_logits", lambda _: "nonfinite_input"],
    "selection_votes": [digit],
    "votes": [
        lambda votes: [digit(votes[0]), *votes[1:]],
        lambda votes: [*votes[:-1], digit(votes[-1])],
        lambda votes: [*votes, votes[-1]],
        lambda votes: [[*look, 0] for look in votes],
        lambda _: [],
    ],
    "hits": [lambda hits: hits + 1, lambda hits: hits - 1],
    "p_lower": [lambda p: p + 1e-9, lambda p: p - 1e-8],
    "gap": [up, lambda gap: down(down(down(gap)))],
    "radius": [lambda r: r * (1 + 1e-11), lambda r: r * (1 - 1e-11)],
    "proxy_radius": [lambda r: r * (1 + 1e-11), lambda r: r * (1 - 1e-11)],
    "log_volume": [lambda v: v + 1e-9, lambda v: v - 1e-9, lambda _: None],
    "domain_log_volume": [lambda v: v - 1e-4, lambda v: v + 1e-2, lambda _: None],
    "sigma": [up, down],
    "theta": [
        lambda theta: [*theta[:7], up(theta[7]), *theta[8:]],
        lambda theta: [*theta[:7], down(theta[7]), *theta[8:]],
        lambda theta: theta[1:],
        lambda _: None,
    ],
    "min_sigma": [lambda s: s * (1 + 1e-9), down],
    "capped_share": [lambda _: 0.5, lambda _: None, lambda share: share + 0.01],
}
# theta is 16 numbers, and log_volume their sum: a digit of one shows there without a replay
SHOWS_IN = {"theta": "log_volume"}
ALL = [(column, k) for column, changes in CHANGES.items() for k in range(len(changes))]


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return Sample(tmp_path_factory.mktemp("changed"))


@pytest.fixture(scope="module")
def sought(sample):
    """A run with every column: two looks, and a theta sought for each input."""
    run = sample.run("sought", scale="anisotropic", looks=(100, 300), limit=5)
    assert records(run)[ROW]["status"] == "certified"
    return run


def changed(run, to, column, change):
    """A copy of the run with one value changed, and the number of its input."""
    copy = copied(run, to / "run")
    rows = records(copy)
    before = rows[ROW][column]
    rows[ROW][column] = change(before)
    assert rows[ROW][column] != before
    rewrite(copy, rows)
    return copy, f"input {rows[ROW]['index']}"


@pytest.mark.parametrize(("column", "which"), ALL)
def test_a_changed_digit_is_named_by_input_and_column(sample, sought, tmp_path, column, which):
    run, where = changed(sought, tmp_path, column, CHANGES[column][which])
    quick = sample.verify(run)
    only_replay = column in ("sigma", "capped_share")
    if (where, column) not in named(quick):  # then another column shows it, or the replay does
        assert (where, SHOWS_IN.get(column)) in named(quick) or only_replay
        assert (where, column) in named(sample.verify(run, replay=5))
    assert {place for place, _ in named(quick)} <= {where}


@pytest.mark.parametrize("column", ["p_lower", "gap", "radius", "hits", "correct", "min_sigma"])
def test_one_changed_digit_is_not_named_again_in_what_would_follow_from_it(
    sample, sought, tmp_path, column
):
    run, where = changed(sought, tmp_path, column, CHANGES[column][0])
    assert named(sample.verify(run)) == {(where, column)}


def test_every_column_is_among_those_changed():
    assert {field.name for field in COLUMNS} == {*CHANGES, "index"}


def test_another_index_is_found(sample, sought, tmp_path):
    copy = copied(sought, tmp_path / "run")
    rows = records(copy)
    rows[-1]["index"] += 1
    rewrite(copy, rows)
    assert ("input 5", "index") in named(sample.verify(copy))


@pytest.mark.parametrize(
    "column", ["votes", pytest.param("selection_votes", marks=pytest.mark.slow)]
)
def test_votes_that_could_be_but_were_not_drawn_are_found_by_the_replay(sample, tmp_path, column):
    """One vote moved between rivals: no one-sided number follows from it."""
    run = copied(sample.run("fixed", looks=(100, 300), sigma=1.0), tmp_path / "run")
    rows = records(run)
    at = next(k for k, row in enumerate(rows) if sum(c > 0 for c in row["selection_votes"]) > 1)
    votes = rows[at][column]
    rows[at][column] = moved(votes) if column == "selection_votes" else [votes[0], moved(votes[1])]
    rewrite(run, rows)
    place = f"input {rows[at]['index']}"
    assert (place, column) in named(sample.verify(run, replay=20))


def test_a_fixed_and_a_filed_scale_are_known_without_a_replay(sample, tmp_path):
    fixed = sample.run("fixed", looks=(100, 300), sigma=1.0)
    one = sample.run("one", scale=str(sample.theta()))
    for column, run in (("sigma", fixed), ("sigma", one), ("theta", one)):
        copy, where = changed(run, tmp_path, column, CHANGES[column][0])
        assert (where, column) in named(sample.verify(copy))


def test_counts_that_fall_are_found(sample, tmp_path):
    run = copied(sample.run("fixed", looks=(100, 300), sigma=1.0), tmp_path / "run")
    rows = records(run)
    assert len(rows[0]["votes"]) == 2
    first, last = rows[0]["votes"]
    worst = int(np.argmin(last))
    first = [100 if k == worst else 0 for k in range(3)]
    rows[0]["votes"] = [first, last]
    rewrite(run, rows)
    said = [f.said for f in sample.verify(run).findings if f.column == "votes"]
    assert any("fall from look 100 to look 300" in each for each in said)


def test_lost_rows_must_be_said(sample, tmp_path):
    run = copied(sample.run("fixed", looks=(100, 300), sigma=1.0), tmp_path / "run")
    rows = records(run)
    rows[0]["votes"][-1] = [max(count - 1, 0) for count in rows[0]["votes"][-1]]
    rewrite(run, rows)
    assert {("input 0", "votes"), ("input 0", "status")} <= named(sample.verify(run))


def test_the_sample_has_every_kind_of_column_that_a_run_can_have(sought):
    assert read_experiment(sought).scale == "anisotropic"
    assert all(value is not None for value in records(sought)[ROW].values())
