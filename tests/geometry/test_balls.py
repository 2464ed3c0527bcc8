"""Volumes and norms against closed forms, fifty digits and Monte Carlo."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest

from aniso_jax.geometry import balls
from aniso_jax.geometry.rounding import float32_down, float32_up, slack, total

DIMENSIONS = (1, 2, 3, 10, 784, 3072, 150_528)


def log_ball(dimension: int, order: int) -> mpmath.mpf:
    """log vol of the unit l1 or l2 ball, at mpmath's working precision."""
    d = mpmath.mpf(dimension)
    if order == 1:
        return d * mpmath.log(2) - mpmath.loggamma(d + 1)
    return d / 2 * mpmath.log(mpmath.pi) - mpmath.loggamma(d / 2 + 1)


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_log_volumes_to_fifty_digits(dimension, order) -> None:
    with mpmath.workdps(50):
        exact = log_ball(dimension, order)
        assert balls.log_unit_ball(dimension, order) == pytest.approx(float(exact), rel=1e-13)
        radius = float(mpmath.exp(-exact / dimension))
    assert balls.box_radius(dimension, order) == pytest.approx(radius, rel=1e-12)


@pytest.mark.parametrize(("order", "dimension"), [(1, 2), (1, 3), (2, 2), (2, 3)])
def test_log_volumes_by_counting_points(order, dimension) -> None:
    points = np.random.default_rng(0).uniform(-1, 1, (200_000, dimension))
    share = np.mean(np.linalg.norm(points, ord=order, axis=1) <= 1)
    volume = np.exp(balls.log_unit_ball(dimension, order))
    assert share * 2**dimension == pytest.approx(volume, rel=0.02)


def test_the_numbers_of_the_box() -> None:
    assert round(balls.box_radius(784, 2), 2) == 6.81
    assert round(balls.box_radius(784, 1)) == 145
    assert round(balls.semi_axis_cap(784, 2), 2) == 16.19
    assert round(balls.semi_axis_cap(784, 1), 1) == 320.7


@pytest.mark.parametrize("order", (1, 2))
def test_at_the_cap_a_uniform_point_spreads_like_an_interval_of_length_two(order) -> None:
    d, rng = 3, np.random.default_rng(1)
    points = rng.uniform(-1, 1, (400_000, d))
    inside = points[np.linalg.norm(points, ord=order, axis=1) <= 1]
    spread = balls.semi_axis_cap(d, order) * inside[:, 0].std()
    assert spread == pytest.approx(1 / np.sqrt(3), rel=0.01)


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("size", (1e-30, 1.0, 1e30))
def test_norms_neither_overflow_nor_underflow(order, size) -> None:
    u = np.random.default_rng(2).normal(size=(3, 5))
    norm = float(balls.norm(jnp.asarray(u * size, jnp.float32), order))
    assert norm == pytest.approx(size * np.linalg.norm(u.ravel(), ord=order), rel=1e-6)


@pytest.mark.parametrize("order", (1, 2))
def test_norms_at_the_edges(order) -> None:
    assert float(balls.norm(jnp.zeros(4), order)) == 0
    assert np.all(np.abs(jax.grad(balls.norm)(jnp.zeros(4), order)) <= 1)  # a subgradient
    assert np.isnan(balls.norm(jnp.array([jnp.nan, 1.0]), order))
    assert not np.isfinite(balls.norm(jnp.array([jnp.inf, 1.0]), order))


@pytest.mark.parametrize("size", (1, 2, 3, 100, 12_345, 150_528))
def test_a_total_is_within_its_slack(size) -> None:
    values = np.random.default_rng(size).uniform(0, 1, size).astype(np.float32)
    exact = values.astype(np.float64).sum()
    assert float(total(jnp.asarray(values))) == pytest.approx(
        exact, rel=slack(jnp.float32, size), abs=0
    )
    assert slack(jnp.float32, size) < 4e-6


def test_float32_is_rounded_outward() -> None:
    values = np.random.default_rng(3).normal(size=10_000) * 10.0 ** np.arange(-5, 5).repeat(1000)
    down, up = float32_down(values), float32_up(values)
    assert down.dtype == up.dtype == np.float32
    assert np.all((down <= values) & (values <= up))
    assert np.all(np.nextafter(down, np.float32(np.inf)) >= up)
