from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from aniso_jax.models.adapters import NnxApply, from_linen, from_nnx
from aniso_jax.models.functions import from_function
from aniso_jax.models.networks import build

EXAMPLE = jnp.linspace(0.0, 1.0, 6)
BATCH = jax.random.normal(jax.random.key(0), (5, 6))


class Net(nnx.Module):
    """Dense, batch norm, dropout, dense; in training mode, as a new network is."""

    def __init__(self, seed: int) -> None:
        rngs = nnx.Rngs(seed)
        self.first = nnx.Linear(6, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.drop = nnx.Dropout(0.5, rngs=rngs)
        self.last = nnx.Linear(8, 3, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.last(self.drop(self.norm(self.first(x))))


class LinenNet(linen.Module):
    """The same in linen, with a training flag."""

    @linen.compact
    def __call__(self, x: jax.Array, train: bool = True) -> jax.Array:
        x = linen.BatchNorm(use_running_average=not train)(linen.Dense(8)(x))
        return linen.Dense(3)(linen.Dropout(0.5, deterministic=not train)(x))


class AlwaysTraining(nnx.Module):
    """Statistics of the batch that no eval mode switches off."""

    def __call__(self, x: jax.Array) -> jax.Array:
        return (x - x.mean(0)) / x.std(0)


class Wrapped(nnx.Module):
    """Any function of a batch as a network."""

    def __init__(self, f: object) -> None:
        self.f = f

    def __call__(self, x: jax.Array) -> jax.Array:
        return self.f(x)


def test_nnx_is_switched_to_eval_and_left_alone() -> None:
    net = Net(0)
    apply_fn, params = from_nnx(net, example=EXAMPLE)
    assert not net.norm.use_running_average
    assert not net.drop.deterministic
    net.eval()
    np.testing.assert_allclose(apply_fn(params, BATCH), net(BATCH), rtol=1e-6)


def test_linen_is_switched_to_eval() -> None:
    module = LinenNet()
    variables = module.init(jax.random.key(0), BATCH, train=False)
    apply_fn, params = from_linen(module, variables, example=EXAMPLE)
    expected = module.apply(variables, BATCH, train=False)
    np.testing.assert_allclose(apply_fn(params, BATCH), expected, rtol=1e-6)


def test_params_are_plain_and_differentiable() -> None:
    apply_fn, params = from_nnx(build("mlp", shape=(6,), classes=3), example=EXAMPLE)
    assert isinstance(params, dict)
    gradient = jax.jit(jax.grad(lambda p: apply_fn(p, BATCH).sum()))(params)
    np.testing.assert_allclose(gradient["logits"]["bias"], [5.0, 5.0, 5.0])


def test_equal_architectures_share_one_trace() -> None:
    traces = []

    @partial(jax.jit, static_argnums=0)
    def run(apply_fn: NnxApply, params: object, x: jax.Array) -> jax.Array:
        traces.append(1)
        return apply_fn(params, x)

    for seed in (0, 1):
        model = build("mlp", shape=(6,), classes=3, rngs=nnx.Rngs(seed))
        run(*from_nnx(model, example=EXAMPLE), BATCH)
    module = LinenNet()
    for seed in (0, 1):
        variables = module.init(jax.random.key(seed), BATCH, train=False)
        run(*from_linen(LinenNet(), variables, example=EXAMPLE), BATCH)
    assert len(traces) == 2
    run(*from_nnx(build("mlp", shape=(6,), classes=3, mean=0.5), example=EXAMPLE), BATCH)
    assert len(traces) == 3


def test_batch_norm_that_stays_in_training_is_refused() -> None:
    with pytest.raises(ValueError, match="other inputs in its batch"):
        from_nnx(AlwaysTraining(), example=EXAMPLE)


@pytest.mark.parametrize(
    ("f", "says"),
    [
        (lambda x: jax.nn.softmax(x, axis=0), "other inputs in its batch"),
        (lambda x: x - 1e-2 * x.mean(0), "other inputs in its batch"),
        (lambda x: x[::-1], "other inputs in its batch"),
        (lambda x: x.sum(axis=1), r"wanted \(4, classes\)"),
        (lambda x: x[:1], r"wanted \(4, classes\)"),
        (lambda x: x[:, :1], "two classes"),
        (lambda x: jnp.argsort(x, axis=1), "wanted floating logits"),
        (lambda x: jnp.log(x - x), "not finite"),
    ],
)
def test_refused(f: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        from_nnx(Wrapped(f), example=EXAMPLE)


def test_integer_example_is_refused() -> None:
    with pytest.raises(ValueError, match="divide uint8 images by 255"):
        from_nnx(build("mlp", shape=(6,), classes=3), example=jnp.zeros(6, jnp.uint8))


def test_unhashable_network_is_refused() -> None:
    apply_fn, _ = from_nnx(Net(0), example=EXAMPLE)
    assert hash(apply_fn) == hash(replace(apply_fn))
    with pytest.raises(ValueError, match="cannot be hashed"):
        from_linen(Unhashable(sizes=np.ones(2)), {}, example=EXAMPLE)


class Unhashable(linen.Module):
    """An array as a static attribute."""

    sizes: object

    def __call__(self, x: jax.Array) -> jax.Array:
        return x


@pytest.mark.parametrize(("dtype", "leak"), [("float32", 1e-5), ("bfloat16", 0.03)])
def test_a_small_leak_between_rows_is_seen(dtype, leak) -> None:
    def leaking(weights, batch):
        logits = (batch @ weights).astype(dtype)
        return logits + jnp.asarray(leak, dtype) * jnp.mean(logits)

    weights = jnp.array([[1.0, -1.0], [0.5, 2.0]])
    with pytest.raises(ValueError, match="change with the other inputs"):
        from_function(leaking, weights, example=jnp.ones(2))
