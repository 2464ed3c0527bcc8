"""Refusals while tracing, abstentions as values, and how often a network is traced."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import LAW_NAMES, LAWS, half_space

import aniso_jax as aj

PLAN = aj.plan(aj.gaussian, n0=32, n=64)
PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0))
X = jnp.array([2.0, 0.3])
SCALE = aj.Diagonal(theta=jnp.array([0.5, 1.0]))


def raw(apply_fn=half_space, x=X, *, scale=SCALE, law=aj.gaussian, plan=PLAN, key=0):
    return aj.certify(apply_fn, PARAMS, x, jax.random.key(key), law=law, scale=scale, plan=plan)


certify = jax.jit(raw, static_argnames=("apply_fn", "law"))


def some_nan(params, batch):
    return jnp.where(batch[:, 1:] > 1.0, jnp.nan, half_space(params, batch))


def all_nan(params, batch):
    return half_space(params, batch) * jnp.nan


def always_first(params, batch):
    return jnp.tile(jnp.array([1.0, 0.0]), (len(batch), 1))


def assert_abstains(c: aj.Certification, status: aj.Status) -> None:
    assert int(c.status) == status
    assert int(c.label) == aj.ABSTAIN
    assert float(c.region.gap) == float(c.p_lower) == 0
    assert float(c.failure) == 1
    assert float(c.region.radius()) == 0 or status == aj.Status.INVALID_SCALE
    assert not c.region.contains(X)


def test_a_sound_input_is_certified() -> None:
    c = certify()
    assert int(c.status) == aj.Status.CERTIFIED
    assert int(c.label) == 0
    assert int(c.votes.sum()) == 64
    assert int(c.selection_votes.sum()) == 32
    assert c.region.contains(X)


def test_an_undecided_input_abstains() -> None:
    c = certify(x=jnp.array([0.0, 0.3]))
    assert int(c.status) == aj.Status.ABSTAINED
    assert int(c.label) == aj.ABSTAIN
    assert float(c.region.gap) == 0


@pytest.mark.parametrize("bad", (np.nan, np.inf, -np.inf))
@pytest.mark.parametrize("apply_fn", (half_space, always_first))
def test_an_input_that_is_not_finite_abstains(bad, apply_fn) -> None:
    assert_abstains(certify(apply_fn, X.at[1].set(bad)), aj.Status.NONFINITE_INPUT)


@pytest.mark.parametrize("bad", (np.nan, np.inf, 0.0, -1.0))
@pytest.mark.parametrize("apply_fn", (half_space, always_first))
def test_an_invalid_scale_abstains(bad, apply_fn) -> None:
    scale = aj.Diagonal(theta=jnp.array([0.5, bad]))
    assert_abstains(certify(apply_fn, scale=scale), aj.Status.INVALID_SCALE)


def test_rows_lost_to_nan_are_votes_against() -> None:
    c = certify(some_nan)
    assert int(c.status) == aj.Status.NONFINITE_LOGITS
    assert int(c.votes.sum()) < 64
    assert float(c.region.gap) == float(PLAN.gaps[c.votes[0]]) < float(certify().region.gap)
    assert_abstains(certify(all_nan), aj.Status.NONFINITE_LOGITS)
    answer = aj.predict(all_nan, PARAMS, X, jax.random.key(0), law=aj.gaussian, scale=SCALE, n=64)
    assert (int(answer.label), float(answer.p_value)) == (aj.ABSTAIN, 1.0)
    assert int(answer.status) == aj.Status.NONFINITE_LOGITS


def test_nothing_that_comes_back_is_nan() -> None:
    for x in (X, X * jnp.nan):
        for apply_fn in (half_space, all_nan):
            c = certify(apply_fn, x)
            told = (c.label, c.failure, c.votes, c.status, c.region.gap, c.p_lower)
            assert all(np.all(np.isfinite(value)) for value in told)
            assert np.isfinite(c.region.radius())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"x": jnp.zeros(2, jnp.uint8)}, "x must be floating point, got uint8: scale 8-bit images"),
        ({"law": aj.uniform}, "The plan was made for the gaussian law, the noise is uniform"),
        ({"apply_fn": lambda params, batch: batch[:, 0]}, "apply_fn must return logits of shape"),
    ],
)
@pytest.mark.parametrize("function", (raw, certify))
def test_static_mistakes_raise_while_tracing(function, changes, message) -> None:
    with pytest.raises(ValueError, match=message):
        function(**changes)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"n": 9}, "n = 9 draws can never certify at alpha = 0.001.*take n >= 10"),
        ({"n": 0}, "n must be a static positive integer, got 0"),
        ({"n": 100.0}, "n must be a static positive integer, got 100.0"),
        ({"n0": 0}, "n0 must be a static positive integer, got 0"),
        ({"alpha": 0.0}, r"alpha must lie in \[1e-100, 1/2\], got 0.0"),
        ({"alpha": 0.7}, r"alpha must lie in \[1e-100, 1/2\], got 0.7"),
    ],
)
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_impossible_plans_are_refused(law, settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        aj.plan(law, **settings)


def test_a_second_call_traces_nothing_and_a_shape_only_once() -> None:
    batches: list[tuple[int, ...]] = []

    def counted(params, batch):
        batches.append(batch.shape)
        return half_space(params, batch)

    plan = aj.plan(aj.gaussian, n0=10, n=5000)  # batches of two shapes
    jitted = jax.jit(
        lambda x, key, scale: aj.certify(
            counted, PARAMS, x, key, law=aj.gaussian, scale=scale, plan=plan
        )
    )
    jitted(X, jax.random.key(0), SCALE)
    # per shape: at most once abstractly, to count the classes, and once in the loop
    assert len(set(batches)) == 2
    assert all(batches.count(shape) <= 2 for shape in batches)
    traced = len(batches)
    first = jitted(X, jax.random.key(0), SCALE)
    other = jitted(X + 1, jax.random.key(1), aj.Diagonal(theta=jnp.array([0.1, 9.0])))
    assert len(batches) == traced
    assert int(first.label) == int(other.label) == 0


def test_a_map_is_the_loop() -> None:
    keys, xs = jax.random.split(jax.random.key(4), 3), jnp.stack([X, -X, 0.1 * X])

    def one(x, key):
        return aj.certify(half_space, PARAMS, x, key, law=aj.gaussian, scale=SCALE, plan=PLAN)

    mapped = jax.jit(jax.vmap(one))(xs, keys)
    single = jax.jit(one)
    for index in range(3):
        row = jax.tree.map(lambda leaf: leaf[index], mapped)  # noqa: B023
        alone = single(xs[index], keys[index])
        assert np.array_equal(row.votes, alone.votes)
        assert float(row.region.gap) == float(alone.region.gap)
        assert int(row.label) == int(alone.label)
