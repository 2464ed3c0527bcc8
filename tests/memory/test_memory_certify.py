"""One input certified into a memory: by the network that the file knows, and no other."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory import certify as certifying
from aniso_jax.memory import store
from aniso_jax.memory.sqlite import MemoryRefused

PLAN = aj.plan(aj.gaussian, n=300)
HOW = {"law": aj.gaussian, "scale": aj.Isotropic(sigma=0.5), "plan": PLAN}
W, X, KEY = jnp.array([1.0, 0.0]), jnp.array([1.0, 0.0]), jax.random.key(0)


def net(w, batch):
    return jnp.stack([batch @ w, -batch @ w], axis=-1)


@pytest.mark.parametrize("weights", ("abc", W))
def test_other_params_are_refused_also_where_the_file_is_opened_again(tmp_path, weights):
    bound = {**BOUND, "weights": weights}
    with aj.memory_open(tmp_path / "m", **bound) as memory:
        assert int(aj.memory_certify(memory, net, W, X, KEY, **HOW).label) == 0
        with pytest.raises(MemoryRefused, match="was made with other params"):
            aj.memory_certify(memory, net, -W, X + 9, KEY, **HOW)
    with aj.memory_open(tmp_path / "m", **bound) as memory:
        with pytest.raises(MemoryRefused, match="was made with other params"):
            aj.memory_certify(memory, net, -W, 1.01 * X, KEY, **HOW)
        assert memory.count() == 1


def test_a_scale_with_axes_of_its_own_is_refused_before_any_draw(tmp_path):
    basis = np.array([[0.6, 0.8]], np.float32)
    turned = aj.Rotated(theta=np.float32(0.5), basis=basis, stretch=np.ones(1, np.float32))
    region = aj.Region(center=X, scale=turned, gap=jnp.float32(1), order=2)
    said = "The scale is a Rotated; a memory stores regions of Isotropic and Diagonal scales only"
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        with pytest.raises(ValueError, match=said):
            aj.memory_certify(memory, None, W, X, KEY, **{**HOW, "scale": turned})
        with pytest.raises(ValueError, match=said):
            memory.ask(region, 0, draws="some")
        assert memory.count() == 0
    with pytest.raises(ValueError, match=said):
        aj.memory_insert(aj.memory_empty(1, (2,), order=2), region, 0)


def test_params_that_another_network_may_have_made_the_answers_with_are_refused(tmp_path):
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((9, 0)), 0, draws="a run's")
        with pytest.raises(MemoryRefused, match="does not know the params they were made with"):
            aj.memory_certify(memory, net, W, X, KEY, **HOW)
        memory.check_params(W, are_known=True)  # as a run does, which has the fingerprint
        assert int(aj.memory_certify(memory, net, W, X, KEY, **HOW).label) == 0
    with (
        aj.memory_open(tmp_path / "m", **BOUND) as memory,
        pytest.raises(MemoryRefused, match="was made with other params"),
    ):
        aj.memory_certify(memory, net, -W, 1.01 * X, KEY, **HOW)


OTHERS = {
    "n0": 50,
    "looks": (100, 300),
    "bound": "two-class",
    "alpha": 0.01,
    "target": 0.5,
    "tolerance": 0.1,
    "shared_draws": not PLAN.shared_draws,
}


@pytest.mark.parametrize("name", OTHERS)
def test_every_part_of_a_plan_that_changes_the_certificate_is_another_try(name):
    assert getattr(PLAN, name) != OTHERS[name]
    other = replace(PLAN, **{name: OTHERS[name]})
    seen = {certifying._draws(KEY, HOW["scale"], plan) for plan in (PLAN, other)}
    seen.add(certifying._draws(jax.random.key(1), HOW["scale"], PLAN))
    seen.add(certifying._draws(KEY, aj.Isotropic(sigma=0.6), PLAN))
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("weights", "said"),
    (
        ({"w": W, "k": KEY}, r"no numbers at \['k'\], but key"),
        ({"w": np.array(["a"])}, r"no numbers at \['w'\], but <U1"),
        ({"w": np.array([1, None])}, r"no numbers at \['w'\], but object"),
    ),
)
def test_a_leaf_without_numbers_names_no_network(tmp_path, weights, said):
    with pytest.raises(ValueError, match=said):
        aj.memory_open(tmp_path / "m", **{**BOUND, "weights": weights})
    assert not list(tmp_path.iterdir())


def test_what_is_no_shape_no_alpha_or_no_file_is_refused(tmp_path):
    for changed, said in (
        ({"shape": 2}, "shape is 2; wanted that of one input"),
        ({"shape": (2.0,)}, r"shape is \(2.0,\); wanted that of one input"),
        ({"shape": (0,)}, r"shape is \(0,\); wanted that of one input"),
        ({"law": "gaussian"}, "law is 'gaussian'; wanted that of the noise, such as aj.gaussian"),
        ({"alpha": "0.1"}, "alpha is '0.1'; wanted the plan's"),
        ({"weights": ""}, "weights holds no array, .* a string that names it and no other"),
        ({"alpha": float("nan")}, "alpha is nan; wanted the plan's"),
        ({"alpha": 0}, "alpha is 0; wanted the plan's"),
    ):
        with pytest.raises(ValueError, match=said):
            aj.memory_open(tmp_path / "m", **{**BOUND, **changed})
    with pytest.raises(MemoryRefused, match="is a folder; give the path of a file"):
        aj.memory_open(tmp_path, **BOUND)
    assert not list(tmp_path.iterdir())


def test_a_shape_of_numpys_numbers_is_the_same_shape(tmp_path):
    sizes = tuple(np.array([2]))
    aj.memory_open(tmp_path / "m", **{**BOUND, "shape": sizes}).close()
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        assert repr(memory) == f"<MemoryFile {tmp_path / 'm'}: gaussian, l2, inputs of (2,)>"
    assert aj.memory_empty(1, sizes, order=2).shape == (2,)


@pytest.mark.parametrize("weights", ({}, (), {"w": None}))
def test_params_without_an_array_name_no_network(tmp_path, weights):
    with pytest.raises(ValueError, match=r"weights holds no array, .* a string that names it"):
        aj.memory_open(tmp_path / "m", **{**BOUND, "weights": weights})
    assert not list(tmp_path.iterdir())


def test_params_changed_in_place_are_seen(tmp_path):
    params = {"w": np.array([1.0, 0.0], np.float32)}
    with aj.memory_open(tmp_path / "m", **{**BOUND, "weights": params}) as memory:
        memory.check_params(params)
        params["w"] *= -1
        with pytest.raises(MemoryRefused, match="was made with other params"):
            memory.check_params(params)
        params["w"] = jnp.array([1.0, 0.0])
        memory.check_params(params)
        params["w"] = -params["w"]
        with pytest.raises(MemoryRefused, match="was made with other params"):
            memory.check_params(params)


def test_params_are_hashed_once(tmp_path, monkeypatch):
    hashed, weights_hash = [], store.weights_hash
    monkeypatch.setattr(store, "weights_hash", lambda w: hashed.append(1) or weights_hash(w))
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for x in (X, 1.1 * X, 1.2 * X):
            aj.memory_certify(memory, net, W, x, KEY, **HOW)
    assert len(hashed) == 1


def test_a_call_that_died_before_its_answer_was_a_try(tmp_path, monkeypatch):
    def died(*_):
        raise KeyboardInterrupt

    died.eval_shape = certifying._certify.eval_shape
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        with monkeypatch.context() as patched:
            patched.setattr(certifying, "_certify", died)
            with pytest.raises(KeyboardInterrupt):
                aj.memory_certify(memory, net, W, X, KEY, **HOW)
        with pytest.raises(MemoryRefused, match="a second try needs its own share of alpha"):
            aj.memory_certify(memory, net, W, X, jax.random.key(1), **HOW)
        assert int(aj.memory_certify(memory, net, W, X, KEY, **HOW).label) == 0


def flat(w, batch):
    return batch @ w


@pytest.mark.parametrize(
    ("bad", "said"),
    (
        ({"scale": aj.Diagonal(theta=jnp.ones(3))}, "incompatible shapes"),
        ({"apply_fn": flat}, "apply_fn must return logits"),
        ({"chunk": 0}, "chunk must be a static positive integer"),
    ),
)
def test_a_call_that_cannot_be_computed_was_no_try(tmp_path, bad, said):
    """The same input is certified once the mistake is mended, with another scale too."""
    good = {"apply_fn": net, "params": W, "x": X, "key": KEY, **HOW}
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        with pytest.raises((ValueError, TypeError), match=said):
            aj.memory_certify(memory, **{**good, **bad})
        other = {**good, "scale": aj.Isotropic(sigma=0.4)}
        assert int(aj.memory_certify(memory, **other).label) == 0


@pytest.mark.parametrize("sigma", (0.1, np.float32(0.1), np.float64(0.1), np.array(0.1)))
def test_the_same_scale_in_another_kind_of_number_is_no_other_try(sigma):
    one, other = (aj.Isotropic(sigma=each) for each in (sigma, jnp.float32(0.1)))
    assert certifying._draws(KEY, one, PLAN) == certifying._draws(KEY, other, PLAN)
