"""The objective against closed forms, and its slope where probabilities saturate."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import DISTRIBUTION, LAW_NAMES, LAWS, half_space, half_space_p

import aniso_jax as aj

W = np.array([1.0, 0.0, 0.0])
THETA = np.array([0.5, 2.0, 1.0])
X = jnp.array([0.2, 0.1, -0.4])


@partial(jax.jit, static_argnames=("law", "n", "antithetic"))
def objective(law: aj.Law, theta, *, sharpness=1000.0, n=20_000, x=X, **changes):
    params = (sharpness * jnp.asarray(W, jnp.float32), jnp.float32(0))
    scale = aj.Diagonal(theta=jnp.asarray(theta, jnp.float32))
    key = jax.random.key(1)
    return aj.volume_objective(half_space, params, x, key, law=law, scale=scale, n=n, **changes)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
@pytest.mark.parametrize("kappa", (0.0, 2.0))
def test_a_half_space_has_its_closed_form(law, kappa) -> None:
    p, _ = half_space_p(law, W, 0.2, THETA)
    gap = DISTRIBUTION[law.name].ppf(p)  # two classes: (F^-1(p) - F^-1(1 - p)) / 2
    expected = gap * (np.prod(THETA) ** (1 / 3) + kappa * THETA.min())
    value, votes = objective(law, THETA, kappa=kappa, label=0)
    assert float(votes[0]) == pytest.approx(p, abs=0.015)
    assert float(value) == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_soft_gap_is_the_law_s_with_its_half(law) -> None:
    votes = np.array([0.6, 0.25, 0.1, 0.05])
    ppf = DISTRIBUTION[law.name].ppf
    for label in range(4):
        rival = np.delete(votes, label).max()
        expected = (ppf(votes[label]) - ppf(rival)) / 2  # negative for another class than the top
        found = aj.soft_gap(jnp.asarray(votes, jnp.float32), jnp.int32(label), law=law, n=10**6)
        assert float(found) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_a_saturated_gap_is_finite_and_still_has_a_slope(law) -> None:
    def gap(logit: jax.Array) -> jax.Array:
        votes = jax.nn.softmax(jnp.stack([logit, 0.0, 0.0]))
        return aj.soft_gap(votes, jnp.int32(0), law=law, n=100)

    for logit in (5.0, 15.0, 30.0):
        value, slope = jax.jit(jax.value_and_grad(gap))(jnp.float32(logit))
        assert np.isfinite(value)
        assert np.isfinite(slope)
        assert float(slope) > 0
    assert float(gap(jnp.float32(200.0))) <= DISTRIBUTION[law.name].ppf(1 - 1 / 500)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_slope_in_theta_is_finite_and_not_zero_at_saturation(law) -> None:
    def value(scale: aj.Diagonal) -> jax.Array:
        params = (jnp.asarray(8 * W, jnp.float32), jnp.float32(0))
        far = jnp.array([3.0, 0.0, 0.0])
        return aj.volume_objective(
            half_space, params, far, jax.random.key(0), law=law, scale=scale, label=0, n=100
        )[0]

    slope = jax.jit(jax.grad(value))(aj.Diagonal(theta=jnp.array([0.1, 0.1, 0.1]))).theta
    assert np.all(np.isfinite(slope))
    assert np.all(np.asarray(slope) > 0)


def test_no_label_takes_the_top_class() -> None:
    for x, top in ((X, 0), (-X, 1)):
        implied, votes = objective(aj.gaussian, THETA, x=x, n=500)
        given, _ = objective(aj.gaussian, THETA, x=x, n=500, label=top)
        other, _ = objective(aj.gaussian, THETA, x=x, n=500, label=1 - top)
        assert int(jnp.argmax(votes)) == top
        assert float(implied) == float(given) > 0 > float(other)


def test_input_and_scale_in_other_units_give_the_value_in_those_units() -> None:
    value, _ = objective(aj.gaussian, THETA, n=500, label=0, sharpness=1.0)
    scaled, _ = objective(aj.gaussian, 4 * THETA, n=500, label=0, sharpness=0.25, x=4 * X)
    assert float(scaled) == pytest.approx(4 * float(value), rel=1e-5)


def test_an_optax_loop_of_one_s_own_makes_progress() -> None:
    def loss(log_theta: jax.Array) -> jax.Array:
        scale = jnp.exp(log_theta)
        return -objective(aj.gaussian, scale, n=64, label=0, sharpness=4.0, antithetic=True)[0]

    step = jax.jit(jax.value_and_grad(loss))
    log_theta = jnp.log(jnp.full(3, 0.2))
    first, _ = step(log_theta)
    for _ in range(20):
        value, slope = step(log_theta)
        log_theta = log_theta - 0.2 * jnp.sign(slope)
    assert float(value) < 2 * float(first) < 0
    assert float(log_theta[1] - log_theta[0]) > 1
