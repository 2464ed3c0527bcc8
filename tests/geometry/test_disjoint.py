"""`surely_disjoint`, `shrink_to_avoid`, `largest_inside` against a cone and a linear program."""

from dataclasses import replace
from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from overlap_oracle import ACCURACY, growth, semi_axes

import aniso_jax as aj
from aniso_jax.geometry.separation import margin

disjoint = jax.jit(aj.surely_disjoint)
avoid = jax.jit(aj.shrink_to_avoid)
inside = jax.jit(aj.largest_inside)

SIZES = (2, *(pytest.param(d, marks=pytest.mark.slow) for d in (10, 3072)), 784)
KINDS = ("isotropic", "mild", "wild")
# relative distances from tangency; those below the tolerance may go either way on the safe side
NEAR = (-0.5, -1e-2, -1e-4, -1e-5, -1e-6, -1e-7, 1e-6, 5e-6, 2e-5, 5e-5, 1e-4, 1e-2, 0.5)


def tolerance(dimension: int) -> float:
    return 2 * margin(jnp.float32, dimension) + ACCURACY


def region(center, theta, gap, order) -> aj.Region:
    theta = np.asarray(theta, np.float32)
    scale = aj.Isotropic(sigma=jnp.asarray(theta)) if theta.ndim == 0 else None
    return aj.Region(
        center=jnp.asarray(center, jnp.float32),
        scale=scale or aj.Diagonal(theta=jnp.asarray(theta)),
        gap=jnp.float32(gap),
        order=order,
    )


def random_region(rng, dimension: int, order: int, kind: str) -> aj.Region:
    spread = {"isotropic": 0.0, "mild": 0.7, "wild": 2.0}[kind]
    theta = np.exp(spread * rng.standard_normal(dimension))
    theta = theta[0] if kind == "isotropic" else theta
    return region(rng.random(dimension), theta, rng.uniform(0.5, 2), order)


@cache
def pairs(dimension: int, order: int) -> list:
    """Pairs of every two kinds of shapes, each with its growth."""
    rng = np.random.default_rng(dimension + order)
    found = []
    for number in range(36 if dimension <= 10 else 9):
        kinds = KINDS[number % 3], KINDS[(number // 3) % 3]
        a, b = (random_region(rng, dimension, order, kind) for kind in kinds)
        found.append((a, b, growth(a, b)))
    return found


def scaled(region: aj.Region, factor: float) -> aj.Region:
    return replace(region, gap=jnp.float32(np.float64(region.gap) * factor))


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("dimension", SIZES)
def test_disjoint_agrees_with_the_oracle_on_both_sides_of_tangency(dimension, order):
    for a, b, t in pairs(dimension, order):
        for near in NEAR:
            closer = t / (1 + near)  # now they may grow by 1 + near, but for rounding the gaps
            one, other = scaled(a, closer), scaled(b, closer)
            said = bool(disjoint(one, other))
            assert said == bool(disjoint(other, one)) or abs(near) < tolerance(dimension)
            if near <= -1e-6:
                assert not said
            if near > tolerance(dimension):
                assert said


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("dimension", SIZES)
def test_a_shrunk_region_stops_just_short_of_the_other(dimension, order):
    for old, new, t in pairs(dimension, order):
        old = scaled(old, 0.7 * t)
        free = scaled(new, 0.7 * t)
        assert avoid(free, old).gap == free.gap  # nothing to do
        large = scaled(new, 3 * t)
        shrunk = avoid(large, old)
        if shrunk.gap == 0:  # only where the center lies in the other region
            assert not disjoint(scaled(new, 1e-3 * t), old)
            continue
        assert disjoint(shrunk, old)
        assert shrunk.gap <= large.gap
        assert growth(shrunk, old) > 1 - ACCURACY
        # and no more was lost than the tolerance costs: a bit larger, and it is not proved
        bigger = scaled(shrunk, 1 + 1e-3)
        if shrunk.gap < large.gap:
            assert growth(bigger, old) < 1


@pytest.mark.parametrize(
    "old, new",
    (
        (
            ((-0.7686869502067566, 0.7366082668304443), (1171201.375, 0.0035048371), 0.55796796),
            ((-653495.125, 6.098268032073975), (1.8264583349, 16.2167873383), 3 * 0.57302070),
        ),
        (
            ((-0.1112919524, -0.8501637578), (611185.3125, 2.0986130949e-06), 0.2989138),
            ((182692.03125, 55819.4296875), (0.7728911042, 584346.5625), 3 * 0.30883116),
        ),
    ),
)
def test_very_long_beside_very_short_axes_leave_a_region(old, new):
    """The search for the largest gap turns where the tolerance says, not where tangency is."""
    new, old = region(*new, 2), region(*old, 2)
    kept = avoid(new, old)
    assert 0.1 < float(kept.gap / new.gap) < 1 / 3  # tangent at a third, less the tolerance
    assert bool(disjoint(kept, old))


@pytest.mark.parametrize("order", (1, 2))
def test_float32_never_says_more_than_float64(order):
    rng = np.random.default_rng(7)
    with jax.enable_x64(True):
        for _ in range(20):
            a, b = (random_region(rng, 784, order, kind) for kind in ("mild", "wild"))
            exact = [
                jax.tree.map(lambda leaf: jnp.asarray(np.asarray(leaf), jnp.float64), r)
                for r in (a, b)
            ]
            reach = float(avoid(replace(exact[1], gap=jnp.float64(1e3)), exact[0]).gap)
            coarse = float(avoid(replace(b, gap=jnp.float32(1e3)), a).gap)
            assert coarse <= reach
            assert coarse >= reach * (1 - 1e-3)


def test_balls_touch_where_their_radii_add_up():
    for order in (1, 2):
        one = region((0.0, 0.0, 0.0), 0.5, 2.0, order)
        assert not disjoint(one, region((2.0, 0, 0), 1.0, 1.0, order))
        assert disjoint(one, region((2.0001, 0, 0), 1.0, 1.0, order))
        assert abs(growth(one, region((2.0, 0, 0), 1.0, 1.0, order)) - 1) < ACCURACY


def test_a_flat_region_beside_a_ball_is_seen_to_be_apart():
    """The plane that touches one of them first is not the one that separates them best."""
    ball = region((0.0, 0.0), 1.0, 1.0, 2)
    needle = region((3.0, 1.0000001), (1e-4, 1e-7), 1.0, 2)
    assert disjoint(ball, needle)
    assert disjoint(needle, ball)


def test_empty_and_broken_regions():
    full, empty = region((0, 0), 1.0, 1.0, 2), region((0, 0), 1.0, 0.0, 2)
    assert disjoint(full, empty)
    assert disjoint(empty, full)
    assert avoid(empty, full).gap == 0
    assert avoid(full, empty).gap == 1
    far = region((9, 9), 1.0, 1.0, 2)
    for broken in (
        region((np.nan, 9), 1.0, 1.0, 2),
        region((9, 9), 1.0, np.nan, 2),
        region((np.inf, 9), 1.0, 1.0, 2),
        region((9, 9), 1.0, np.inf, 2),
        region((9, 9), (1e-30, 1.0), 1.0, 2),
        region((9, 9), (1.0, 3e38), 1.0, 2),
        region((3e38, 9), (1.0, 1.0), 1.0, 2),
    ):
        assert not disjoint(broken, full)
        assert not disjoint(full, broken)
        assert avoid(far, broken).gap == 0
        assert avoid(broken, full).gap == 0


@pytest.mark.parametrize("order", (1, 2))
def test_squares_that_overflow_prove_nothing_false(order):
    """delta^2 and the squares of semi-axes leave float32; the regions overlap all the same."""
    a, b = (region((x, 0.0), (2e11, 1e-11), 1.0, order) for x in (0.0, 3.9e11))
    assert not disjoint(a, b)
    assert disjoint(a, region((4.1e11, 0.0), (2e11, 1e-11), 1.0, order))


coordinate = st.floats(-2, 2, width=32)
size = st.floats(2**-6, 4, width=32)


@settings(max_examples=200)
@given(
    st.tuples(coordinate, coordinate),
    st.tuples(size, size),
    st.tuples(size, size),
    st.tuples(coordinate, coordinate),
    st.sampled_from((1, 2)),
)
def test_no_point_lies_in_two_regions_that_are_surely_disjoint(center, one, other, point, order):
    old, new = region((0, 0), one, 1.0, order), region(center, other, 4.0, order)
    shrunk = avoid(new, old)
    assert disjoint(shrunk, old)
    for candidate in (point, center, tuple(np.asarray(center) * 0.5)):
        y = np.asarray(candidate, np.float32).astype(np.float64)
        gauges = [
            np.linalg.norm((y - np.asarray(r.center, np.float64)) / semi_axes(r), ord=order)
            if r.gap > 0
            else np.inf
            for r in (old, shrunk)
        ]
        assert max(gauges) > 1


@settings(max_examples=200)
@given(
    st.tuples(coordinate, coordinate),
    st.tuples(size, size),
    st.tuples(size, size),
    st.sampled_from((1, 2)),
)
def test_the_largest_inside_fits_and_touches(center, theta, shape, order):
    old = region((0, 0), theta, 1.0, order)
    fit = inside(old, jnp.asarray(center, jnp.float32), aj.Diagonal(theta=jnp.float32(shape)))
    angle = np.linspace(0, 2 * np.pi, 4001)
    u = np.stack([np.cos(angle), np.sin(angle)], 1)
    u = np.concatenate([u, np.eye(2), -np.eye(2)])
    u /= np.linalg.norm(u, ord=order, axis=1, keepdims=True)
    outline = np.asarray(center, np.float32).astype(float) + u * semi_axes(fit)
    farthest = np.linalg.norm(outline / semi_axes(old), ord=order, axis=1).max()
    assert fit.gap == 0 or farthest <= 1 + 1e-6
    if np.linalg.norm(np.asarray(center) / semi_axes(old), ord=order) < 0.999:
        assert farthest >= 1 - 2e-3
    if fit.gap > 0:
        assert aj.surely_contains(old, scaled(fit, 0.999))


@pytest.mark.parametrize("order", (1, 2))
def test_a_shape_longer_by_one_rounding_does_not_keep_the_whole_gap(order):
    old = region((0.1, 0.2), (np.nextafter(np.float32(2), np.float32(0)), 1), 1.3, order)
    longer = aj.Diagonal(theta=jnp.float32((2, 1)))
    assert float(inside(old, old.center, longer).gap) < float(old.gap)


@pytest.mark.parametrize("order", (1, 2))
def test_the_largest_inside_at_the_center_is_the_region_itself(order):
    old = region((0.1, 0.2), (0.3, 1.7), 1.3, order)
    assert inside(old, old.center, old.scale).gap == old.gap
    for outside in ((5.0, 0.2), (np.nan, 0.2), (np.inf, 0.2)):
        assert inside(old, jnp.asarray(outside, jnp.float32), old.scale).gap == 0
    assert inside(replace(old, gap=jnp.float32(0)), old.center, old.scale).gap == 0


@pytest.mark.parametrize("order", (1, 2))
def test_mapped_is_looped(order):
    rng = np.random.default_rng(5)
    some = [random_region(rng, 10, order, "mild") for _ in range(8)]
    one = scaled(random_region(rng, 10, order, "wild"), 0.1)
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *some)
    mapped = jax.jit(jax.vmap(aj.shrink_to_avoid, in_axes=(None, 0)))(one, batch)
    looped = [avoid(one, other).gap for other in some]
    np.testing.assert_allclose(mapped.gap, looped, rtol=1e-5)
    said = jax.jit(jax.vmap(aj.surely_disjoint, in_axes=(None, 0)))(one, batch)
    assert said.tolist() == [bool(disjoint(one, other)) for other in some]


def test_regions_that_cannot_be_compared_are_refused():
    class Turned:
        pass

    ball = region((0, 0), 1.0, 1.0, 2)
    with pytest.raises(ValueError, match="norm orders 2 and 1"):
        aj.surely_disjoint(ball, region((0, 0), 1.0, 1.0, 1))
    with pytest.raises(ValueError, match="shapes"):
        aj.shrink_to_avoid(ball, region((0, 0, 0), 1.0, 1.0, 2))
    with pytest.raises(ValueError, match="The scale is a Turned"):
        aj.surely_disjoint(ball, replace(ball, scale=Turned()))
    with pytest.raises(ValueError, match="center has shape"):
        aj.largest_inside(ball, jnp.zeros(3), ball.scale)
