"""The volume inside the box: above the truth, never above the box, close enough."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.geometry import balls

bound = jax.jit(aj.log_volume_in_box)


def region(center, theta, gap: float, order: int) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32),
        scale=aj.Diagonal(theta=jnp.asarray(theta, jnp.float32)),
        gap=jnp.float32(gap),
        order=order,
    )


def by_counting(center, theta, gap: float, order: int) -> float:
    """Monte Carlo log vol(R and box), from uniform points of the box."""
    points = np.random.default_rng(1).uniform(size=(200_000, len(theta)))
    whitened = (points - center) / theta
    share = np.mean(np.linalg.norm(whitened, ord=order, axis=1) <= gap)
    return float(np.log(max(share, 1e-9)))


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("dimension", (1, 2, 5, 10, 20))
def test_above_the_truth_and_not_far_above(order, dimension) -> None:
    rng = np.random.default_rng(dimension)
    center, theta = rng.uniform(size=dimension), rng.uniform(0.5, 2, dimension)
    half_of_box = np.quantile(
        np.linalg.norm((rng.uniform(size=(2000, dimension)) - center) / theta, order, axis=1),
        [0.02, 0.3, 0.9],
    )
    for gap in half_of_box:
        truth = by_counting(center, theta, gap, order)
        found = float(bound(region(center, theta, gap, order)))
        assert truth - 0.03 <= found <= 0
        assert found <= truth + 0.5 * np.log(2 * np.pi * dimension) + 0.5


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("dimension", (2, 784))
def test_monotone_in_the_gap_from_the_region_to_the_box(order, dimension) -> None:
    center = np.random.default_rng(0).uniform(size=dimension)
    gaps = np.geomspace(1e-3, 1e4, 60) * balls.box_radius(dimension, order)
    regions = jax.vmap(lambda gap: region(center, np.ones(dimension), gap, order))(
        jnp.asarray(gaps)
    )
    found = np.asarray(jax.vmap(aj.log_volume_in_box)(regions))
    classical = np.asarray(jax.vmap(aj.Region.log_volume)(regions))
    assert np.all(np.diff(found) >= -1e-3)
    room = 2e-5 * (np.abs(classical) + dimension)  # the bound is rounded up, the volume is not
    assert np.all(found <= np.minimum(classical + room, 0))
    assert found[-1] == pytest.approx(0, abs=1e-3)


@pytest.mark.parametrize("order", (1, 2))
def test_a_small_region_well_inside_has_its_own_volume(order) -> None:
    small = region(np.full(3, 0.5), np.ones(3), 0.05, order)
    exact = 3 * math.log(float(np.float32(0.05))) + balls.log_unit_ball(3, order)
    assert exact <= float(bound(small)) <= exact + 1e-4


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("dimension, sigma", ((1, 0.05), (2, 0.0321), (784, 0.01)))
def test_rounding_never_takes_it_below_a_region_inside_the_box(dimension, sigma, order) -> None:
    sigma, gap = np.float32(sigma), np.float32(1.3 if order == 1 else 5.0)
    inside = region(np.full(dimension, 0.5), np.full(dimension, sigma), gap, order)
    exact = dimension * math.log(float(gap) * float(sigma)) + balls.log_unit_ball(dimension, order)
    assert float(bound(inside)) >= exact


def test_a_corner_holds_a_quarter_of_a_disc() -> None:
    corner = region(np.zeros(2), np.ones(2), 0.2, 2)
    quarter = float(corner.log_volume()) - np.log(4)
    found = float(bound(corner))
    assert quarter <= found <= quarter + 1.3


def test_other_boxes_and_centers_outside() -> None:
    box = float(aj.log_volume_in_box(region(np.zeros(2), np.ones(2), 50.0, 2), low=-1.0, high=3.0))
    assert box == pytest.approx(2 * np.log(4), abs=1e-5)
    for center in ([-0.5, 0.5], [0.5, 2.0], [-3.0, 9.0]):
        one = region(center, np.ones(2), 1.2, 2)
        assert float(bound(one)) >= by_counting(center, np.ones(2), 1.2, 2)
        assert float(bound(one)) <= 0


def test_an_empty_region_has_no_volume() -> None:
    assert np.isneginf(bound(region([0.5, 0.5], [1.0, 1.0], 0.0, 2)))
