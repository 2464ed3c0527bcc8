"""What can be computed instead of simulated: tables proved look by look, errors counted exactly."""

import pytest
from oracles import LAW_NAMES, LAWS
from proofs import chance_of_error, is_proved

import aniso_jax as aj

SIZES = (100, 1000, 10_000, 100_000)
ALPHAS = (1e-3, 1e-6, 1e-9)
PROBABILITIES = (0.02, 0.3, 0.45, 0.5, 0.501, 0.55, 0.6, 0.75, 0.9, 0.99, 0.999)
EVERY_N = tuple(range(1, 401))
PLANS = {
    "one-sided": {"n": 400},
    "looks": {"looks": (16, 64, 256, 400)},
    "many looks": {"looks": tuple(range(20, 401, 20))},
    "anytime, looked at always": {"bound": "anytime", "looks": EVERY_N},
    "curtailed": {"bound": "curtailed", "looks": tuple(range(10, 401, 10)), "target": 0.1},
}


@pytest.mark.parametrize(
    "alpha", (ALPHAS[0], *(pytest.param(alpha, marks=pytest.mark.slow) for alpha in ALPHAS[1:]))
)
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_tables_of_all_looks_are_proved_for_every_count(law, alpha) -> None:
    """n = 100, 1,000, 10,000, 100,000 at once; p_A's bounds and the rivals'."""
    assert is_proved(aj.plan(law, alpha=alpha, looks=SIZES))
    assert is_proved(aj.plan(law, alpha=alpha, looks=SIZES, bound="anytime"))
    assert is_proved(aj.plan(law, alpha=alpha, bound="curtailed", looks=SIZES[:3], target=0.1))
    assert is_proved(aj.plan(law, alpha=alpha, looks=SIZES[:3], bound="two-class", classes=10), 10)


@pytest.mark.slow
@pytest.mark.parametrize("classes", (2, 10, 1000))
@pytest.mark.parametrize("alpha", ALPHAS)
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_tables_of_every_rival_are_proved_for_every_count(law, alpha, classes) -> None:
    plan = aj.plan(law, alpha=alpha, looks=SIZES, bound="two-class", classes=classes)
    assert is_proved(plan, classes)
    assert not is_proved(plan, 2 * classes)


@pytest.mark.parametrize("alpha", (0.05, 1e-3))
@pytest.mark.parametrize("name", PLANS)
def test_no_stopping_rule_errs_more_often_than_alpha(name, alpha) -> None:
    plan = aj.plan(aj.gaussian, alpha=alpha, **PLANS[name])
    for p in PROBABILITIES:
        assert chance_of_error(plan, p) <= alpha


def test_looking_without_paying_costs_far_more_than_alpha() -> None:
    """Ten looks at alpha = .04 each, which is what a plan with alpha = .4 would have."""
    greedy = aj.plan(aj.gaussian, alpha=0.4, looks=tuple(range(40, 401, 40)))
    assert chance_of_error(greedy, 0.5) > 2.5 * 0.04
