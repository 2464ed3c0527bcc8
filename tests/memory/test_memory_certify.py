"""One input certified into a memory: by the network that the file knows, and no other."""

import jax
import jax.numpy as jnp
import pytest
from store_samples import BOUND

import aniso_jax as aj
from aniso_jax.memory import binding
from aniso_jax.memory.sqlite import MemoryRefused

pytestmark = pytest.mark.usefixtures("quick_compiles")
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


def test_params_are_hashed_once(tmp_path, monkeypatch):
    hashed, weights_hash = [], binding.weights_hash
    monkeypatch.setattr(binding, "weights_hash", lambda w: hashed.append(1) or weights_hash(w))
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        for x in (X, 1.1 * X, 1.2 * X):
            aj.memory_certify(memory, net, W, x, KEY, **HOW)
    assert len(hashed) == 1
