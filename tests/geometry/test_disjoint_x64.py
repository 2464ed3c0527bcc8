"""Disjointness in float64: proved within twice the margin, at the kinks of l1 above all."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.geometry.separation import margin

PAIRS, D = 400, 4


def exact(delta, one, other, order):
    """By how much pairs may both grow, in long doubles: at every kink, or by bisection."""
    delta, one, other = (np.asarray(v, np.longdouble) for v in (delta, one, other))

    def factor(kappa):
        if order == 1:
            w = np.minimum(1 / one, kappa[:, None] / other)
            reach = [np.max(w * axes, 1) for axes in (one, other)]
            return np.sum(w * np.abs(delta), 1) / (reach[0] + reach[1]), reach
        w = np.abs(delta) / (one**2 + kappa[:, None] * other**2)
        reach = [np.sqrt(np.sum((w * axes) ** 2, 1)) for axes in (one, other)]
        return np.sum(w * np.abs(delta), 1) / (reach[0] + reach[1]), reach

    if order == 1:
        return np.max([factor(other[:, i] / one[:, i])[0] for i in range(D)], axis=0)
    low, high = (pick(np.log(one / other), axis=1) for pick in (np.min, np.max))
    for _ in range(80):
        middle = (low + high) / 2
        found, reach = factor(np.exp(middle))
        up = np.exp(middle) * reach[1] < reach[0]
        low, high = np.where(up, middle, low), np.where(up, high, middle)
    return found


@pytest.mark.parametrize("order", (1, 2))
def test_what_has_room_for_twice_the_margin_is_proved_in_float64(order):
    rng = np.random.default_rng(order)
    theta = np.exp(rng.normal(0, 2, (2, PAIRS, D)))
    centers = rng.standard_normal((2, PAIRS, D))
    touching = exact(centers[0] - centers[1], *theta, order)

    def said(x_a, theta_a, x_b, theta_b, gap):
        a, b = (
            aj.Region(center=x, scale=aj.Diagonal(theta=theta), gap=gap, order=order)
            for x, theta in ((x_a, theta_a), (x_b, theta_b))
        )
        return aj.surely_disjoint(a, b)

    with jax.enable_x64(True):
        room = 2 * margin(jnp.dtype("float64"), D)
        assert room < 2e-14
        mapped = jax.jit(jax.vmap(said))
        for near, wanted in ((1.1 * room, True), (1e-12, True), (1e-8, True), (-1e-15, False)):
            gap = np.float64(touching / (1 + near))
            found = mapped(centers[0], theta[0], centers[1], theta[1], gap)
            assert np.array_equal(found, np.full(PAIRS, wanted))
