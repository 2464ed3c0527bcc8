"""Plain functions, equinox networks and denoisers as networks; probabilities are refused."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

import aniso_jax as aj

X = jax.random.normal(jax.random.key(0), (5, 4, 4, 2))
EXAMPLE = X[0]


def logits(weights: jax.Array, batch: jax.Array) -> jax.Array:
    return batch.reshape(batch.shape[0], -1) @ weights


WEIGHTS = jax.random.normal(jax.random.key(1), (32, 3))


def test_a_function_comes_back_as_it_is() -> None:
    assert aj.from_function(logits, WEIGHTS, example=EXAMPLE) == (logits, WEIGHTS)


def probabilities(weights: jax.Array, batch: jax.Array) -> jax.Array:
    return jax.nn.softmax(logits(weights, batch))


def test_probabilities_are_refused_and_their_logarithm_is_not() -> None:
    with pytest.raises(ValueError, match=r"returns probabilities .* leave the last softmax off"):
        aj.from_function(probabilities, WEIGHTS, example=EXAMPLE)
    aj.from_function(lambda w, x: jnp.log(probabilities(w, x)), WEIGHTS, example=EXAMPLE)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda w, x: logits(w, x - x.mean(0)), "other inputs in its batch"),
        (lambda w, x: logits(w, x)[0], r"wanted \(4, classes\)"),
    ],
)
def test_functions_that_are_no_networks_are_refused(function: Any, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        aj.from_function(function, WEIGHTS, example=EXAMPLE)


class Halve(nnx.Module):
    """A denoiser."""

    def __init__(self) -> None:
        self.rate = nnx.Param(jnp.asarray(0.5))
        self.drop = nnx.Dropout(0.5, rngs=nnx.Rngs(0))

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.drop(self.rate[...] * x)


class Keep(linen.Module):
    """A denoiser that behaves otherwise while it is trained."""

    @linen.compact
    def __call__(self, x: jax.Array, train: bool = True) -> jax.Array:
        return linen.Dropout(0.9, deterministic=not train)(0.5 * x)


@pytest.mark.parametrize(
    "denoise", [Halve(), (Keep(), {}), (lambda rate, x: rate * x, jnp.asarray(0.5))]
)
def test_a_denoiser_before_a_classifier(denoise: Any) -> None:
    both, params = aj.compose(denoise, (logits, WEIGHTS), example=EXAMPLE)
    np.testing.assert_allclose(both(params, X), logits(WEIGHTS, 0.5 * X), rtol=1e-6)
    assert params.keys() == {"denoise", "classify"}
    assert hash(both) == hash(aj.compose(denoise, (logits, WEIGHTS), example=EXAMPLE)[0])


def test_a_denoiser_that_changes_the_shape_is_refused() -> None:
    with pytest.raises(ValueError, match=r"maps a batch of shape \(2, 4, 4, 2\) to \(2, 4, 4\)"):
        aj.compose((lambda _, x: x.sum(-1), None), (logits, WEIGHTS), example=EXAMPLE)


def test_a_composition_is_certified() -> None:
    both, params = aj.compose(Halve(), (logits, WEIGHTS), example=EXAMPLE)
    found = jax.jit(aj.certify, static_argnums=0, static_argnames="law")(
        both,
        params,
        EXAMPLE,
        jax.random.key(2),
        law=aj.gaussian,
        scale=aj.Isotropic(sigma=0.01),
        plan=aj.plan(aj.gaussian, n=64, n0=64),
    )
    assert int(found.label) == int(logits(WEIGHTS, EXAMPLE[None]).argmax())


def convolutional(seed: int) -> Any:
    eqx = pytest.importorskip("equinox", reason="equinox is an extra: aniso-jax[equinox]")
    keys = jax.random.split(jax.random.key(seed), 2)
    return eqx.nn.Sequential(
        [
            eqx.nn.Conv2d(2, 3, 3, key=keys[0]),
            eqx.nn.Lambda(jax.nn.relu),
            eqx.nn.Dropout(0.5),
            eqx.nn.Lambda(jnp.ravel),
            eqx.nn.Linear(12, 3, key=keys[1]),
        ]
    )


def test_equinox() -> None:
    eqx = pytest.importorskip("equinox", reason="equinox is an extra: aniso-jax[equinox]")
    network = convolutional(0)
    apply_fn, params = aj.from_equinox(network, example=EXAMPLE, channels_first=True)
    plain = eqx.nn.inference_mode(network)
    wanted = jnp.stack([plain(jnp.moveaxis(x, -1, 0)) for x in X])
    np.testing.assert_allclose(apply_fn(params, X), wanted, rtol=1e-5, atol=1e-6)
    assert not network.layers[2].inference
    with pytest.raises(ValueError, match=r"probabilities"):
        aj.from_equinox(
            eqx.nn.Sequential([network, eqx.nn.Lambda(jax.nn.softmax)]),
            example=EXAMPLE,
            channels_first=True,
        )


def test_equinox_networks_of_one_architecture_share_a_trace() -> None:
    traces = []

    @partial(jax.jit, static_argnums=0)
    def run(apply_fn: Any, params: Any, x: jax.Array) -> jax.Array:
        traces.append(1)
        return apply_fn(params, x)

    for seed in (0, 1):
        run(*aj.from_equinox(convolutional(seed), example=EXAMPLE, channels_first=True), X)
    assert len(traces) == 1


def test_equinox_with_state() -> None:
    eqx = pytest.importorskip("equinox", reason="equinox is an extra: aniso-jax[equinox]")

    class Net(eqx.Module):
        norm: Any
        last: Any

        def __init__(self, key: jax.Array) -> None:
            self.norm = eqx.nn.BatchNorm(6, axis_name="batch", mode="batch")
            self.last = eqx.nn.Linear(6, 3, key=key)

        def __call__(self, x: jax.Array, state: Any) -> Any:
            y, state = self.norm(x, state)
            return self.last(y), state

    network, state = eqx.nn.make_with_state(Net)(jax.random.key(0))
    x = jax.random.normal(jax.random.key(3), (5, 6))
    train = jax.vmap(network, axis_name="batch", in_axes=(0, None), out_axes=(0, None))
    _, state = train(x, state)
    apply_fn, params = aj.from_equinox(network, state=state, example=x[0])
    frozen = eqx.nn.inference_mode(network)
    wanted = jnp.stack([frozen(one, state)[0] for one in x])
    np.testing.assert_allclose(apply_fn(params, x), wanted, rtol=1e-5, atol=1e-6)


def test_without_equinox_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "equinox", None)
    with pytest.raises(ValueError, match=r"pip install 'aniso-jax\[equinox\]'"):
        aj.from_equinox(None, example=EXAMPLE)
