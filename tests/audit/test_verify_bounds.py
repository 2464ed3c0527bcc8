"""The second path: its bounds against the tables, its claims against those of `conclude`."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import aniso_jax as aj
from aniso_jax.audit.verify.between import fits
from aniso_jax.audit.verify.bounds import binomial_bound, mixture_bound, upper_quantile
from aniso_jax.audit.verify.claims import derived_claim
from aniso_jax.certification.certify import conclude
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.statistics.anytime import anytime_failure_bounds
from aniso_jax.statistics.binomial import failure_bounds

CLASSES, SHAPE, RUNS = 4, (2, 2, 1), 150
PLANS = {
    "one-sided": {"looks": (300,)},
    "looks": {"looks": (50, 100, 300)},
    "two-class": {"looks": (50, 100, 300), "bound": "two-class", "classes": CLASSES},
    "anytime": {"looks": (50, 100, 300), "bound": "anytime"},
    "curtailed": {"looks": (50, 100, 300), "bound": "curtailed", "target": 0.1},
}


@pytest.mark.parametrize("table", [failure_bounds, anytime_failure_bounds])
@pytest.mark.parametrize("n", [1, 10, 1000, 100_000])
@pytest.mark.parametrize("alpha", [1e-3, 1e-9])
def test_the_tables_are_rounded_outward_from_our_roots_and_by_no_more_than_they_say(
    table, n, alpha
):
    again = binomial_bound if table is failure_bounds else mixture_bound
    hits = np.unique(np.linspace(0, n, 60).astype(int))
    ratio = table(n, alpha)[hits] / again(hits, np.full(len(hits), n), alpha)
    assert np.all(ratio >= 1) and np.all(ratio <= 1 + 1.1e-9)


@given(q=st.floats(1e-15, 1 - 1e-9), name=st.sampled_from(sorted(LAWS)))
def test_the_quantiles_are_the_laws(q, name):
    assert upper_quantile(name, q) == pytest.approx(-LAWS[name].host_quantile(np.array(q)))


@pytest.mark.parametrize("kind", sorted(PLANS))
@pytest.mark.parametrize(
    ("law", "mode"),
    [
        *((law, "float") for law in sorted(LAWS)),
        ("gaussian", "grid"),
        pytest.param("uniform", "grid", marks=pytest.mark.slow),
        pytest.param("laplace", "grid", marks=pytest.mark.slow),
    ],
)
def test_what_certify_concludes_from_any_votes_is_what_the_second_path_derives(law, mode, kind):
    grid = aj.grid(LAWS[law], [0.25], shape=SHAPE) if mode == "grid" else None
    plan = aj.plan(LAWS[law], n0=20, alpha=0.01, grid=grid, **PLANS[kind])
    selection, history, reached = random_votes(plan.looks)
    said = concluded(plan, selection, history, reached)
    experiment = Asked(plan, law, 0.0 if grid is None else grid.discount)
    for run in range(RUNS):
        votes = history[run, : reached[run]].astype(np.int64)
        claim = derived_claim(votes, int(np.argmax(selection[run])), experiment)
        gap, p_lower = float(said.region.gap[run]), float(said.p_lower[run])
        assert fits(gap, claim.gap), (gap, claim.gap, votes)
        assert claim.p_lower.high - 2e-7 <= p_lower <= claim.p_lower.high
    assert 0 < np.mean(np.asarray(said.region.gap) > 0) < 1  # some certify, some abstain


@pytest.mark.parametrize("kind", sorted(PLANS))
def test_a_claim_one_float32_step_larger_is_refused(kind):
    plan = aj.plan(aj.gaussian, n0=20, alpha=0.01, **PLANS[kind])
    selection, history, reached = random_votes(plan.looks)
    gaps = np.asarray(concluded(plan, selection, history, reached).region.gap)
    experiment = Asked(plan, "gaussian", 0.0)
    refused = certified = 0
    for run in np.flatnonzero(gaps > 0.1):
        votes = history[run, : reached[run]].astype(np.int64)
        claim = derived_claim(votes, int(np.argmax(selection[run])), experiment)
        certified += 1
        refused += not fits(float(np.nextafter(gaps[run], np.float32(9))), claim.gap)
        assert not fits(float(gaps[run]) * (1 + 1e-6), claim.gap)
        assert not fits(float(gaps[run]) * (1 - 2e-5), claim.gap)
    # nearly all: a two-class gap is a difference of rounded numbers, often some steps too low
    assert refused >= certified * (0.2 if kind == "two-class" else 0.9)


class Asked:
    """The fields of an experiment that bounds depend on."""

    def __init__(self, plan, law, discount):
        self.bound, self.looks, self.alpha = plan.bound, plan.looks, plan.alpha
        self.law, self.discount = law, discount


def random_votes(looks):
    """Votes that grow from look to look, some rows of them lost, some looks not reached."""
    rng = np.random.default_rng(len(looks))
    p = rng.dirichlet([0.4] * CLASSES + [0.01], RUNS)
    steps = np.diff([0, *looks])
    counts = np.stack([rng.multinomial(step, p) for step in steps], axis=1)[..., :CLASSES]
    history = np.cumsum(counts, axis=1)
    reached = rng.integers(1, len(looks) + 1, RUNS)
    history[np.arange(len(looks)) >= reached[:, None]] = 0
    return history[:, 0], history.astype(np.int32), reached.astype(np.int32)


@jax.jit
def concluded(plan, selection, history, reached):
    def one(selection, history, reached):
        return conclude(
            jnp.zeros(SHAPE),
            scale=aj.Isotropic(sigma=jnp.float32(0.25)),
            plan=plan,
            selection_votes=selection,
            history=history,
            reached=reached,
        )

    return jax.vmap(one)(selection, history, reached)
