"""Runs whose run.json was changed and every hash computed again: what then still speaks."""

from importlib.metadata import version

import numpy as np
import pytest
from verify_samples import Sample, forge, named, records, rewrite, unchecked

from aniso_jax.audit.verify.findings import lines
from aniso_jax.records.directory import read_experiment

GRID, SOURCE = ("run.json", "grid"), ("run.json", "scale_source")
SHA = "0" * 64


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Images of 8 bits, so that runs on a grid are among the runs."""
    sample = Sample(tmp_path_factory.mktemp("forged"))
    with np.load(sample.data) as content:
        x, y = np.rint(content["x"] * 255) / 255, content["y"]
    np.savez(sample.data, x=x.astype(np.float32), y=y)
    return sample


@pytest.fixture(scope="module")
def gridded(sample):
    return sample.run("gridded", grid=255, limit=5)


@pytest.fixture(scope="module")
def sought(sample):
    return sample.run("sought", scale="isotropic", limit=5)


def test_a_sound_run_on_a_grid_gives_no_finding(sample, gridded):
    result = sample.verify(gridded, replay=2)
    assert (result.findings, unchecked(result)) == ((), [])
    assert any(", grid against the data" in what for what in result.checked)


@pytest.mark.parametrize("steps", [254, 1, 0, -255])
def test_a_grid_that_the_inputs_do_not_lie_on_is_found_and_not_drawn_from(
    sample, gridded, tmp_path, steps
):
    result = sample.verify(forge(gridded, tmp_path / "run", grid=steps), replay=2)
    assert named(result) == {GRID}
    assert result.findings[0].said == "5 inputs, input 0 the first, do not lie on it"
    assert result.replayed == 0
    assert result.skipped == (
        "that the seeds draw these votes: the grid in run.json is not that of the data",
    )
    assert lines(result)[-1] == "1 trouble was found."


def test_a_grid_in_float_mode_is_found_and_not_drawn_from(sample, sought, tmp_path):
    result = sample.verify(forge(sought, tmp_path / "run", grid=254), replay=1)
    assert named(result) == {GRID}
    assert len(result.skipped) == 2


@pytest.mark.parametrize("changed", [{"discount": 0.0}, {"grid": 510}])
def test_a_discount_that_is_too_small_is_found_without_a_draw(sample, gridded, tmp_path, changed):
    """Here of a forged run whose records would have to be forged too, or of a finer grid."""
    run = forge(gridded, tmp_path / "run", **changed)
    assert ("run.json", "discount") in named(sample.verify(run))


def test_a_multiple_of_the_grid_draws_other_votes(sample, gridded, tmp_path):
    run = forge(gridded, tmp_path / "run", grid=510)
    assert {column for _, column in named(sample.verify(run, replay=2))} >= {"votes"}


def test_a_stored_scale_that_is_none_does_not_stop_the_replay(sample, gridded, tmp_path):
    run = forge(gridded, tmp_path / "run")
    rows = records(run)
    rows[0]["sigma"] = -0.25
    rewrite(run, rows)
    assert {("input 0", "sigma"), ("input 0", "votes")} <= named(sample.verify(run, replay=5))


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        ("fixed", "rubbish"),
        ("fixed", "one sigma for all inputs, or so"),
        ("isotropic", "one sigma for all inputs"),
        ("isotropic", "one per input, rubbish"),
        ("file", "one theta, I think, sha256 " + SHA),
        ("file", "one theta per input, sha256 rubbish"),
    ],
)
def test_a_source_that_is_none_of_its_scale_is_found(
    sample, gridded, sought, tmp_path, kind, source
):
    whole = {"fixed": gridded, "isotropic": sought}
    run = whole.get(kind) or sample.run("one", scale=str(sample.theta()))
    result = sample.verify(forge(run, tmp_path / "run", scale_source=source))
    assert named(result) == {SOURCE}
    assert repr(source) in lines(result)[-2]


def test_another_search_is_a_finding_of_this_version_and_unknown_of_others(
    sample, sought, tmp_path
):
    now, source = read_experiment(sought).versions, "one per input, Other(steps=3)"
    own = sample.verify(forge(sought, tmp_path / "own", scale_source=source))
    assert [finding.said for finding in own.findings] == [
        f"aniso_jax {version('aniso-jax')} has no such search"
    ]
    old = forge(
        sought, tmp_path / "old", scale_source=source, versions={**now, "aniso_jax": "0.0.1"}
    )
    result = sample.verify(old, replay=1)
    assert result.findings == ()
    assert result.skipped[0].startswith("the search in scale_source: it is of aniso_jax 0.0.1, ")
    assert len(unchecked(result)) == 2
    assert lines(result)[-1].endswith(f"{len(result.skipped)} things were not checked.")


def test_another_kind_of_scale_contradicts_its_source(sample, gridded, sought, tmp_path):
    run = forge(sought, tmp_path / "fixed", scale="fixed", batch=None)
    assert SOURCE in named(sample.verify(run))
    whole = forge(run, tmp_path / "whole", scale_source="one sigma for all inputs")
    assert {column for _, column in named(sample.verify(whole))} == {"sigma"}
    other = forge(gridded, tmp_path / "sigma", sigma=0.5)
    assert {column for _, column in named(sample.verify(other))} == {"sigma"}
