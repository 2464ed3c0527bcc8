"""Votes depend on (key, phase, block) and on nothing else."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import LAWS, half_space

import aniso_jax as aj
from aniso_jax.smoothing.noise import BLOCK, Window, standard_noise

D = 5
W = jnp.array([1.0, -0.5, 0.25, 2.0, 0.125])
X = jnp.array([0.3, 0.1, -0.2, 0.4, 0.9])
SCALE = aj.Diagonal(theta=jnp.array([0.5, 1.0, 2.0, 0.7, 0.3]))
PARAMS = (W, jnp.float32(0.5))
KEY = jax.random.key(7)


@partial(jax.jit, static_argnames=("n", "law", "chunk", "phase"))
def jitted(n, law, x, key, scale, chunk, phase):
    return aj.count_votes(
        half_space, PARAMS, x, key, law=law, scale=scale, n=n, chunk=chunk, phase=phase
    )


def count(n, law=aj.gaussian, *, x=X, key=KEY, scale=SCALE, chunk=BLOCK, phase=2) -> np.ndarray:
    return np.asarray(jitted(n, law, x, key, scale, chunk, aj.Phase(phase)))


def directly(law: aj.Law, n: int, phase: aj.Phase = aj.Phase.ESTIMATE) -> np.ndarray:
    """The first n draws' answers, one block at a time, in NumPy."""
    answers = []
    for block in range(-(-n // BLOCK)):
        z = standard_noise(law, Window(key=KEY, phase=phase, first=block, blocks=1), (D,))
        noisy = np.asarray(X) + np.asarray(SCALE.theta) * np.asarray(z)
        answers.append(np.argmax(half_space(PARAMS, jnp.asarray(noisy)), axis=-1))
    return np.concatenate(answers)[:n]


@pytest.mark.parametrize(
    "law", [aj.gaussian, *(pytest.param(law, marks=pytest.mark.slow) for law in LAWS[1:])], ids=str
)
def test_a_hundred_votes_are_a_prefix_of_many(law) -> None:
    answers = directly(law, 1000)
    for n in (100, 1000) if law == aj.gaussian else (100,):
        assert np.array_equal(count(n, law), np.bincount(answers[:n], minlength=2))


def test_the_chunk_never_changes_a_vote() -> None:
    votes = [count(5000, chunk=chunk) for chunk in (64, 1000, 4096)]
    assert votes[0].sum() == 5000
    assert all(np.array_equal(votes[0], other) for other in votes)


def test_vmap_loop_jit_and_eager_agree() -> None:
    keys = jax.random.split(KEY, 3)
    xs = jnp.stack([X, 2 * X, -X])

    def one(x: jax.Array, key: jax.Array) -> jax.Array:
        return aj.count_votes(
            half_space, PARAMS, x, key, law=aj.gaussian, scale=SCALE, n=60, chunk=64
        )

    mapped = jax.vmap(one)(xs, keys)
    compiled = jax.jit(jax.vmap(one))(xs, keys)
    looped = jnp.stack([one(x, key) for x, key in zip(xs, keys, strict=True)])
    assert np.array_equal(mapped, looped)
    assert np.array_equal(compiled, looped)


def test_phases_and_keys_do_not_share_noise() -> None:
    def draw(key: jax.Array, phase: aj.Phase) -> np.ndarray:
        z = standard_noise(aj.gaussian, Window(key=key, phase=phase, first=0, blocks=4), (D,))
        return np.asarray(z).ravel()

    noises = [draw(key, phase) for key in jax.random.split(KEY) for phase in aj.Phase]
    pool = np.concatenate([*noises, draw(KEY, aj.Phase.SELECT)])
    correlation = np.corrcoef(pool.reshape(7, -1)) - np.eye(7)
    assert np.max(np.abs(correlation)) < 5 / np.sqrt(pool.size / 7)
    assert not np.array_equal(count(500), count(500, phase=aj.Phase.SELECT))


def test_scaling_input_and_scale_together_changes_nothing() -> None:
    # a power of two commutes with rounding, so the votes are the same to the last one
    offset = 8 * PARAMS[1]
    votes = aj.count_votes(
        half_space,
        (W, offset),
        8 * X,
        KEY,
        law=aj.laplace,
        scale=aj.Diagonal(theta=8 * SCALE.theta),
        n=1000,
        chunk=64,
    )
    assert np.array_equal(votes, count(1000, aj.laplace))


def test_translating_input_and_classifier_changes_nothing() -> None:
    shift = jnp.array([0.5, -1.0, 2.0, 0.25, -0.5])
    votes = aj.count_votes(
        lambda params, batch: half_space(params, batch - shift),
        PARAMS,
        X + shift,
        KEY,
        law=aj.gaussian,
        scale=SCALE,
        n=1000,
        chunk=64,
    )
    assert np.array_equal(votes, count(1000))


def test_permuting_coordinates_changes_votes_only_by_chance() -> None:
    order = jnp.array([3, 0, 4, 1, 2])
    permuted = aj.count_votes(
        half_space,
        (W[order], PARAMS[1]),
        X[order],
        KEY,
        law=aj.gaussian,
        scale=aj.Diagonal(theta=SCALE.theta[order]),
        n=5000,
        chunk=64,
    )
    assert abs(int(permuted[0]) - int(count(5000)[0])) < 5 * np.sqrt(2 * 5000 / 4)


def test_rows_that_are_not_finite_vote_for_nobody() -> None:
    def faulty(params, batch):
        logits = half_space(params, batch)
        return jnp.where(batch[:, :1] > X[0], jnp.nan, logits)

    votes = aj.count_votes(faulty, PARAMS, X, KEY, law=aj.gaussian, scale=SCALE, n=1000, chunk=64)
    assert 400 < int(votes.sum()) < 600


def test_half_precision_inputs_are_widened_exactly() -> None:
    x = X.astype(jnp.bfloat16)
    assert np.array_equal(count(300, x=x), count(300, x=x.astype(jnp.float32)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": jnp.zeros(D, jnp.uint8)}, "x must be floating point, got uint8"),
        ({"n": 0}, "n must be a static positive integer, got 0"),
        ({"n": 10.0}, "n must be a static positive integer, got 10.0"),
        ({"n": True}, "n must be a static positive integer"),
        ({"scale": aj.Diagonal(theta=jnp.ones((D, 1)))}, "in the input's own shape"),
    ],
)
def test_static_mistakes_are_named(changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        count(**({"n": 64} | changes))


@pytest.mark.parametrize(
    "apply_fn",
    [
        lambda params, batch: batch[:, 0],
        lambda params, batch: batch[:, :1],
        lambda params, batch: jnp.zeros((1, 2)),
        lambda params, batch: (batch, batch),
    ],
)
def test_logits_of_a_wrong_shape_are_named(apply_fn) -> None:
    with pytest.raises(
        ValueError, match=r"apply_fn must return logits of shape \(64, classes >= 2"
    ):
        aj.count_votes(apply_fn, None, X, KEY, law=aj.gaussian, scale=SCALE, n=64)
