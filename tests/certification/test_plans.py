"""Plans that stop early stop where they should, and plans that cannot work are refused."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import half_space

import aniso_jax as aj

PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0.0))


@partial(jax.jit, static_argnames="plan_settings")
def certify(x: jax.Array, key: jax.Array, plan_settings: tuple) -> aj.Certification:
    plan = aj.plan(aj.gaussian, n0=16, **dict(plan_settings))
    scale = aj.Isotropic(sigma=0.5)
    return aj.certify(half_space, PARAMS, x, key, law=aj.gaussian, scale=scale, plan=plan)


def run(first: float, seed: int = 0, **settings) -> aj.Certification:
    return certify(jnp.array([first, 0.0]), jax.random.key(seed), tuple(settings.items()))


def test_looks_end_early_and_agree_with_the_votes_of_a_fixed_plan() -> None:
    early = run(0.9, looks=(100, 1000, 5000), target=0.8)
    whole = run(0.9, n=1000)
    assert int(early.reached) == 2
    assert np.array_equal(early.history[1], whole.votes)
    assert float(early.region.radius()) >= 0.8


def test_a_hopeless_input_is_given_up_at_the_first_look() -> None:
    c = run(0.0, seed=1, looks=(1000, 1100))
    assert int(c.label) == aj.ABSTAIN
    assert int(c.reached) == 1


def test_a_target_is_reached_by_the_radius_that_is_printed() -> None:
    """Its rounding down belongs to it: a radius an ulp below the target would not have reached."""
    gaps = np.asarray(aj.plan(aj.gaussian, n=1000).gaps)
    for target in 0.5 * gaps[[900, 950, 999, 1000]]:
        c = run(3.0, looks=(1000, 2000), target=float(target))
        assert int(c.reached) == 2 or float(c.region.radius()) >= target


def test_a_tolerance_ends_no_abstention() -> None:
    """Nothing is proved at the first look, so that no gain is small beside it."""
    ends = [run(0.04, seed=seed, looks=(100, 5000), tolerance=0.5) for seed in range(8)]
    pending = [c for c in ends if float(c.votes[0]) > 0]
    assert all(int(c.reached) == 2 or float(c.region.gap) > 0 for c in pending)


@pytest.mark.parametrize(
    "wrong, said",
    [
        ({"bound": "best"}, "bound must be one of one-sided, "),
        ({"looks": 5}, "looks must be numbers of draws"),
        ({"alpha": 0.7}, r"alpha must lie in \[1e-100, 1/2\], got 0.7;"),
        ({"alpha": 1e-100, "looks": (400, 1000)}, "got 1e-100, of which a look has 5e-101"),
        ({"looks": (100, 100)}, "looks must increase"),
        ({"looks": (100, 1000), "n": 500}, "last look is n"),
        ({"bound": "two-class"}, "classes="),
        ({"bound": "curtailed"}, "target="),
        ({"target": -1.0}, "target must be"),
        ({"bound": "anytime", "n": 12}, "take n >= "),
        ({"bound": "two-class", "classes": 3, "n": 10}, "take n >= 11"),
    ],
)
def test_plans_that_cannot_work_are_refused(wrong, said) -> None:
    with pytest.raises(ValueError, match=said):
        aj.plan(aj.gaussian, **wrong)
