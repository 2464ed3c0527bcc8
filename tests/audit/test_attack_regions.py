"""Regions of classifiers with a known boundary: those that cross it are refuted, others are not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.integrate
import scipy.stats
from oracles import DISTRIBUTION, half_space, half_space_p, scales, slab_p

import aniso_jax as aj
from aniso_jax.audit.attack.decide import attack_region, check_can_refute, p_value
from aniso_jax.audit.attack.search import propose
from aniso_jax.audit.attack.target import Effort, Target

D, N, INPUTS, LEVEL = 20, 4000, 6, 1e-5
QUICK = Effort(climbs=4, steps=6, draws=64, turns=4, ends=2, screen=256, confirmed=2)
CASES = [
    (aj.gaussian, "diagonal"),
    (aj.uniform, "isotropic"),
    pytest.param(aj.gaussian, "isotropic", marks=pytest.mark.slow),
    pytest.param(aj.uniform, "diagonal", marks=pytest.mark.slow),
]


def attack(target: Target):
    return attack_region(target, n=N, level=LEVEL, chunk=256, effort=QUICK)


def half_spaces(law: aj.Law, kind: str, stretch: float):
    """Targets whose gap is `stretch` times what votes certify, each with its half-space."""
    scale, theta = scales(D, kind, seed=1)
    gaps = np.asarray(aj.plan(law, n=N).gaps)
    for seed in range(INPUTS):
        rng = np.random.default_rng(seed)
        weights, x = rng.normal(size=D), rng.normal(size=D)
        if law.name != "gaussian":
            weights *= np.arange(D) == rng.integers(D)
        weights, x = weights.astype(np.float32), x.astype(np.float32)
        width = float(np.linalg.norm(weights * theta))
        margin = rng.uniform(0.6, 0.9) * width
        p, _ = half_space_p(law, weights, margin, theta)
        region = aj.Region(
            center=jnp.asarray(x),
            scale=scale,
            gap=jnp.float32(stretch * gaps[rng.binomial(N, p)]),
            order=law.order,
        )
        offset = np.float32(weights.astype(np.float64) @ x - margin)
        target = Target(
            params=(jnp.asarray(weights), jnp.asarray(offset)),
            region=region,
            label=jnp.int32(0),
            key=jax.random.key(seed),
            apply_fn=half_space,
            law=law,
        )
        yield target, lambda y, w=weights, b=offset: w.astype(np.float64) @ y - b


@pytest.mark.parametrize(("law", "kind"), CASES, ids=str)
def test_enlarged_regions_are_refuted_and_certified_ones_are_not(law, kind):
    for target, _ in half_spaces(law, kind, 1.0):
        found = attack(target)
        assert not any(call.refutes for call in found.calls)
        assert len(found.calls) == QUICK.confirmed
        assert found.tried.total() == 4 + 4 + 1 + 12
    for target, score in half_spaces(law, kind, 1.5):
        best = attack(target).calls[0]
        assert best.refutes
        assert best.rival == 1
        assert best.gauge <= 1
        assert score(best.point.astype(np.float64)) < 0  # beyond the boundary, in exact numbers
        assert best.votes[1] > best.votes[0]
        assert sum(best.votes) == N


TAPER = 0.25


def tapered_band(params: tuple[jax.Array, ...], batch: jax.Array) -> jax.Array:
    """Class 0 where |w.y| <= h - taper v.y, class 1 elsewhere."""
    across, along, half_width = params
    width = half_width - TAPER * jnp.sum(batch * along, axis=-1)
    score = width - jnp.abs(jnp.sum(batch * across, axis=-1))
    return jnp.stack([score, -score], axis=-1)


def tapered_p(law: aj.Law, half_width: float, across: float, along: float) -> float:
    """P of class 0 with noise of scale 1, w and v orthonormal (coordinates, where not Gaussian)."""

    def given_v(z: float) -> float:
        width = half_width - TAPER * (along + z)
        return slab_p(law, width, across, 1.0) * DISTRIBUTION[law.name].pdf(z)

    end = 1.0 if law.name == "uniform" else 8.0
    return scipy.integrate.quad(given_v, -end, end)[0]


@pytest.mark.parametrize(
    ("law", "half_width"),
    [(aj.gaussian, 1.2), pytest.param(aj.uniform, 0.8, marks=pytest.mark.slow)],
    ids=str,
)
def test_a_curved_boundary_is_found_where_the_slope_leads_elsewhere(law, half_width):
    """In the middle of the band the slope points along it, where the class stays the same."""
    signs = np.where(np.arange(D) % 2, -1, 1) / np.sqrt(D)
    across, along = (np.abs(signs), signs) if law.order == 2 else (np.eye(D)[13], np.eye(D)[5])
    target = Target(
        params=tuple(jnp.asarray(value, jnp.float32) for value in (across, along, half_width)),
        region=aj.Region(
            center=jnp.zeros(D),
            scale=aj.Isotropic(sigma=jnp.float32(1)),
            gap=jnp.float32(1.3 * half_width),
            order=law.order,
        ),
        label=jnp.int32(0),
        key=jax.random.key(1),
        apply_fn=tapered_band,
        law=law,
    )
    points, kinds = propose(target, QUICK)
    p = [tapered_p(law, half_width, y @ across, y @ along) for y in np.asarray(points, np.float64)]
    least = {kind: min(q for q, k in zip(p, kinds, strict=True) if k == kind) for kind in kinds}
    assert least["steepest"] > 0.5
    assert least["curved"] < 0.45
    assert least["climb"] < 0.45
    best = attack(target).calls[0]
    assert best.refutes
    assert tapered_p(law, half_width, best.point @ across, best.point @ along) < 0.5


@pytest.mark.parametrize("stretch", [pytest.param(1.0, marks=pytest.mark.slow), 1.5])
def test_on_a_grid_only_grid_points_are_tried(stretch):
    """Integer noise, inputs in 1/255: the points that are tried are such inputs too."""
    grid = aj.grid(aj.gaussian, [0.375], shape=(D,))
    plan = aj.plan(aj.gaussian, n=N, grid=grid)
    rng = np.random.default_rng(0)
    x = np.rint(rng.random(D) * 255) / 255
    weights = rng.normal(size=D).astype(np.float32)
    margin = 0.8 * 0.375 * float(np.linalg.norm(weights))
    target = Target(
        params=(jnp.asarray(weights), jnp.float32(weights @ x - margin)),
        region=aj.Region(
            center=jnp.asarray(x, jnp.float32),
            scale=aj.Isotropic(sigma=jnp.float32(0.375)),
            gap=stretch * plan.gaps[int(N * scipy.stats.norm.cdf(0.8))],
            order=2,
        ),
        label=jnp.int32(0),
        key=jax.random.key(2),
        apply_fn=half_space,
        law=aj.gaussian,
        grid=grid,
    )
    points = np.asarray(propose(target, QUICK).points, np.float64) * 255
    assert np.allclose(points, np.rint(points), atol=1e-4, rtol=0)
    found = attack(target)
    assert found.tried.total() == len(points)
    assert all(0.9 < call.gauge <= 1 for call in found.calls)
    assert any(call.refutes for call in found.calls) == (stretch > 1)


def test_the_test_keeps_its_level_where_two_classes_are_level():
    m, level = 40, 0.02
    share = scipy.stats.binom(m, 0.5).pmf
    refused = sum(share(k) for k in range(m + 1) if p_value(k, m - k) <= level)
    assert 0.005 < refused <= level


@pytest.mark.parametrize(("rival", "label"), [(0, 0), (0, 9), (9, 0), (60, 40), (5100, 4900)])
def test_p_values_are_those_of_the_exact_test(rival, label):
    exact = scipy.stats.binom.sf(rival - 1, rival + label, 0.5)
    assert exact <= p_value(rival, label) <= min(exact * (1 + 1e-8), 1.0)


def test_too_few_draws_are_refused_with_the_number_that_would_do():
    with pytest.raises(ValueError, match="take n >= 17"):
        check_can_refute(16, 1e-5)
    check_can_refute(17, 1e-5)
