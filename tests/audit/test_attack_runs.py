"""Whole runs attacked: one whose regions were enlarged is refuted, those that were not are not."""

import shutil
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pytest
from flax import nnx

from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.attack.printing import attack_lines
from aniso_jax.audit.attack.run import attack_run, claimed_gap, target_of
from aniso_jax.audit.attack.target import Effort
from aniso_jax.audit.open import open_run_again
from aniso_jax.models import checkpoint
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.networks import build
from aniso_jax.records.directory import read_experiment
from aniso_jax.records.parts import present_parts, read_part, write_part
from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.config import Certify
from aniso_jax.runs.inputs import keys_of
from aniso_jax.runs.watch import Watch
from aniso_jax.smoothing.noise import Phase

SHAPE, INPUTS, SIGMA = (4, 4, 1), 6, 0.25
QUICK = Effort(climbs=4, steps=4, draws=64, turns=2, ends=2, screen=256, confirmed=2)


@pytest.fixture(scope="module")
def linear(tmp_path_factory):
    """A linear network, and inputs whose margin is 0.6 to 1.2 standard deviations of its noise."""
    root, rng = tmp_path_factory.mktemp("linear"), np.random.default_rng(0)
    kwargs = {"shape": list(SHAPE), "classes": 2, "hidden": [], "mean": [0.5]}
    _, params = from_nnx(build("mlp", **kwargs, rngs=nnx.Rngs(0)), example=jnp.zeros(SHAPE))
    normal = rng.normal(size=16)
    normal /= np.linalg.norm(normal)
    params["logits"]["kernel"] = jnp.asarray(np.stack([normal, -normal], axis=1), jnp.float32)
    model = root / "linear.safetensors"
    checkpoint.save(model, arch="mlp", arch_kwargs=kwargs, params=params, provenance={})
    x = rng.uniform(0.3, 0.7, (INPUTS, 16))
    side = np.where(np.arange(INPUTS) % 2, -1, 1)
    wanted = side * rng.uniform(0.6, 1.2, INPUTS) * SIGMA
    x += (wanted - (x - 0.5) @ normal)[:, None] * normal
    data = root / "data.npz"
    x = np.rint(x.reshape(-1, *SHAPE) * 255) / 255  # so that a grid fits too
    np.savez(data, x=x.astype(np.float32), y=(side < 0).astype(np.int64))
    return root, model, data


@pytest.fixture(scope="module")
def sound(linear) -> Path:
    root, model, data = linear
    out = root / "sound"
    certify_run(Certify(data=f"npz:{data}", model=str(model), sigma=SIGMA, n=2000, seed=3, out=out))
    return out


CLAIMS = ("gap", "radius", "proxy_radius")


def enlarge(run: Path, out: Path, factor: float, columns: tuple[str, ...] = CLAIMS) -> Path:
    """The same run with gaps and radii multiplied, and hashes that fit what is written."""
    shutil.copytree(run, out)
    experiment = read_experiment(out)
    for part in present_parts(out):
        table = read_part(out, part, experiment)
        for name in columns:
            at = table.schema.get_field_index(name)
            field = table.schema.field(at)
            values = pa.array(table[name].to_numpy() * factor).cast(field.type)
            table = table.set_column(at, field, values)
        write_part(out, part, table, experiment)
    return out


def asked(run: Path, linear, **options) -> Attack:
    _, model, data = linear
    return Attack(run=run, n=4000, data=f"npz:{data}", model=str(model), **options)


def test_a_sound_run_stands(sound, linear):
    found = attack_run(asked(sound, linear), effort=QUICK)
    assert found.status == 0
    assert found.certified == INPUTS
    assert list(found.outcomes) == list(range(INPUTS))
    assert len(found.calls) == INPUTS * QUICK.confirmed
    said = list(attack_lines(found))
    assert said[0].startswith(f"attacked: {INPUTS} of {INPUTS} certified inputs, ")
    assert said[-2].startswith("closest call: input ")
    assert said[-1] == "No counterexample was found; that does not prove that there is none."


def test_an_enlarged_run_is_refuted_on_every_input(sound, linear, tmp_path):
    found = attack_run(asked(enlarge(sound, tmp_path / "x", 1.5), linear), effort=QUICK)
    assert found.status == 1
    assert {index for index, _ in found.counterexamples} == set(range(INPUTS))
    assert all(call.gauge <= 1 and call.rival == 1 - call.label for _, call in found.calls)
    said = list(attack_lines(found))
    assert said[-1] == f"{INPUTS} certificates are refuted."
    assert sum(line.startswith("counterexample: ") for line in said) == len(found.counterexamples)


@pytest.mark.parametrize("column", ["radius", "proxy_radius"])
def test_a_run_is_refuted_where_a_radius_alone_was_enlarged(sound, linear, tmp_path, column):
    enlarged = enlarge(sound, tmp_path / "x", 1.5, (column,))
    found = attack_run(asked(enlarged, linear), effort=QUICK)
    assert {index for index, _ in found.counterexamples} == set(range(INPUTS))


def test_the_largest_claim_of_a_record_is_attacked():
    theta = [0.5, 2.0]
    row = {"gap": 0.8, "radius": 0.4 * (1 - 1e-12), "proxy_radius": 0.8 * (1 + 1e-7)}
    row |= {"theta": theta, "sigma": 0.5}
    assert claimed_gap(row) == 0.8
    assert claimed_gap(row | {"radius": 0.6}) == pytest.approx(1.2)
    assert claimed_gap(row | {"proxy_radius": 1.2, "radius": 0.5}) == pytest.approx(1.2)
    assert claimed_gap(row | {"theta": None, "radius": 1.0}) == pytest.approx(2.0)
    assert claimed_gap(row | {"theta": [0.0, 2.0], "radius": 1.0}) == 0.8


def test_a_run_on_a_grid_is_attacked_on_its_grid(linear, tmp_path):
    _, model, data = linear
    out, options = tmp_path / "grid", {"data": f"npz:{data}", "model": str(model), "sigma": SIGMA}
    certify_run(Certify(**options, n=2000, grid=255, out=out))
    sound = attack_run(asked(out, linear), effort=QUICK)
    enlarged = attack_run(asked(enlarge(out, tmp_path / "x", 1.5), linear), effort=QUICK)
    points = 255 * np.stack([call.point for _, call in (*sound.calls, *enlarged.calls)])
    assert np.allclose(points, np.rint(points), atol=1e-4, rtol=0)
    assert sound.status == 0
    assert {index for index, _ in enlarged.counterexamples} == set(range(INPUTS))


def test_the_same_attack_finds_the_same_and_tells_how_far_it_is(sound, linear):
    class Counted(Watch):
        begun, done = 0, 0

        def start(self, inputs: int) -> None:
            self.begun = inputs

        def inputs(self, count: int) -> None:
            self.done += count

    watch = Counted()
    once = attack_run(asked(sound, linear, limit=2), watch=watch, effort=QUICK)
    again = attack_run(asked(sound, linear, limit=2), effort=QUICK)
    other = attack_run(asked(sound, linear, limit=2, seed=1), effort=QUICK)
    assert (watch.begun, watch.done) == (2, 2)
    assert [call.votes for _, call in once.calls] == [call.votes for _, call in again.calls]
    assert [call.votes for _, call in once.calls] != [call.votes for _, call in other.calls]
    assert once.level == pytest.approx(0.001 / 4)
    assert list(attack_lines(once)) == list(attack_lines(again))


def test_a_run_that_certifies_nothing_has_nothing_to_refute(sound, linear, tmp_path):
    found = attack_run(asked(enlarge(sound, tmp_path / "x", 0.0), linear), effort=QUICK)
    assert (found.status, found.certified, found.calls) == (0, 0, [])
    assert next(attack_lines(found)).startswith("attacked: 0 of 0 certified inputs, 0 points")


def test_what_cannot_be_attacked_is_refused(sound, linear, tmp_path):
    with pytest.raises(ValueError, match="take n >= 15"):
        attack_run(Attack(run=sound, n=14, data=f"npz:{linear[2]}", model=str(linear[1])))
    with pytest.raises(ValueError, match="is no run"):
        attack_run(Attack(run=tmp_path))
    with pytest.raises(ValueError, match="--limit must be at least 1"):
        Attack(run=sound, limit=0)
    with pytest.raises(ValueError, match="--alpha must lie between 0 and 1"):
        Attack(run=sound, alpha=1.0)


def test_no_draw_of_an_attack_is_one_of_the_run(sound, linear):
    """Keys differ even where both have one seed; and within the attack, by phase."""
    experiment, table, inputs, model = open_run_again(
        sound, data=f"npz:{linear[2]}", model=str(linear[1])
    )
    row = table.to_pylist()[0]
    target = target_of(row, experiment, inputs, model, grid=None, seed=experiment.seed)
    own = keys_of(experiment.seed, [row["input_id"]])[0]
    keys = [jax.random.key_data(key).tolist() for key in (own, target.key)]
    phases = [
        jax.random.key_data(jax.random.fold_in(key, int(phase))).tolist()
        for key in (own, target.key)
        for phase in Phase
    ]
    assert len({str(key) for key in keys + phases}) == 2 + 2 * len(Phase)
    assert float(target.region.gap) == row["gap"]
    assert int(target.label) == row["prediction"]
