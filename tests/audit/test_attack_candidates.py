"""Every point that an attack tries lies inside the region, in exact arithmetic."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import aniso_jax as aj
from aniso_jax.audit.attack.candidates import (
    end_coordinates,
    ends,
    point_inside,
    steepest,
    surely_inside,
    to_ball,
    to_outline,
)

DIMENSION, POINTS = 12, 16


def exact_gauge(center, y, theta, gap, order, steps) -> np.ndarray:
    """||A (y - x)|| / gap in float64, of the numbers, or of the grid points they are."""
    center, y = np.asarray(center, np.float64), np.asarray(y, np.float64)
    if steps is not None:
        center, y = np.rint(center * steps) / steps, np.rint(y * steps) / steps
    whitened = (y - center) / np.asarray(theta, np.float64)
    return np.linalg.norm(whitened, order, axis=-1) / float(gap)


@partial(jax.jit, static_argnames=("order", "steps"))
def points(center, theta, gap, us, *, order, steps):
    region = aj.Region(center=center, scale=aj.Diagonal(theta=theta), gap=gap, order=order)
    outline = jax.vmap(lambda u: to_outline(u, gap, order))(us)
    return jax.vmap(lambda u: point_inside(region, u, steps))(outline)


@given(
    order=st.sampled_from([1, 2]),
    steps=st.sampled_from([None, 255]),
    log_gap=st.floats(-12, 6),
    log_theta=st.floats(-12, 6),
    spread=st.floats(0, 5),
    log_offset=st.floats(-6, 10),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=150)
def test_every_point_is_inside(order, steps, log_gap, log_theta, spread, log_offset, seed):
    rng = np.random.default_rng(seed)
    theta = np.exp(log_theta + spread * rng.normal(size=DIMENSION)).astype(np.float32)
    center = rng.normal(size=DIMENSION) * np.exp(log_offset)
    center = center if steps is None else np.rint(np.clip(center, 0, 1) * steps) / steps
    center, gap = center.astype(np.float32), np.float32(np.exp(log_gap))
    us = rng.normal(size=(POINTS, DIMENSION)) ** rng.choice([1, 3], size=(POINTS, 1))
    us[0], us[1] = 0, np.eye(DIMENSION)[3]
    y = points(center, theta, gap, us.astype(np.float32), order=order, steps=steps)
    assert np.all(exact_gauge(center, y, theta, gap, order, steps) <= 1)


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize(("steps", "least"), [(None, 0.9999), (255, 0.9)])
def test_points_stay_close_to_the_outline(order, steps, least):
    """Where the region lies in [0, 1]; a grid ends there, and so would its points."""
    rng = np.random.default_rng(order)
    center = (np.rint(rng.uniform(0.48, 0.52, DIMENSION) * 255) / 255).astype(np.float32)
    theta, gap = rng.uniform(0.2, 0.5, DIMENSION).astype(np.float32), np.float32(0.9)
    us = rng.normal(size=(POINTS, DIMENSION)).astype(np.float32)
    y = points(center, theta, gap, us, order=order, steps=steps)
    assert np.all(exact_gauge(center, y, theta, gap, order, steps) > least)


def test_a_point_outside_is_never_called_inside():
    region = aj.Region(
        center=jnp.ones(3), scale=aj.Isotropic(sigma=0.5), gap=jnp.float32(1), order=2
    )
    for step in (1, 2, 5, 100):
        y = jnp.array([1.5 + step * 2.0**-23, 1, 1], jnp.float32)
        assert not surely_inside(region, y)
    on_grid = jnp.array([383 / 255, 1, 1], jnp.float32)  # 128 steps; 127.5 are allowed
    assert not surely_inside(region, on_grid, 255)
    assert surely_inside(region, jnp.array([382 / 255, 1, 1], jnp.float32), 255)


@given(
    values=st.lists(st.floats(-10, 10, width=32), min_size=6, max_size=6),
    gap=st.floats(2.0**-6, 20, width=32),
    order=st.sampled_from([1, 2]),
)
@example(values=[0.0, 5.0, 5.0, 5.0, 5.0, 5.0], gap=2.0**-6, order=1)
@settings(max_examples=60)
def test_projection_is_the_nearest_point_of_the_ball(values, gap, order):
    u = np.array(values, np.float32)
    found = np.asarray(to_ball(jnp.asarray(u), jnp.float32(gap), order), np.float64)
    lost = 1e-6 * np.abs(u).sum()  # float32 sizes less their threshold
    assert np.linalg.norm(found, order) <= gap * (1 + 1e-5) + lost
    # Nearest in a convex set: no point of it lies further in the direction of u - found.
    direction = u.astype(np.float64) - found
    dual = np.linalg.norm(direction, np.inf if order == 1 else 2)
    assert gap * dual <= direction @ found + 1e-4 * (1 + np.abs(u).sum()) * (1 + gap)


@pytest.mark.parametrize("order", [1, 2])
def test_steepest_reaches_the_dual_norm(order):
    slope = np.random.default_rng(0).normal(size=(3, 4)).astype(np.float32)
    found = np.asarray(steepest(jnp.asarray(slope), jnp.float32(0.5), order))
    dual = np.abs(slope).max() if order == 1 else np.linalg.norm(slope)
    assert np.sum(found * slope) == pytest.approx(0.5 * dual, rel=1e-5)
    assert np.linalg.norm(found.ravel(), order) == pytest.approx(0.5, rel=1e-5)
    assert not np.any(steepest(jnp.zeros((3, 4)), jnp.float32(0.5), order))


def test_ends_of_the_steepest_of_the_longest_and_of_other_axes():
    slope, theta = jnp.array([0.0, -5.0, 1.0, 0.0]), jnp.array([1.0, 1.0, 1.0, 9.0])
    chosen = end_coordinates(slope, theta, jax.random.key(0), each=1)
    assert chosen[:2].tolist() == [1, 3]
    tried = np.asarray(ends(chosen, jnp.float32(2), (4,)))
    assert tried.shape == (6, 4)
    assert tried[0].tolist() == [0, 2, 0, 0]
    assert tried[3].tolist() == [0, -2, 0, 0]
    assert end_coordinates(slope, theta, jax.random.key(0), each=9).shape == (12,)
