"""Slots: the same votes as an input alone, in an order of their own, waiting for nobody."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import half_space

import aniso_jax as aj
from aniso_jax.runs import tasks
from aniso_jax.runs.devices import one_device
from aniso_jax.runs.slots import Network
from aniso_jax.runs.tasks import finish, rows

PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0.0))
# the first is hard to decide, the others soon done; one is no input at all
X = jnp.array([[0.5, 0], [3, 0], [2, 1], [-3, 0], [jnp.nan, 0], [4, 0], [0.4, 0], [2.5, 0], [3, 1]])
KEYS = jax.random.split(jax.random.key(7), len(X))
SIGMA = jnp.full(len(X), 0.5)
PLANS = {
    "fixed": {"n": 300},
    "looks": {"looks": (64, 256, 1024), "target": 0.5},
    "anytime": {"bound": "anytime", "n": 1024, "tolerance": 0.1},
}


def alone(plan: aj.Plan, keys: jax.Array = KEYS) -> list[aj.Certification]:
    def one(x: jax.Array, key: jax.Array) -> aj.Certification:
        scale = aj.Isotropic(sigma=jnp.float32(0.5))
        return aj.certify(half_space, PARAMS, x, key, law=aj.gaussian, scale=scale, plan=plan)

    certified = jax.vmap(one)(X, keys)
    return [jax.tree.map(lambda leaf, row=row: leaf[row], certified) for row in range(len(X))]


@pytest.mark.parametrize(
    "name", [pytest.param("fixed", marks=pytest.mark.slow), "looks", "anytime"]
)
def test_nobodys_votes_depend_on_the_slots(name) -> None:
    plan = aj.plan(aj.gaussian, n0=64, **PLANS[name])
    expected = alone(plan)
    network = Network(apply_fn=half_space, params=PARAMS, chunk=64)
    for count in (1, 4):
        selected = network.select(X, KEYS, aj.Isotropic(sigma=SIGMA), plan)
        done = dict(network.estimate(rows(selected), count, plan))
        assert sorted(done) == list(range(len(X)))
        for number, task in done.items():
            got, want = finish(task, plan), expected[number]
            for leaf, other in zip(jax.tree.leaves(got), jax.tree.leaves(want), strict=True):
                np.testing.assert_array_equal(leaf, other)


def test_shared_draws_are_the_draws_of_one_key_and_made_once() -> None:
    plan = aj.plan(aj.gaussian, n0=64, n=300, shared_draws=True)
    one_key = jnp.stack([jax.random.key(5)] * len(X))
    expected = alone(plan, one_key)
    network = Network(apply_fn=half_space, params=PARAMS, chunk=64)
    for count in (1, 5, 16):  # of five one is no input, and done before it begins
        selected = network.select(X, one_key, aj.Isotropic(sigma=SIGMA), plan)
        done = dict(network.estimate(rows(selected), count, plan))
        for number, want in enumerate(expected):
            np.testing.assert_array_equal(finish(done[number], plan).votes, want.votes)
    side_by_side = tasks.side_by_side(list(rows(selected)), len(X))
    words_for_each_input = f"u32[{len(X)},64"
    for shared in (True, False):
        network = half_space, 64, one_device(), PARAMS, side_by_side
        drawing = jax.make_jaxpr(tasks.draw, static_argnums=(0, 1, 2))(
            *network, replace(plan, shared_draws=shared), 1
        )
        assert (words_for_each_input in str(drawing)) != shared


def test_shared_draws_want_one_look() -> None:
    for options in ({"looks": (100, 1000)}, {"bound": "anytime", "n": 1000}):
        with pytest.raises(ValueError, match="one look at a fixed n"):
            aj.plan(aj.gaussian, shared_draws=True, **options)


def test_the_decided_leave_and_the_waiting_take_their_slots(monkeypatch) -> None:
    plan = aj.plan(aj.gaussian, n0=64, looks=(64, 256, 8192), target=0.45)
    network = Network(apply_fn=half_space, params=PARAMS, chunk=64)
    selected = network.select(X, KEYS, aj.Isotropic(sigma=SIGMA), plan)
    asked = []

    def waiting():
        for number, task in enumerate(rows(selected)):
            asked.append(number)
            yield task

    traces = tasks.draw._cache_size()
    order, seen = [], {}
    for number, _ in network.estimate(waiting(), 2, plan):
        order.append(number)
        seen[number] = len(asked)
    assert tasks.draw._cache_size() == traces + 1
    assert order != sorted(order)
    assert order.index(0) > 1  # the hard one goes on while others come and go beside it
    assert seen[order[0]] == 2  # nobody is asked for before there is a slot


def test_no_inputs_give_nothing() -> None:
    plan = aj.plan(aj.gaussian, n=100)
    network = Network(apply_fn=half_space, params=PARAMS, chunk=64)
    assert list(network.estimate(iter(()), 4, plan)) == []
