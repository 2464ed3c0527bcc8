"""Rotated regions beside each other: what is proved, against a cone program in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rotated_samples import growth, region, rotated

import aniso_jax as aj

surely_disjoint, shrink_to_avoid = jax.jit(aj.surely_disjoint), jax.jit(aj.shrink_to_avoid)


def grown(r, by):
    return region(r.scale, r.center, float(r.gap) * by, r.order)


@pytest.mark.parametrize(
    "order, seed", ((2, 0), (2, 3), (1, 0), pytest.param(1, 3, marks=pytest.mark.slow))
)
def test_disjointness_against_a_cone_program(order, seed) -> None:
    scales = [rotated(6, 2, 10 + seed), rotated(6, 2, 20 + seed)]
    matrices = [matrix for _, matrix in scales]
    if seed == 3:  # one of the two is aligned
        theta = np.linspace(0.5, 2, 6).astype(np.float32)
        scales[1], matrices[1] = (aj.Diagonal(theta=theta), None), np.diag(np.float64(theta))
    away = np.random.default_rng(seed).normal(size=6) * 3
    a, b = region(scales[0][0], away, 1.2, order), region(scales[1][0], np.zeros(6), 0.9, order)
    factor = growth(a, b, matrices)

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


@pytest.mark.parametrize("d, k", ((10, 3), pytest.param(784, 9, marks=pytest.mark.slow)))
def test_ellipsoids_with_axes_of_their_own_are_proved_apart_within_the_tolerance(d, k) -> None:
    """Stretched by 0.2 to 5; the wider the range of t, the more of it rounding can hide."""
    for seed in range(4 if d == 10 else 1):
        scales = rotated(d, k, 30 + seed), rotated(d, k, 60 + seed)
        away = np.random.default_rng(seed).normal(size=d) * 3
        a, b = region(scales[0][0], away, 1.2), region(scales[1][0], np.zeros(d), 0.9)
        factor = growth(a, b, [matrix for _, matrix in scales])
        for by in (1 + 1e-6, 1 + 1e-4, 1.5):
            assert not bool(surely_disjoint(grown(a, by * factor), grown(b, by * factor)))
        for by in (1 - 3e-4, 0.9):
            assert bool(surely_disjoint(grown(a, by * factor), grown(b, by * factor)))


@pytest.mark.parametrize("d, k", ((10, 3), pytest.param(100, 5, marks=pytest.mark.slow)))
def test_cross_polytopes_of_one_scale_are_proved_apart_where_they_are(d, k) -> None:
    for seed in range(4):
        scale, matrix = rotated(d, k, seed)
        u = np.random.default_rng(seed).normal(size=d)
        u /= np.abs(u).sum()
        for gap, other in ((1.0, 1.0), (0.3, 2.0)):
            for by, is_apart in ((1 - 1e-6, False), (1 + 5e-3, True), (3, True)):
                center = np.float32((gap + other) * by * matrix @ u)
                a, b = region(scale, center, gap, 1), region(scale, np.zeros(d), other, 1)
                assert bool(surely_disjoint(a, b)) == is_apart


def test_cross_polytopes_with_axes_of_their_own_are_proved_apart_before_long() -> None:
    """No closed form: the planes tried miss by less than a third here, aligned ones by far more."""
    for seed in range(4):
        scales = rotated(10, 3, 30 + seed), rotated(10, 3, 60 + seed)
        away = np.random.default_rng(seed).normal(size=10) * 3
        a, b = region(scales[0][0], away, 1.2, 1), region(scales[1][0], np.zeros(10), 0.9, 1)
        factor = growth(a, b, [matrix for _, matrix in scales])
        assert not bool(surely_disjoint(grown(a, 1.000001 * factor), grown(b, 1.000001 * factor)))
        assert bool(surely_disjoint(grown(a, 0.67 * factor), grown(b, 0.67 * factor)))


def test_one_rotated_cross_polytope_beside_an_aligned_one() -> None:
    scale, matrix = rotated(10, 3, 5)
    flat = aj.Diagonal(theta=jnp.linspace(0.5, 2, 10))
    a = region(scale, np.random.default_rng(1).normal(size=10) * 3, 1.2, 1)
    b = region(flat, np.zeros(10), 0.9, 1)
    factor = growth(a, b, [matrix, np.diag(np.float64(flat.theta))])
    for one, other in ((a, b), (b, a)):
        assert not bool(surely_disjoint(grown(one, 1.000001 * factor), grown(other, factor)))
        assert bool(surely_disjoint(grown(one, 0.67 * factor), grown(other, 0.67 * factor)))
