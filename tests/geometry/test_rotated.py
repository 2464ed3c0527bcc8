"""Rotated scales against dense float64 matrices; regions that never claim more than they hold."""

import cvxpy
import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.geometry.stretching import column_sums


def rotated(d: int, k: int, seed: int = 0, *, scalar: bool = False, low: float = 0.2):
    """A rotated scale and its matrix in float64, from the float32 numbers as they stand."""
    rng = np.random.default_rng(seed)
    basis = np.linalg.qr(rng.normal(size=(d, k)))[0].T.astype(np.float32)
    stretch = rng.uniform(low, 5, k).astype(np.float32)
    theta = np.float32(0.7) if scalar else rng.uniform(0.2, 3, d).astype(np.float32)
    inner = np.eye(d) + (basis.T * (stretch.astype(np.float64) - 1)) @ basis.astype(np.float64)
    scale = aj.Rotated(theta=theta, basis=basis, stretch=stretch)
    return scale, np.float64(theta * np.ones(d, np.float32))[:, None] * inner


def region(scale, center, gap=1.5, order=2) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32), scale=scale, gap=jnp.float32(gap), order=order
    )


SIZES = ((6, 2), (6, 6), (40, 5))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scalar", (False, True))
def test_push_pull_and_determinant_are_those_of_the_matrix(size, scalar) -> None:
    d, _ = size
    scale, matrix = rotated(*size, scalar=scalar)
    u = np.random.default_rng(1).normal(size=d).astype(np.float32)
    assert np.allclose(scale.push(u), matrix @ u, atol=3e-6)
    assert np.allclose(scale.adjoint(u), matrix.T @ u, atol=3e-6)
    assert np.allclose(scale.pull(u), np.linalg.solve(matrix, u), atol=3e-6)
    exact = np.linalg.slogdet(matrix)[1]
    assert abs(float(scale.log_abs_det(d)) - exact) < float(scale.log_det_error()) + 1e-5
    assert bool(scale.is_valid())
    assert isinstance(scale, aj.Scale)
    theta = aj.Diagonal(theta=jnp.full(d, 0.3))
    plain = aj.Rotated(theta=theta.theta, basis=scale.basis, stretch=jnp.ones(size[1]))
    assert np.array_equal(plain.push(u), theta.push(u))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scalar", (False, True))
@pytest.mark.parametrize("seed", range(3))
def test_inscribed_and_circumscribed_balls_err_to_the_safe_side(size, scalar, seed) -> None:
    scale, matrix = rotated(*size, seed, scalar=scalar)
    inverse = np.linalg.inv(matrix)
    exact = {2: 1 / np.linalg.norm(inverse, 2), 1: 1 / np.abs(inverse).sum(axis=0).max()}
    for order, value in exact.items():
        radius = float(scale.inradius(order))
        assert radius <= value * (1 + 1e-12)
        if scalar or order == 1:
            assert radius >= 0.997 * value
    inner = np.diag(1 / np.float64(scale.theta * np.ones(size[0], np.float32))) @ matrix
    for order in (1, 2):
        outer = np.linalg.norm(inner, order) * (1 - 1e-12)
        assert float(scale.outer_factor(order)) >= outer
        inside = (1 + 1e-12) / np.linalg.norm(np.linalg.inv(inner), order)
        assert float(scale.inner_factor(order)) <= inside


def test_the_second_bound_of_the_shortest_axis_is_nearly_tight() -> None:
    for seed in range(3):
        full, _ = rotated(40, 5, seed)
        stretch = full.stretch / 10  # short along all of its directions
        scale = aj.Rotated(theta=full.theta, basis=full.basis, stretch=stretch)
        inner = np.eye(40) + (full.basis.T * (np.float64(stretch) - 1)) @ np.float64(full.basis)
        exact = np.linalg.svd(np.float64(full.theta)[:, None] * inner)[1].min()
        assert 0.7 * exact <= float(scale.inradius(2)) <= exact
        assert float(scale.inradius(2)) > 1.2 * full.theta.min() * stretch.min()


def test_column_sums_are_bounded_where_they_are_too_many(monkeypatch) -> None:
    scale, matrix = rotated(40, 5)
    factor = scale.stretch - 1
    exact = np.abs(matrix / scale.theta[:, None]).sum(axis=0)
    monkeypatch.setattr("aniso_jax.geometry.stretching.EXACT", 0)
    bound = np.asarray(column_sums(jnp.asarray(scale.basis), jnp.asarray(factor)))
    assert np.all(bound >= exact)
    assert np.all(bound <= 3 * exact)


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("size", SIZES)
def test_membership_and_measures_are_those_of_the_matrix(order, size) -> None:
    d, _ = size
    scale, matrix = rotated(*size)
    center = np.random.default_rng(2).normal(size=d)
    r = region(scale, center, order=order)
    u = np.random.default_rng(3).normal(size=(2000, d))
    u *= 1.5 / np.linalg.norm(u, order, axis=1, keepdims=True)
    u *= np.repeat([0.5, 1 - 1e-6, 1.0, 1 + 1e-6, 2.0], 400)[:, None]
    ys = np.float32(np.float64(r.center) + u @ matrix.T)
    exact = np.linalg.norm(
        np.linalg.solve(matrix, (np.float64(ys) - np.float64(r.center)).T), order, axis=0
    )
    inside = np.asarray(jax.vmap(r.contains)(jnp.asarray(ys)))
    assert not np.any(inside & (exact > 1.5))
    assert np.all(inside[:400])
    lost = 1.01 * float(scale.distortion(order)) + 1e-5
    assert np.all(inside[exact < 1.5 * (1 - lost)])
    gauges = np.asarray(jax.vmap(r.gauge)(jnp.asarray(ys)))
    assert np.allclose(gauges, exact / 1.5, rtol=2e-5)
    proxy = 1.5 * np.exp(np.linalg.slogdet(matrix)[1] / d)
    assert 0 <= 1 - float(r.proxy_radius()) / proxy < 1e-4
    assert float(r.radius()) <= 1.5 / np.linalg.norm(np.linalg.inv(matrix), order)


def test_the_outline_has_gauge_one_and_directions_are_the_semi_axes() -> None:
    scale, _ = rotated(2, 2, scalar=True)
    r = region(scale, [0.3, -0.2])
    angles = np.linspace(0, 2 * np.pi, 400)
    circle = jnp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1), jnp.float32)
    outline = r.center + r.gap * jax.vmap(scale.push)(circle)
    assert np.allclose(jax.vmap(r.gauge)(outline), 1, atol=1e-6)
    for direction, stretch in zip(scale.basis, scale.stretch, strict=True):
        assert np.allclose(scale.push(direction), 0.7 * stretch * direction, atol=1e-6)


def test_the_volume_in_the_box_is_bounded() -> None:
    scale, matrix = rotated(2, 1, low=2.0)
    for order in (1, 2):
        for gap in (0.02, 0.1, 0.6):
            r = region(scale, [0.3, 0.6], gap, order)
            ys = np.random.default_rng(0).uniform(size=(200_000, 2))
            u = np.linalg.solve(matrix, (ys - np.float64(r.center)).T)
            share = np.mean(np.linalg.norm(u, order, axis=0) <= gap)
            bound = float(jnp.exp(aj.log_volume_in_box(r)))
            assert share - 4 * np.sqrt(share / 200_000) <= bound <= 1
            assert bound <= float(jnp.exp(r.log_volume())) * 1.001


def test_containment_is_proved_through_aligned_regions() -> None:
    scale, matrix = rotated(6, 2, low=1.5)
    outer = region(scale, np.zeros(6))
    ball = region(aj.Isotropic(sigma=jnp.float32(np.min(scale.theta))), np.zeros(6), 1.49)
    assert bool(outer.surely_contains(ball))
    assert not bool(ball.surely_contains(outer))
    assert bool(outer.surely_contains(region(scale, np.zeros(6), 1.5)))
    assert not bool(outer.surely_contains(region(scale, np.zeros(6), 1.500001)))
    moved = region(scale, matrix @ np.full(6, 0.3), 0.7)
    assert bool(outer.surely_contains(moved))
    fitted = aj.largest_inside(outer, moved.center, scale)
    assert float(fitted.gap) == pytest.approx(1.5 - 0.3 * np.sqrt(6), rel=1e-3)
    assert float(fitted.gap) <= 1.5 - 0.3 * np.sqrt(6)


def growth(a: aj.Region, b: aj.Region, matrices) -> float:
    """By how much both may grow before they meet, from a cone program in float64."""
    y, t = cvxpy.Variable(a.dimension), cvxpy.Variable()
    limits = [
        cvxpy.norm(np.linalg.inv(matrix) @ (y - np.float64(r.center)) / float(r.gap), r.order) <= t
        for r, matrix in zip((a, b), matrices, strict=True)
    ]
    problem = cvxpy.Problem(cvxpy.Minimize(t), limits)
    problem.solve(solver=cvxpy.CLARABEL, tol_gap_abs=1e-9, tol_gap_rel=1e-9, tol_feas=1e-9)
    return float(t.value)


surely_disjoint, shrink_to_avoid = jax.jit(aj.surely_disjoint), jax.jit(aj.shrink_to_avoid)


@pytest.mark.parametrize("seed", (0, 3))
@pytest.mark.parametrize("order", (1, 2))
def test_disjointness_against_a_cone_program(order, seed) -> None:
    scales = [rotated(6, 2, 10 + seed), rotated(6, 2, 20 + seed)]
    matrices = [matrix for _, matrix in scales]
    if seed == 3:  # one of the two is aligned
        theta = np.linspace(0.5, 2, 6).astype(np.float32)
        scales[1], matrices[1] = (aj.Diagonal(theta=theta), None), np.diag(np.float64(theta))
    away = np.random.default_rng(seed).normal(size=6) * 3
    a, b = region(scales[0][0], away, 1.2, order), region(scales[1][0], np.zeros(6), 0.9, order)
    factor = growth(a, b, matrices)

    def grown(r, by):
        return region(r.scale, r.center, float(r.gap) * by, order)

    for by in (0.3, 0.9999, 1.0001, 1.5):
        is_disjoint = bool(surely_disjoint(grown(a, by * factor), grown(b, by * factor)))
        assert not (is_disjoint and by > 1)
        if order == 2 and by < 1:
            assert is_disjoint
    new, old = grown(a, 2 * factor), grown(b, factor)
    fitted = shrink_to_avoid(new, old)
    assert float(fitted.gap) <= factor * 1.2 * (1 + 1e-6)
    assert order == 1 or float(fitted.gap) >= factor * 1.2 * (1 - 1e-4)
    assert float(fitted.gap) == 0 or bool(surely_disjoint(fitted, old))


def test_what_is_no_rotated_scale_is_refused_or_flagged() -> None:
    one = np.array([[0.6, 0.8]], np.float32)
    t = np.ones(1, np.float32)
    for bad, said in (
        ({"basis": one * 1.01}, "not orthonormal, by 0.02"),
        ({"stretch": np.array([-1.0])}, "stretch must be finite and positive"),
        ({"theta": np.array([1.0, 0.0])}, "theta must be finite and positive"),
        ({"stretch": np.ones(2)}, "have shapes"),
    ):
        with pytest.raises(ValueError, match=said):
            aj.Rotated(**{"theta": np.float32(1), "basis": one, "stretch": t, **bad})
    for theta, basis, stretch in ((1, 1.01, 1), (np.nan, 1, 1), (1, 1, 0), (1, 1, 1e-9)):
        scale = aj.Rotated(
            theta=jnp.float32(theta), basis=jnp.asarray(one) * basis, stretch=jnp.full(1, stretch)
        )
        assert not bool(scale.is_valid())
    with pytest.raises(ValueError, match=r"have shape \(2,\), the vector has \(3,\)"):
        aj.Rotated(theta=np.float32(1), basis=one, stretch=t).push(jnp.ones(3))
    with pytest.raises(ValueError, match="the basis has 2 coordinates, wanted 3"):
        aj.Rotated(theta=np.float32(1), basis=one, stretch=t).log_abs_det(3)


def test_memory_grows_as_d_k_where_images_are_large() -> None:
    d, k = 150_528, 9
    scale = aj.Rotated(
        theta=jnp.ones(d), basis=jax.ShapeDtypeStruct((k, d), jnp.float32), stretch=jnp.ones(k)
    )
    shape = jax.ShapeDtypeStruct((d,), jnp.float32)
    for method in ("push", "pull"):
        stages = jax.jit(lambda s, v, method=method: getattr(s, method)(v)).lower(scale, shape)
        used = stages.compile().memory_analysis()
        assert used.temp_size_in_bytes + used.output_size_in_bytes <= 4 * 4 * d * (k + 2)
