"""Half-spaces and steps: p is known exactly, so the region must touch the boundary."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import LAW_NAMES, LAWS, half_space, half_space_p, scales

import aniso_jax as aj

KINDS = ("isotropic", "diagonal")
DIMENSIONS = (1, 2, 7, 50)


def problem(law: aj.Law, dimension: int, kind: str):
    """Weights, margin and scale at which p is neither 1/2 nor 1, for a point x."""
    rng = np.random.default_rng(dimension)
    scale, theta = scales(dimension, kind, seed=dimension)
    weights = rng.normal(size=dimension)
    if law.name != "gaussian":
        weights *= np.arange(dimension) == dimension // 2
    width = float(np.linalg.norm(weights * theta))
    return rng.normal(size=dimension), weights, 0.6 * width, scale, theta


def farthest(law: aj.Law, weights: np.ndarray, theta: np.ndarray) -> np.ndarray:
    """u of the unit ball at which w.(S u) is smallest."""
    slope = weights * theta
    if law.order == 2:
        return -slope / np.linalg.norm(slope)
    return -np.sign(slope) * (np.abs(slope) == np.abs(slope).max())


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_gap_of_the_exact_p_touches_the_boundary(law, kind, dimension) -> None:
    _, weights, margin, _, theta = problem(law, dimension, kind)
    p, _ = half_space_p(law, weights, margin, theta)
    gap = float(law.host_gap(np.float64(1 - p)))
    lost = -weights @ (theta * farthest(law, weights, theta)) * gap
    assert lost == pytest.approx(margin, rel=1e-6)
    assert lost <= margin * (1 + 1e-12)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_gauge_and_contains_agree_with_the_boundary(law, kind, dimension) -> None:
    _, weights, margin, scale, theta = problem(law, dimension, kind)
    p, _ = half_space_p(law, weights, margin, theta)
    gap = float(law.host_gap(np.float64(1 - p)))
    region = aj.Region(
        center=jnp.zeros(dimension), scale=scale, gap=jnp.float32(gap), order=law.order
    )
    touching = gap * theta * farthest(law, weights, theta)
    assert weights @ touching + margin == pytest.approx(0, abs=1e-6 * margin)
    assert float(region.gauge(jnp.asarray(touching, jnp.float32))) == pytest.approx(1, abs=2e-6)
    assert region.contains(jnp.asarray(touching * (1 - 1e-5), jnp.float32))
    assert not region.contains(jnp.asarray(touching * (1 + 1e-5), jnp.float32))


@pytest.mark.parametrize(
    ("law", "kind"), [(law, "diagonal") for law in LAWS] + [(aj.gaussian, "isotropic")], ids=str
)
def test_a_region_from_votes_never_crosses(law, kind) -> None:
    dimension, n = 7, 1000
    x, weights, margin, scale, theta = problem(law, dimension, kind)
    p, width = half_space_p(law, weights, margin, theta)
    params = (jnp.asarray(weights, jnp.float32), jnp.float32(weights @ x - margin))
    plan = aj.plan(law, n=n)

    def one(key: jax.Array) -> aj.Certification:
        at = jnp.asarray(x, jnp.float32)
        return aj.certify(half_space, params, at, key, law=law, scale=scale, plan=plan, chunk=64)

    found = jax.jit(jax.vmap(one))(jax.random.split(jax.random.key(3), 20))
    assert np.all(np.asarray(found.label) == 0)
    hits, gaps = np.asarray(found.votes)[:, 0], np.asarray(found.region.gap, np.float64)
    assert np.all(np.abs(hits - n * p) < 5 * np.sqrt(n * p * (1 - p)))  # the noise is the law's
    assert np.any(hits <= n * p)
    assert np.all(gaps * width <= margin)  # the farthest point of each region keeps its class
    assert np.all(gaps * width > 0.5 * margin)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_hits_up_to_the_exact_share_never_cross(law) -> None:
    n, margin = 500, 0.6
    p, width = half_space_p(law, np.array([1.0]), margin, 1.0)
    gaps = np.asarray(aj.plan(law, n=n).gaps, np.float64)
    assert np.all(gaps[: int(n * p) + 1] * width < margin)
    assert gaps[int(n * p)] > 0


def test_the_bound_on_p_is_below_p_and_says_what_the_gap_says() -> None:
    found = aj.certify(
        half_space,
        (jnp.ones(1), jnp.float32(0)),
        jnp.ones(1),
        jax.random.key(0),
        law=aj.gaussian,
        scale=aj.Isotropic(sigma=1.0),
        plan=aj.plan(aj.gaussian, n=2000),
        chunk=64,
    )
    assert 0.75 < float(found.p_lower) <= 1 - float(found.failure)
    assert float(aj.gaussian.gap(found.failure)) == pytest.approx(float(found.region.gap), rel=1e-5)
    assert "ABSTAIN" not in found._repr_html_()
