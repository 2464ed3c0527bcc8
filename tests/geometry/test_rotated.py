"""Rotated scales against dense float64 matrices; regions that never claim more than they hold."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rotated_samples import region, rotated

import aniso_jax as aj
from aniso_jax.geometry.stretching import column_sums

largest_inside, surely_contains = jax.jit(aj.largest_inside), jax.jit(aj.surely_contains)
surely_disjoint, shrink_to_avoid = jax.jit(aj.surely_disjoint), jax.jit(aj.shrink_to_avoid)


SIZES = ((6, 2), (6, 6))


@jax.jit
def said(scale, u):
    """Everything that a scale says of itself, compiled once a shape."""
    orders = {
        order: (scale.inradius(order), scale.inner_factor(order), scale.outer_factor(order))
        for order in (1, 2)
    }
    vectors = scale.push(u), scale.adjoint(u), scale.pull(u)
    d = scale.dimension
    return vectors, orders, scale.log_abs_det(d), scale.log_det_error(), scale.is_valid()


@pytest.mark.parametrize("size", SIZES)
def test_vectors_determinant_and_balls_are_those_of_the_matrix(size) -> None:
    d, k = size
    u = np.random.default_rng(1).normal(size=d).astype(np.float32)
    for seed, equal in ((0, False), (1, False), (2, True)):
        scale, matrix = rotated(*size, seed, equal=equal)
        inverse = np.linalg.inv(matrix)
        vectors, orders, log_det, error, is_valid = jax.device_get(said(scale, u))
        for found, exact in zip(vectors, (matrix @ u, matrix.T @ u, inverse @ u), strict=True):
            assert np.allclose(found, exact, atol=5e-6)
        assert abs(log_det - np.linalg.slogdet(matrix)[1]) < error + 1e-5
        assert is_valid
        for order, (radius, inner, outer) in orders.items():
            exact = 1 / np.linalg.norm(inverse, order)
            assert radius <= exact * (1 + 1e-12)
            assert radius >= 0.997 * exact or not (equal or order == 1)
            middle = matrix / np.float64(scale.theta)[:, None]
            assert outer >= np.linalg.norm(middle, order) * (1 - 1e-12)
            assert inner <= (1 + 1e-12) / np.linalg.norm(np.linalg.inv(middle), order)
    plain = replace(scale, stretch=np.ones(k, np.float32))
    assert np.array_equal(said(plain, u)[0][0], scale.theta * u)


def test_one_theta_is_that_of_every_coordinate() -> None:
    scale, _ = rotated(6, 2, equal=True)
    one = replace(scale, theta=np.float32(0.7))
    u = np.ones(6, np.float32)
    jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-6), said(one, u), said(scale, u))
    assert isinstance(one, aj.Scale)


def test_the_second_bound_of_the_shortest_axis_is_nearly_tight() -> None:
    inradius = jax.jit(lambda scale: scale.inradius(2))
    for seed in range(3):
        full, _ = rotated(40, 5, seed)
        stretch = full.stretch / 10  # short along all of its directions
        scale = aj.Rotated(theta=full.theta, basis=full.basis, stretch=stretch)
        inner = np.eye(40) + (full.basis.T * (np.float64(stretch) - 1)) @ np.float64(full.basis)
        exact = np.linalg.svd(np.float64(full.theta)[:, None] * inner)[1].min()
        assert 0.7 * exact <= float(inradius(scale)) <= exact
        assert float(inradius(scale)) > 1.2 * full.theta.min() * stretch.min()


def test_column_sums_are_bounded_where_they_are_too_many(monkeypatch) -> None:
    scale, matrix = rotated(40, 5)
    factor = scale.stretch - 1
    exact = np.abs(matrix / scale.theta[:, None]).sum(axis=0)
    monkeypatch.setattr("aniso_jax.geometry.stretching.EXACT", 0)
    bound = np.asarray(jax.jit(column_sums)(scale.basis, factor))
    assert np.all(bound >= exact)
    assert np.all(bound <= 3 * exact)


@jax.jit
def measured(r, ys):
    inside, gauges = jax.vmap(r.contains)(ys), jax.vmap(r.gauge)(ys)
    return inside, gauges, r.scale.distortion(r.order), (r.proxy_radius(), r.radius())


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
    inside, gauges, lost, measures = jax.device_get(measured(r, ys))
    assert not np.any(inside & (exact > 1.5))
    assert np.all(inside[:400])
    assert np.all(inside[exact < 1.5 * (1 - 1.01 * lost - 1e-5)])
    assert np.allclose(gauges, exact / 1.5, rtol=2e-5)
    proxy = 1.5 * np.exp(np.linalg.slogdet(matrix)[1] / d)
    assert 0 <= 1 - measures[0] / proxy < 1e-4
    assert measures[1] <= 1.5 / np.linalg.norm(np.linalg.inv(matrix), order)


def test_the_outline_has_gauge_one_and_directions_are_the_semi_axes() -> None:
    scale, _ = rotated(2, 2, equal=True)
    r = region(scale, [0.3, -0.2])
    angles = np.linspace(0, 2 * np.pi, 400)
    circle = jnp.asarray(np.stack([np.cos(angles), np.sin(angles)], axis=1), jnp.float32)

    @jax.jit
    def drawn(r, circle, directions):
        outline = r.center + r.gap * jax.vmap(r.scale.push)(circle)
        return jax.vmap(r.gauge)(outline), jax.vmap(r.scale.push)(directions)

    gauges, axes = drawn(r, circle, scale.basis)
    assert np.allclose(gauges, 1, atol=1e-6)
    assert np.allclose(axes, 0.7 * scale.stretch[:, None] * scale.basis, atol=1e-6)


def test_the_volume_in_the_box_is_bounded() -> None:
    volumes = jax.jit(lambda r: (aj.log_volume_in_box(r), r.log_volume()))
    scale, matrix = rotated(2, 1, low=2.0)
    for order in (1, 2):
        for gap in (0.02, 0.1, 0.6):
            r = region(scale, [0.3, 0.6], gap, order)
            ys = np.random.default_rng(0).uniform(size=(200_000, 2))
            u = np.linalg.solve(matrix, (ys - np.float64(r.center)).T)
            share = np.mean(np.linalg.norm(u, order, axis=0) <= gap)
            bound, own = np.exp(jax.device_get(volumes(r)))
            assert share - 4 * np.sqrt(share / 200_000) <= bound <= 1
            assert bound <= own * 1.001


def test_containment_is_proved_through_aligned_regions() -> None:
    scale, matrix = rotated(6, 2, low=1.5)
    outer = region(scale, np.zeros(6))
    ball = region(aj.Isotropic(sigma=jnp.float32(np.min(scale.theta))), np.zeros(6), 1.49)
    assert bool(surely_contains(outer, ball))
    assert not bool(surely_contains(ball, outer))
    assert bool(surely_contains(outer, region(scale, np.zeros(6), 1.5)))
    assert not bool(surely_contains(outer, region(scale, np.zeros(6), 1.500001)))
    moved = region(scale, matrix @ np.full(6, 0.3), 0.7)
    assert bool(surely_contains(outer, moved))
    fitted = largest_inside(outer, moved.center, scale)
    assert float(fitted.gap) == pytest.approx(1.5 - 0.3 * np.sqrt(6), rel=1e-3)
    assert float(fitted.gap) <= 1.5 - 0.3 * np.sqrt(6)


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("kinds", ("same", "turned in turned", "flat in turned", "turned in flat"))
def test_what_fits_into_a_region_lies_in_it(order, kinds) -> None:
    """Against outlines in the plane, of the float32 numbers in float64."""
    angles = np.linspace(0, 2 * np.pi, 2001)
    circle = np.concatenate([np.stack([np.cos(angles), np.sin(angles)], 1), np.eye(2), -np.eye(2)])
    circle /= np.linalg.norm(circle, order, axis=1, keepdims=True)
    best = 0.0
    for seed in range(12):
        (turned, of_turned), (other, of_other) = rotated(2, 1, seed), rotated(2, 1, seed + 50)
        flat, of_flat = aj.Diagonal(theta=other.theta), np.diag(np.float64(other.theta))
        outer, matrix, shape, of_shape = {
            "same": (turned, of_turned, turned, of_turned),
            "turned in turned": (turned, of_turned, other, of_other),
            "flat in turned": (turned, of_turned, flat, of_flat),
            "turned in flat": (flat, of_flat, turned, of_turned),
        }[kinds]
        old = region(outer, [0.1, -0.2], 1.5, order)
        center = np.float64(old.center) + matrix @ np.random.default_rng(seed).normal(size=2) / 4
        fitted = largest_inside(old, jnp.float32(center), shape)
        for factor in (0.999, 1, 1.001, 3):
            gap = np.float32(factor) * fitted.gap
            outline = np.float64(fitted.center) + float(gap) * circle @ of_shape.T
            away = np.linalg.solve(matrix, (outline - np.float64(old.center)).T)
            farthest = np.linalg.norm(away, order, axis=0).max() / 1.5
            is_claimed = bool(surely_contains(old, replace(fitted, gap=gap)))
            assert is_claimed or factor >= 1
            assert farthest <= 1 + 1e-6 or gap == 0 or not is_claimed
            best = max(best, farthest if gap > 0 and factor == 1 else 0)
    assert best > (0.999 if kinds == "same" else 0.5)


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
    is_valid = jax.jit(aj.Rotated.is_valid)
    for theta, basis, stretch in ((1, 1.01, 1), (np.nan, 1, 1), (1, 1, 0), (1, 1, 1e-9)):
        scale = aj.Rotated(
            theta=jnp.float32(theta),
            basis=jnp.asarray(one) * basis,
            stretch=jnp.array([stretch], float),
        )
        assert not bool(is_valid(scale))
        broken, ball = region(scale, np.zeros(2)), region(aj.Isotropic(sigma=1e-3), [0.1, 0.0])
        apart = region(aj.Isotropic(sigma=jnp.float32(1e-3)), [1e3, 0.0])
        assert not bool(surely_contains(broken, ball))
        assert not bool(surely_disjoint(broken, apart))
        assert float(shrink_to_avoid(apart, broken).gap) == 0
    with pytest.raises(ValueError, match=r"have shape \(2,\), the vector has \(3,\)"):
        aj.Rotated(theta=np.float32(1), basis=one, stretch=t).push(jnp.ones(3))
    with pytest.raises(ValueError, match="the basis has 2 coordinates, wanted 3"):
        aj.Rotated(theta=np.float32(1), basis=one, stretch=t).log_abs_det(3)


@pytest.mark.parametrize("method", ("push", "pull", "log_abs_det", "proxy_radius"))
def test_memory_grows_as_d_k_where_images_are_large(method) -> None:
    """As compiled for 224 x 224 x 3 and eight directions; nothing is run."""
    shape, k = (224, 224, 3), 8
    d = 224 * 224 * 3
    x = jax.ShapeDtypeStruct(shape, jnp.float32)
    scale = aj.Rotated(
        theta=x,
        basis=jax.ShapeDtypeStruct((k, *shape), jnp.float32),
        stretch=jax.ShapeDtypeStruct((k,), jnp.float32),
    )

    def call(scale, x):
        if method == "proxy_radius":
            return aj.Region(center=x, scale=scale, gap=jnp.float32(1), order=2).proxy_radius()
        return getattr(scale, method)(d if method == "log_abs_det" else x)

    lowered = jax.jit(call).lower(scale, x)
    assert lowered.out_info.shape == (shape if method in ("push", "pull") else ())
    used = lowered.compile().memory_analysis()
    given = 4 * (d * (k + 2) + k)
    assert used.argument_size_in_bytes <= given
    assert used.temp_size_in_bytes + used.output_size_in_bytes <= 2 * given


def test_colour_images_are_pushed_pulled_and_measured() -> None:
    scale, matrix = rotated(3072, 8)
    log_det = float(np.log(np.float64(scale.theta)).sum() + np.log(np.float64(scale.stretch)).sum())
    shaped = replace(
        scale, theta=scale.theta.reshape(32, 32, 3), basis=scale.basis.reshape(8, 32, 32, 3)
    )
    u = np.random.default_rng(0).normal(size=(32, 32, 3)).astype(np.float32)
    r = region(shaped, np.zeros((32, 32, 3)), 2.0)
    pushed, back, proxy = jax.jit(
        lambda r, u: (r.scale.push(u), r.scale.pull(r.scale.push(u)), r.proxy_radius())
    )(r, u)
    assert np.allclose(np.ravel(pushed), matrix @ np.ravel(u), atol=1e-4)
    assert np.allclose(back, u, atol=1e-4)
    assert float(proxy) == pytest.approx(2 * np.exp(log_det / 3072), rel=1e-4)
