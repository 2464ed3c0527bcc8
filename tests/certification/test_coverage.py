"""Every plan, law and scale: ten thousand certificates each, at most a share alpha is false."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from oracles import too_many_errors
from simulate import ALPHA, N0, PAIRS, RUNS, SCALES, X, certify_many, edges_for, is_false

import aniso_jax as aj

LOOKS = (16, 64, 256)
TWO_CLASS = {"bound": "two-class", "classes": 3}
ANYTIME = {"bound": "anytime", "looks": (16, 32, 64, 128, 256)}
PLANS = {
    "one-sided": {"n": 62},  # where the discrete bound errs with .049, close to alpha
    "looks": {"looks": LOOKS},
    "looks, target": {"looks": LOOKS, "target": 0.1},
    "looks, tolerance": {"looks": LOOKS, "tolerance": 0.1},
    "anytime": ANYTIME,
    "anytime, target": {**ANYTIME, "target": 0.1},
    "anytime, tolerance": {**ANYTIME, "tolerance": 0.1},
    "two-class": {**TWO_CLASS, "n": 64},
    "two-class, looks": {**TWO_CLASS, "looks": LOOKS},
    "two-class, looks, target": {**TWO_CLASS, "looks": LOOKS, "target": 0.1},
    "curtailed": {"bound": "curtailed", "looks": (64, 128, 256), "target": 0.1},
}
BOUNDARY = (0.5, 0.5, 0.0)
CASES = (BOUNDARY, (0.4, 0.4, 0.2), (0.6, 0.4, 0.0), (0.5, 0.3, 0.2), (0.95, 0.05, 0.0))
JOINT = 20
ONLY_SLOWLY = ("anytime, tolerance", "two-class, looks, target")


def once_in_ci_and_all_slowly() -> list:
    """Compiling is what costs: one law and scale per plan in CI, the whole product by `-m slow`."""
    names = [name for name in PLANS if name not in ONLY_SLOWLY]
    quick = [(name, *PAIRS[i % len(PAIRS)]) for i, name in enumerate(names)]
    product = [(name, *pair) for name in PLANS for pair in PAIRS]
    return [
        *(pytest.param(*case, CASES[:3], id=_id(*case)) for case in quick),
        *(
            pytest.param(*case, CASES, id=f"{_id(*case)}, all p", marks=pytest.mark.slow)
            for case in product
        ),
    ]


def _id(name: str, law: aj.Law, kind: str) -> str:
    return f"{name}; {law.name}, {kind}"


def false_claims(law: aj.Law, kind: str, plan: aj.Plan, p, seed: int) -> np.ndarray:
    scale, theta = SCALES[kind]
    found = certify_many(law, scale, edges_for(law, p, theta), plan, jax.random.key(seed))
    return is_false(law, p, *found)


@pytest.mark.parametrize(("name", "law", "kind", "cases"), once_in_ci_and_all_slowly())
def test_false_certificates_are_at_most_a_share_alpha(name, law, kind, cases) -> None:
    plan = aj.plan(law, n0=N0, alpha=ALPHA, **PLANS[name])
    for seed, p in enumerate(cases):
        errors = int(false_claims(law, kind, plan, p, seed).sum())
        assert not too_many_errors(errors, RUNS, ALPHA), (p, errors)


def on_grid() -> list:
    """Every law and scale slowly; in CI one of each."""
    cases = [(law, kind) for law, kind in PAIRS if kind != "rotated"]
    quick = [(aj.gaussian, "diagonal"), (aj.uniform, "isotropic")]
    return [
        pytest.param(*case, id=_id("grid", *case), marks=() if case in quick else pytest.mark.slow)
        for case in cases
    ]


@pytest.mark.parametrize(("law", "kind"), on_grid())
def test_false_certificates_on_a_grid(law, kind) -> None:
    """Integer noise, thresholds between two grid points: p is the law's own there."""
    scale, theta = SCALES[kind]
    grid = aj.grid(law, [theta, 3.0] if kind == "diagonal" else [theta], shape=X.shape)
    plan = aj.plan(law, n0=N0, alpha=ALPHA, n=62, grid=grid)
    for seed, steps in enumerate([(1, 1), (-20, 20), (30, -25)]):
        edges = (np.array([steps[0], 1 - steps[1]]) - 0.5) / grid.steps
        above, below = law.host_tail(edges / theta)
        p = (above, 1 - below, below - above)
        found = certify_many(
            law, scale, jnp.asarray(edges, jnp.float32), plan, jax.random.key(seed)
        )
        errors = int(is_false(law, p, *found).sum())
        assert not too_many_errors(errors, RUNS, ALPHA), (p, errors)
        assert np.mean(np.asarray(found[0]) != aj.ABSTAIN) > (0 if seed == 0 else 0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("law", "kind"), PAIRS, ids=str)
def test_a_joint_claim_of_twenty_inputs_is_false_at_most_with_alpha(law, kind) -> None:
    """Twenty inputs at alpha / 20 each; in CI by `test_mutants`, from votes without draws."""
    plan = aj.plan(law, n0=N0, n=64, alpha=ALPHA / JOINT)
    for p in CASES:
        each = [false_claims(law, kind, plan, p, seed) for seed in range(JOINT)]
        errors = int(np.any(each, axis=0).sum())
        assert not too_many_errors(errors, RUNS, ALPHA), (p, errors)


def test_the_simulation_sees_errors_where_they_are() -> None:
    """At p = 1/2 the share of false claims is the binomial tail itself, not merely below alpha."""
    plan = aj.plan(aj.gaussian, n0=N0, alpha=ALPHA, **PLANS["one-sided"])
    least = int(np.flatnonzero(np.asarray(plan.gaps) > 0)[0])
    expected = RUNS * scipy.stats.binom.sf(least - 1, plan.n, 0.5)
    errors = int(false_claims(aj.gaussian, "isotropic", plan, BOUNDARY, 0).sum())
    assert abs(errors - expected) < 5 * np.sqrt(expected)
