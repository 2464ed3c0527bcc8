"""Regions at the ends of what floats hold: no overflow and no underflow becomes a proof."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj

surely_contains, largest_inside = jax.jit(aj.surely_contains), jax.jit(aj.largest_inside)
contains = jax.jit(aj.Region.contains)
both_norms = pytest.mark.parametrize("order", (1, 2))


def region(center, theta, gap, order) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32),
        scale=aj.Diagonal(theta=jnp.asarray(theta, jnp.float32)),
        gap=jnp.float32(gap),
        order=order,
    )


def ball(theta, gap, order, center=(0, 0)) -> aj.Region:
    return region(center, (theta, theta), gap, order)


@both_norms
def test_no_region_contains_one_whose_axes_leave_the_floats(order):
    for outer, inner in (
        ((1e19, 1e20), (1e25, 1e10)),  # inf >= inf, and 1e35 lies in 1e39 indeed
        ((1e19, 1e20), (1e25, 1e15)),
        ((1e25, 1e15), (1e19, 1e20)),
        ((1e-25, 1e-25), (1e-22, 1e-18)),  # 0 >= 0
        ((1.0, np.inf), (1.0, 0.5)),
        ((np.inf, 1.0), (1.0, 0.5)),
        ((1.0, 1.0), (-5.0, 1.0)),
        ((1.0, 1.0), (-5.0, 0.5)),
        ((1.0, 1.0), (0.0, 1.0)),
        ((1.0, 1.0), (np.nan, 1.0)),
        ((-1.0, 1.0), (1.0, 0.5)),
    ):
        assert not surely_contains(ball(*outer, order), ball(*inner, order))
    beyond = np.inf, 0.0
    assert not surely_contains(ball(1, 1, order, beyond), ball(1, 0.5, order, beyond))
    assert surely_contains(ball(1e10, 1.0, order), ball(1e-10, 1.0, order))
    assert surely_contains(ball(1e10, 1.0, order), ball(1e-10, 1.0, order, (1e9, 0)))


@both_norms
def test_what_fits_inside_is_a_number_that_floats_hold(order):
    for theta, center in ((1e-30, (0, 0)), (1e-30, (1e9, 0)), (-5.0, (0.5, 0)), (-5.0, (0, 0))):
        shape = aj.Diagonal(theta=jnp.full(2, theta, jnp.float32))
        for old in (ball(1e10, 1.0, order), ball(1.0, 1.0, order), ball(1e30, 1e-20, order)):
            assert largest_inside(old, jnp.float32(center), shape).gap == 0


@both_norms
def test_a_gap_found_where_quotients_lose_their_bits_is_none(order):
    """The shape is 1e-39 times the old one's: of that float32 has a few bits."""
    old = ball(1e24, 1e-17, order)
    for theta in (1e-14, 3e-15, 1.7e-15, 1e-16, 1.3e-19):
        shape = aj.Diagonal(theta=jnp.full(2, theta, jnp.float32))
        for at in (0.0, 5e6, 9.99e6):
            gap = float(largest_inside(old, jnp.float32((at, 0)), shape).gap)
            assert gap * theta <= (1e7 - at) * (1 + 1e-6)


@both_norms
def test_a_point_outside_is_in_no_region_of_absurd_scale(order):
    """What lies three away is 5e-3 in real numbers; here 3 / 3e38 would be 0."""
    for theta, gap in ((3e38, 2e-38), (3e38, 1e-40), (1e38, 1e-38), (1e-3, np.inf), (1.0, 1e30)):
        absurd = region(np.zeros(1000), np.full(1000, theta), gap, order)
        assert not contains(absurd, jnp.full(1000, 3.0))
    for theta in (-1.0, np.inf, np.nan, 0.0):
        assert not contains(ball(theta, 1.0, order), jnp.zeros(2))


@both_norms
def test_a_region_of_usual_numbers_holds_what_it_should(order):
    for theta, gap in ((1e-9, 1e9), (1e9, 1e-9), (1e20, 1e-17), (1e-17, 1e17)):
        usual = ball(theta, gap, order)
        assert contains(usual, jnp.float32((0.999 * theta * gap, 0)))
        assert not contains(usual, jnp.float32((1.001 * theta * gap, 0)))
