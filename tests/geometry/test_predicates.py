"""`surely_contains` against brute force: never true when a point sticks out."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import aniso_jax as aj

surely_contains = jax.jit(aj.surely_contains)
size = st.floats(0.125, 4, width=32)
coordinate = st.sampled_from((0.0, 0.0, 0.25, -0.5)) | st.floats(-1, 1, width=32)


def region(center, theta, gap: float, order: int) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32),
        scale=aj.Diagonal(theta=jnp.asarray(theta, jnp.float32)),
        gap=jnp.float32(gap),
        order=order,
    )


def outermost(outer: aj.Region, inner: aj.Region) -> float:
    """The largest gauge of `outer` on the outline of `inner`, in float64 on a fine net."""
    angle = np.linspace(0, 2 * np.pi, 4001)
    u = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    u /= np.linalg.norm(u, ord=inner.order, axis=1, keepdims=True)
    corners = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    y = np.concatenate([u, corners]) * np.float64(inner.gap) * np.asarray(inner.scale.theta, float)
    offset = np.asarray(inner.center, float) - np.asarray(outer.center, float)
    whitened = (y + offset) / np.asarray(outer.scale.theta, float)
    return float(np.linalg.norm(whitened, ord=outer.order, axis=1).max() / np.float64(outer.gap))


@given(
    st.tuples(coordinate, coordinate),
    st.tuples(size, size),
    st.tuples(size, size),
    size,
    size,
    st.sampled_from((1, 2)),
)
@example((0.0, 0.0), (1.0, 1.0), (1.0, 1.0), 1.0, 1.0, 2)
def test_never_true_when_a_point_is_outside(center, theta_outer, theta_inner, g_o, g_i, order):
    outer = region((0.0, 0.0), theta_outer, g_o, order)
    inner = region(center, theta_inner, g_i, order)
    farthest = outermost(outer, inner)
    if surely_contains(outer, inner):
        assert farthest <= 1 + 1e-12
    if center == (0.0, 0.0):  # exact up to rounding for equal centers
        assert bool(surely_contains(outer, inner)) or farthest > 1 - 1e-5


@pytest.mark.parametrize("order", (1, 2))
def test_a_region_contains_itself_and_its_shrunken_self(order) -> None:
    one = region((0.3, 0.7), (0.1, 3.0), 1.7, order)
    assert surely_contains(one, one)
    assert surely_contains(one, region((0.3, 0.7), (0.1, 3.0), np.nextafter(1.7, 0), order))
    bigger = region((0.3, 0.7), (0.1, 3.0), np.float32(1.7) * np.float32(1 + 1e-6), order)
    assert not surely_contains(one, bigger)


@pytest.mark.parametrize("order", (1, 2))
def test_a_moved_ball_is_contained_exactly_as_far_as_it_fits(order) -> None:
    outer = region((0.0, 0.0), (1.0, 1.0), 1.0, order)
    assert surely_contains(outer, region((0.49999, 0.0), (1.0, 1.0), 0.5, order))
    assert not surely_contains(outer, region((0.50001, 0.0), (1.0, 1.0), 0.5, order))


def test_a_larger_product_is_enough_at_equal_centers() -> None:
    # a smaller gap with longer axes: neither factor dominates alone
    outer = region((0.1, 0.2), (2.0, 4.0), 0.6, 2)
    inner = region((0.1, 0.2), (1.0, 1.0), 1.0, 2)
    assert surely_contains(outer, inner)
    assert not surely_contains(inner, outer)


def test_empty_and_broken_regions() -> None:
    full, empty = region((0, 0), (1, 1), 1.0, 2), region((9, 9), (1, 1), 0.0, 2)
    assert surely_contains(full, empty)
    assert surely_contains(empty, empty)
    assert not surely_contains(empty, full)
    for center, gap in (((np.nan, 0.0), 0.5), ((0.0, 0.0), np.nan)):
        broken = region(center, (1, 1), gap, 2)
        assert not surely_contains(full, broken)
        assert not surely_contains(broken, full)


def test_regions_that_cannot_be_compared_are_refused() -> None:
    ball = region((0, 0), (1, 1), 1.0, 2)
    with pytest.raises(ValueError, match="norm orders 2 and 1"):
        aj.surely_contains(ball, region((0, 0), (1, 1), 1.0, 1))
    with pytest.raises(ValueError, match="shapes"):
        aj.surely_contains(ball, region((0, 0, 0), (1, 1, 1), 1.0, 2))
