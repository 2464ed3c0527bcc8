"""Sound runs give no finding, whatever their law, bound and scale; what is not checked is said."""

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from verify_samples import BOUNDS, Sample, copied, records, unchecked

import aniso_jax as aj
from aniso_jax.audit.open import open_run_again
from aniso_jax.audit.stored import stored_grid
from aniso_jax.audit.verify.findings import lines
from aniso_jax.audit.verify.replay import plan_of
from aniso_jax.records.directory import NotARun
from aniso_jax.records.parts import part_path
from aniso_jax.runs.config import Optimize
from aniso_jax.runs.optimize import optimize_run
from aniso_jax.smoothing.grid import grid

LAWS = ("gaussian", "uniform", "laplace")
NOTHING = {
    True: "Nothing was found.",
    False: "Nothing was found in what was checked; 1 thing was not checked.",
}


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return Sample(tmp_path_factory.mktemp("sound"))


def some_in_ci() -> list:
    """Every bound with one law, every law with one bound; the others are compiled slowly."""
    return [
        pytest.param(
            law, bound, marks=() if law == "gaussian" or bound == "looks" else pytest.mark.slow
        )
        for law, bound in itertools.product(LAWS, BOUNDS)
    ]


@pytest.mark.parametrize(("law", "bound"), some_in_ci())
def test_a_sound_run_of_any_law_and_bound(sample, law, bound):
    run = sample.run(f"{law}-{bound}", law=law, **BOUNDS[bound])
    replay = 3 if law == "gaussian" or bound == "looks" else 0  # each of them is compiled
    result = sample.verify(run, replay=replay)
    assert result.findings == ()
    assert result.replayed == replay
    assert (unchecked(result) == []) == (replay > 0)
    assert lines(result)[-1] == NOTHING[result.skipped == ()]


@pytest.mark.parametrize("scale", ["isotropic", "anisotropic"])
def test_a_sought_scale_is_found_again_bit_by_bit(sample, scale):
    result = sample.verify(sample.run(scale, scale=scale, limit=5), replay=5)
    assert result.findings == ()
    assert "scales of 5 inputs, sought again from their seeds" in result.checked


def test_one_theta_has_the_hash_of_its_file(sample):
    result = sample.verify(sample.run("one", scale=str(sample.theta())))
    assert result.findings == ()
    assert "theta against the hash of the run's scale file" in result.checked


def test_one_theta_per_input_has_the_hash_of_its_file_if_the_run_is_all_of_it(sample):
    scales, asked = sample.root / "each.npz", {"scale": "isotropic", "limit": 5}
    if not scales.exists():
        optimize_run(Optimize(**sample.names, **asked, out=scales))
    whole = sample.verify(sample.run("each", scale=str(scales), limit=5))
    assert whole.findings == ()
    assert "theta and sigma against the hash of the run's scale file" in whole.checked
    some = sample.verify(sample.run("some", scale=str(scales), limit=4))
    assert some.findings == ()
    assert some.skipped[0].startswith("theta and sigma against the run's scale file: its hash")


def test_on_a_grid_the_stored_scales_alone_draw_the_same_votes(sample):
    """As certify drew them from a palette with many other scales, at the run's discount."""
    run = sample.run("gaussian-looks", **BOUNDS["looks"])
    experiment, _, inputs, model = open_run_again(run, **sample.names)
    made = grid(aj.gaussian, [0.125, 0.25, 0.5], shape=inputs.data.shape)
    asked = dataclasses.replace(experiment, mode="grid", grid=255, discount=made.discount)
    plans = (
        aj.plan(aj.gaussian, n0=20, alpha=0.01, looks=(100, 300), grid=made),
        plan_of(asked, model.classes, noise=stored_grid(records(run)[:3], asked)),
    )
    x = np.round(inputs.data.x[0] * 255).astype(np.float32) / 255
    drawn = [certified(model, x, plan) for plan in plans]
    assert plans[0].grid.discount == plans[1].grid.discount > 0
    assert drawn[0].history.sum() > 0
    assert drawn[0].history.tolist() == drawn[1].history.tolist()


def certified(model, x, plan):
    scale, key = aj.Isotropic(sigma=jnp.float32(0.25)), jax.random.key(1)
    network = model.apply_fn, model.params
    return aj.certify(*network, x, key, law=plan.law, scale=scale, plan=plan)


def test_without_a_replay_what_only_a_replay_sees_is_said(sample):
    result = sample.verify(sample.run("isotropic", scale="isotropic", limit=5))
    assert result.findings == ()
    assert [line.split(":")[1] for line in result.skipped] == [" not asked for, give --replay"] * 2
    assert lines(result)[-1] == (
        "Nothing was found in what was checked; 2 things were not checked."
    )


def test_data_and_network_that_cannot_be_found_are_said_not_to_be_checked(sample, monkeypatch):
    monkeypatch.chdir(sample.root.parent)
    run = sample.run("gaussian-one-sided", **BOUNDS["one-sided"])
    result = sample.verify(run, data=None, model=None)
    assert result.findings == ()
    said = "\n".join(result.skipped)
    assert "against the data: The run's data, npz:small.npz (test), cannot be found again" in said
    assert "clean_prediction against the network" in said
    with pytest.raises(ValueError, match="give --data"):
        sample.verify(run, data=None, model=None, replay=1)
    with pytest.raises(ValueError, match="give --model"):
        sample.verify(run, model=None, replay=1)
    no_network = sample.verify(run, model=None)
    assert len(no_network.skipped) == 2
    assert "The run's model, small.safetensors, cannot be found" in no_network.skipped[0]


def test_other_data_and_another_network_are_refused(sample):
    run = sample.run("gaussian-one-sided", **BOUNDS["one-sided"])
    with pytest.raises(ValueError, match=r"--data toy2d has the fingerprint \w+, the run was made"):
        sample.verify(run, data="toy2d")
    with pytest.raises(ValueError, match="--model demo has the fingerprint"):
        sample.verify(run, model="demo")
    with pytest.raises(ValueError, match="--model nowhere cannot be read"):
        sample.verify(run, model="nowhere")


def test_a_run_is_opened_again_with_its_data_and_its_network(sample):
    run = sample.run("gaussian-one-sided", **BOUNDS["one-sided"])
    experiment, table, inputs, model = open_run_again(run, **sample.names)
    assert table["index"].to_pylist() == inputs.indices.tolist()
    assert model.fingerprint == experiment.model_fingerprint
    assert table["input_id"].to_pylist() == list(inputs.ids.values())


def test_an_unfinished_run_is_a_finding_unless_partial_is_asked_for(sample, tmp_path):
    run = copied(sample.run("gaussian-one-sided", **BOUNDS["one-sided"]), tmp_path / "run")
    part_path(run, 1).unlink()
    missing = sample.verify(run)
    assert [finding.where for finding in missing.findings] == ["part-00001.parquet"]
    partial = sample.verify(run, partial=True)
    assert partial.findings == ()
    assert "4 of 20 inputs: they could not be read" in partial.skipped


def test_what_is_no_run_is_refused(sample, tmp_path):
    with pytest.raises(NotARun, match=r"it has no run\.json"):
        sample.verify(tmp_path)
    with pytest.raises(ValueError, match="--replay must be at least 0"):
        sample.verify(tmp_path, replay=-1)
