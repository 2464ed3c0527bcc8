"""Ten thousand certificates: at most a share alpha is false, and broken variants are found out."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from oracles import DISTRIBUTION, LAW_NAMES, LAWS, half_space, too_many_errors

import aniso_jax as aj
from aniso_jax.certification.certify import conclude

ALPHA, RUNS, N0 = 0.05, 10_000, 16
PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0.0))
THETA = {"isotropic": np.array([0.5, 0.5]), "diagonal": np.array([0.25, 3.0])}


def attained(n: int, alpha: float, p: float) -> float:
    """Exact probability of a false claim about the true class at p, n draws."""
    gaps = np.asarray(aj.plan(aj.gaussian, n=n, alpha=alpha).gaps, np.float64)
    true_gap = max(scipy.stats.norm.ppf(p), 0.0)
    return float(scipy.stats.binom.pmf(np.flatnonzero(gaps > true_gap), n, p).sum())


# the n up to one block at which the discrete binomial comes closest to alpha at p = 1/2
N = max(range(50, 65), key=lambda n: attained(n, ALPHA, 0.5))


def make_scale(kind: str) -> aj.Scale:
    theta = jnp.asarray(THETA[kind], jnp.float32)
    return aj.Isotropic(sigma=theta[0]) if kind == "isotropic" else aj.Diagonal(theta=theta)


@partial(jax.jit, static_argnames="law")
def votes_of_all(law: aj.Law, x: jax.Array, scale: aj.Scale) -> tuple[jax.Array, jax.Array]:
    plan = aj.plan(law, n0=N0, n=N, alpha=ALPHA)

    def one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        c = aj.certify(half_space, PARAMS, x, key, law=law, scale=scale, plan=plan)
        return c.selection_votes, c.votes

    return jax.vmap(one)(jax.random.split(jax.random.key(11), RUNS))


@partial(jax.jit, static_argnames="law")
def claims(law: aj.Law, x, scale, plan: aj.Plan, selection, votes) -> tuple[jax.Array, jax.Array]:
    def one(s: jax.Array, v: jax.Array) -> tuple[jax.Array, jax.Array]:
        c = conclude(
            x, scale=scale, plan=plan, selection_votes=s, history=v[None], reached=jnp.int32(1)
        )
        return c.label, c.region.gap

    return jax.vmap(one)(selection, votes)


def count_errors(law: aj.Law, p: float, labels: jax.Array, gaps: jax.Array) -> int:
    """Claims of the wrong class, or of more than the true gap; an abstention claims nothing."""
    labels, gaps = np.asarray(labels), np.asarray(gaps, np.float64)
    true_gap = abs(DISTRIBUTION[law.name].ppf(p))
    true_label = 0 if p >= 0.5 else 1  # at 1/2 the true gap is 0: every claim is false
    false = (labels != aj.ABSTAIN) & ((labels != true_label) | (gaps > true_gap))
    return int(false.sum())


def at(law: aj.Law, p: float, kind: str) -> tuple[jax.Array, aj.Scale]:
    x = jnp.array([DISTRIBUTION[law.name].ppf(p) * THETA[kind][0], 0.3], jnp.float32)
    return x, make_scale(kind)


@pytest.mark.parametrize("kind", ("isotropic", "diagonal"))
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_false_certificates_are_at_most_a_share_alpha(law, kind) -> None:
    plan = aj.plan(law, n0=N0, n=N, alpha=ALPHA)
    for p in (0.5, 0.45, 0.6, 0.75, 0.95):
        x, scale = at(law, p, kind)
        selection, votes = votes_of_all(law, x, scale)
        assert int(votes.sum()) == N * RUNS
        errors = count_errors(law, p, *claims(law, x, scale, plan, selection, votes))
        assert not too_many_errors(errors, RUNS, ALPHA), (p, errors)
        if p == 0.5:  # selection is fair, so the error is the exact level of one class
            expected = attained(N, ALPHA, 0.5)
            assert abs(errors - RUNS * expected) < 5 * np.sqrt(RUNS * expected)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_reused_selection_draws_are_found_out(law) -> None:
    x, scale = at(law, 0.5, "isotropic")
    _, votes = votes_of_all(law, x, scale)
    plan = aj.plan(law, n0=N0, n=N, alpha=ALPHA)
    errors = count_errors(law, 0.5, *claims(law, x, scale, plan, votes, votes))
    assert too_many_errors(errors, RUNS, ALPHA)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_doubled_alpha_is_found_out(law) -> None:
    p = 0.6
    assert attained(N, 2 * ALPHA, p) > 1.3 * ALPHA  # the mutant really errs here
    x, scale = at(law, p, "isotropic")
    selection, votes = votes_of_all(law, x, scale)
    plan = aj.plan(law, n0=N0, n=N, alpha=2 * ALPHA)
    errors = count_errors(law, p, *claims(law, x, scale, plan, selection, votes))
    assert too_many_errors(errors, RUNS, ALPHA)
