"""Plans with several looks, two classes, no fixed n, or an early end: sound, and worth it."""

from functools import partial

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats
from oracles import DISTRIBUTION, LAWS, half_space, too_many_errors

import aniso_jax as aj
from aniso_jax.certification.certify import conclude
from aniso_jax.statistics.anytime import anytime_failure_bounds
from aniso_jax.statistics.binomial import failure_bounds

ALPHA, RUNS, N0 = 0.05, 10_000, 16
PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0.0))
LOOKS = (16, 64, 256)
PLANS = {
    "looks": {"looks": LOOKS},
    "looks, target": {"looks": LOOKS, "target": 0.2},
    "looks, tolerance": {"looks": LOOKS, "tolerance": 0.1},
    "anytime": {"bound": "anytime", "n": 256},
    "anytime, target": {"bound": "anytime", "n": 256, "target": 0.2},
    "two-class": {"bound": "two-class", "classes": 2, "n": 256},
    "two-class, looks": {"bound": "two-class", "classes": 2, "looks": LOOKS},
    "curtailed": {"bound": "curtailed", "looks": (64, 128, 256), "target": 0.2},
}


@partial(jax.jit, static_argnames="law")
def certify_all(law: aj.Law, x: jax.Array, plan: aj.Plan) -> aj.Certification:
    scale = aj.Diagonal(theta=jnp.array([0.5, 3.0]))

    def one(key: jax.Array) -> aj.Certification:
        return aj.certify(half_space, PARAMS, x, key, law=law, scale=scale, plan=plan, chunk=64)

    return jax.vmap(one)(jax.random.split(jax.random.key(5), RUNS))


def every_plan_once_and_all_pairs_slowly() -> list:
    """Compiling is what costs: one law per plan in CI, the other pairs by `-m slow`."""
    pairs = [(law, name) for name in PLANS for law in LAWS]
    quick = {(list(LAWS)[i % 3], name) for i, name in enumerate(PLANS)}
    return [
        pytest.param(
            *pair, id=f"{pair[0].name}, {pair[1]}", marks=() if pair in quick else pytest.mark.slow
        )
        for pair in pairs
    ]


@pytest.mark.parametrize("law, name", every_plan_once_and_all_pairs_slowly())
def test_false_certificates_are_at_most_a_share_alpha(law, name) -> None:
    plan = aj.plan(law, n0=N0, alpha=ALPHA, **PLANS[name])
    for p in (0.5, 0.6, 0.9):
        true_gap = float(DISTRIBUTION[law.name].ppf(p))
        c = certify_all(law, jnp.array([0.5 * true_gap, 0.3], jnp.float32), plan)
        label, gap = np.asarray(c.label), np.asarray(c.region.gap, np.float64)
        false = (label != aj.ABSTAIN) & ((label != 0) | (gap > true_gap) | (p == 0.5))
        assert not too_many_errors(int(false.sum()), RUNS, ALPHA), (p, int(false.sum()))


def test_peeking_without_paying_is_found_out() -> None:
    """The mutant: each look claims at the whole alpha. Which guarantee it breaks: the union."""
    honest = aj.plan(aj.gaussian, n0=N0, alpha=ALPHA, looks=(64, 128, 256, 512, 1024))
    greedy = aj.plan(aj.gaussian, n0=N0, alpha=5 * ALPHA, looks=honest.looks)
    x = jnp.zeros(2)
    for plan, caught in ((honest, False), (greedy, True)):
        label = np.asarray(certify_all(aj.gaussian, x, plan).label)
        assert too_many_errors(int((label != aj.ABSTAIN).sum()), RUNS, ALPHA) == caught


def test_looks_end_early_and_agree_with_the_votes_of_a_fixed_plan() -> None:
    x, key = jnp.array([0.9, 0.0]), jax.random.key(0)
    scale = aj.Isotropic(sigma=0.5)
    run = partial(aj.certify, half_space, PARAMS, x, key, law=aj.gaussian, scale=scale)
    early = run(plan=aj.plan(aj.gaussian, looks=(100, 1000, 5000), target=0.8))
    whole = run(plan=aj.plan(aj.gaussian, n=1000))
    assert int(early.reached) == 2
    assert (early.history[1] == whole.votes).all()
    assert float(early.region.radius()) >= 0.8


def test_a_hopeless_input_is_given_up_at_the_first_look() -> None:
    plan = aj.plan(aj.gaussian, looks=(1000, 1100), n0=N0)
    c = aj.certify(
        half_space,
        PARAMS,
        jnp.zeros(2),
        jax.random.key(1),
        law=aj.gaussian,
        scale=aj.Isotropic(sigma=0.5),
        plan=plan,
    )
    assert int(c.label) == aj.ABSTAIN
    assert int(c.reached) == 1


def claimed(plan: aj.Plan, votes: list[int]) -> float:
    c = conclude(
        jnp.zeros(2),
        scale=aj.Isotropic(sigma=1.0),
        plan=plan,
        selection_votes=jnp.asarray(votes),
        history=jnp.asarray([votes]),
        reached=jnp.int32(1),
    )
    return float(c.region.gap)


def test_two_class_certifies_where_one_sided_abstains() -> None:
    one = aj.plan(aj.gaussian, n=100_000)
    two = aj.plan(aj.gaussian, n=100_000, bound="two-class", classes=10)
    spread = [60_000, 10_000] + [3_750] * 8
    assert 0.70 < claimed(two, spread) < 0.77
    assert 0.23 < claimed(one, spread) < 0.25
    near = [45_000, 30_000] + [3_125] * 8
    assert claimed(one, near) == 0 < claimed(two, near)


@pytest.mark.parametrize("hits", (510, 600, 800, 950, 999, 1000))
def test_two_class_is_never_more_than_its_price_below_one_sided(hits) -> None:
    half = aj.plan(aj.gaussian, n=1000, alpha=0.0005)
    two = aj.plan(aj.gaussian, n=1000, alpha=0.001, bound="two-class", classes=3)
    assert claimed(two, [hits, 1000 - hits, 0]) >= claimed(half, [hits, 1000 - hits, 0])


def test_lost_rows_leave_the_rivals_unbounded() -> None:
    two = aj.plan(aj.gaussian, n=1000, bound="two-class", classes=3)
    half = aj.plan(aj.gaussian, n=1000, alpha=0.0005)
    assert claimed(two, [700, 100, 100]) == claimed(half, [700, 100, 100])


@pytest.mark.parametrize("n", (1, 10, 1000))
@pytest.mark.parametrize("alpha", (0.05, 1e-3, 1e-9))
def test_anytime_bounds_exclude_only_what_ville_excludes(n, alpha) -> None:
    mpmath.mp.dps = 50
    bounds = anytime_failure_bounds(n, alpha)
    assert (np.diff(bounds) <= 0).all()
    assert (bounds >= failure_bounds(n, alpha) * (1 - 1e-8)).all()
    for k in range(1, n + 1, max(n // 50, 1)):
        q = mpmath.mpf(float(bounds[k]))
        if q < 1:
            mixture = mpmath.beta(k + 0.5, n - k + 0.5) / mpmath.beta(0.5, 0.5)
            assert mixture / ((1 - q) ** k * q ** (n - k)) >= 1 / mpmath.mpf(alpha)


def test_the_price_of_anytime_is_small() -> None:
    """0.8 to 1.1 % of the radius for p up to .99 at n = 1e5, 4.3 % at k = n."""
    anytime, fixed = (
        -scipy.stats.norm.ppf(f(100_000, 0.001)) for f in (anytime_failure_bounds, failure_bounds)
    )
    assert 0.008 < 1 - anytime[90_000] / fixed[90_000] < 0.011
    assert 0.040 < 1 - anytime[-1] / fixed[-1] < 0.045


@pytest.mark.parametrize(
    "wrong, said",
    [
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
