"""The search for a rotated scale: it shortens what the classifier looks at, and grows the rest."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import half_space, half_space_p

import aniso_jax as aj
from aniso_jax.geometry.balls import semi_axis_cap
from aniso_jax.optimize.problem import pose, run

D = 6
WEIGHTS = np.random.default_rng(0).normal(size=D)
WEIGHTS = (20 * WEIGHTS / np.linalg.norm(WEIGHTS)).astype(np.float32)
X = jnp.asarray(WEIGHTS / 40)  # at a distance of 1/2 from the boundary
START = aj.Isotropic(sigma=jnp.float32(0.2))
run_jitted = jax.jit(run, static_argnums=0)


def problem(law=aj.gaussian, x=X, label=0):
    params = (jnp.asarray(WEIGHTS), jnp.float32(0))
    return pose(half_space, params, x, jax.random.key(0), law=law, init=START, label=label)


ONE = aj.RotatedAscent(directions=1)


def test_a_tilted_half_space_needs_one_direction() -> None:
    found = run_jitted(ONE, problem())
    scale = found.scale
    assert bool(scale.is_valid()) and bool(found.improved)
    assert abs(float(jnp.ravel(scale.basis) @ WEIGHTS)) == pytest.approx(20, rel=1e-3)
    theta, t = np.asarray(scale.theta), float(scale.stretch[0])
    assert np.all(theta >= 0.2)
    assert float(scale.inradius(2)) >= 0.2 * (1 - 1e-4)
    assert t < 0.45
    assert np.all(float(found.gap) * theta <= 1.3 * semi_axis_cap(D, 2))
    # what any diagonal scale reaches, its semi-axes a: max prod a where ||a w|| = 10
    diagonal = 10 / np.sqrt(D) / np.exp(np.mean(np.log(np.abs(WEIGHTS))))
    assert float(found.gap) * np.exp(float(scale.log_abs_det(D)) / D) > 1.1 * diagonal


def test_the_curvature_at_the_input_gives_the_direction_too() -> None:
    settings = aj.RotatedAscent(directions=1, source="gauss-newton")
    basis = jax.jit(settings.init)(problem()).scale.basis
    assert abs(float(jnp.ravel(basis) @ WEIGHTS)) == pytest.approx(20, rel=1e-3)


def test_the_certified_region_touches_the_boundary_and_never_crosses() -> None:
    found = run_jitted(ONE, problem()).scale
    scale = jax.tree.map(np.asarray, found)
    certified = jax.jit(
        lambda x: aj.certify(
            half_space,
            (jnp.asarray(WEIGHTS), jnp.float32(0)),
            x,
            jax.random.key(5),
            law=aj.gaussian,
            scale=found,
            plan=aj.plan(aj.gaussian, n=20_000),
        )
    )(X)
    inner = np.eye(D) + (scale.basis.T * (np.float64(scale.stretch) - 1)) @ scale.basis
    spread = inner @ (np.float64(scale.theta) * WEIGHTS)
    p, width = half_space_p(aj.gaussian, spread, 10.0, 1.0)
    gap = float(certified.region.gap)
    reach = gap * width  # of the region along w; the boundary is at 10
    assert int(certified.label) == 0
    assert 0 < reach <= 10
    assert float(certified.p_lower) <= p
    assert reach >= 9 or p > 1 - 1e-3
    nearest = X - gap * found.push(jnp.asarray(spread / np.linalg.norm(spread), jnp.float32))
    assert float(certified.region.gauge(nearest)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("law", (aj.uniform, aj.laplace))
def test_a_step_along_one_coordinate_is_never_crossed_in_l1(law) -> None:
    """Directions that leave coordinate 0 alone: p is known in closed form."""
    weights = np.eye(D, dtype=np.float32)[0]
    tail = np.linalg.qr(np.random.default_rng(1).normal(size=(D - 1, 2)))[0].T
    basis = np.pad(tail, ((0, 0), (1, 0))).astype(np.float32)
    scale = aj.Rotated(
        theta=np.full(D, 0.5, np.float32), basis=basis, stretch=np.array([3, 0.5], np.float32)
    )
    certified = jax.jit(aj.certify, static_argnums=0, static_argnames="law")(
        half_space,
        (jnp.asarray(weights), jnp.float32(0)),
        jnp.full(D, 0.3),
        jax.random.key(0),
        law=law,
        scale=scale,
        plan=aj.plan(law, n=20_000),
    )
    p, width = half_space_p(law, weights, 0.3, 0.5)
    reach = float(certified.region.gap) * width
    assert 0.27 <= reach <= 0.3 * (1 + 1e-6)
    assert float(certified.p_lower) <= p


def test_the_start_is_kept_where_nothing_is_certified() -> None:
    lost = run_jitted(ONE, problem(label=1))
    assert not lost.improved
    assert np.allclose(lost.scale.theta, 0.2)
    assert np.all(np.asarray(lost.scale.stretch) == 1)


@pytest.mark.slow
def test_scan_and_map_agree() -> None:
    settings = aj.RotatedAscent(ascent=aj.VolumeAscent(steps=4), directions=2)
    xs = jnp.stack([X, 2 * X])
    mapped = jax.jit(jax.vmap(lambda x: run(settings, problem(x=x)).scale))(xs)
    for row, x in enumerate(xs):
        alone = run_jitted(settings, problem(x=x)).scale
        one = jax.tree.map(lambda leaf, row=row: leaf[row], mapped)
        u = jnp.arange(D, dtype=jnp.float32)
        assert np.allclose(one.push(u), alone.push(u), rtol=1e-3)


def test_a_rotated_start_is_refused() -> None:
    basis = np.eye(D, dtype=np.float32)[:1]
    turned = aj.Rotated(theta=np.float32(0.2), basis=basis, stretch=np.ones(1, np.float32))
    with pytest.raises(ValueError, match="init is a Rotated scale"):
        aj.optimize_rotated(half_space, None, X, jax.random.key(0), law=aj.gaussian, init=turned)
