"""Soft votes: their value, their gradient, and rows that say nothing."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import LAW_NAMES, LAWS, half_space, half_space_p

import aniso_jax as aj

X = jnp.array([0.4, -0.2])
W = np.array([1.0, 0.0])


@partial(jax.jit, static_argnames=("n", "law", "apply_fn", "antithetic"))
def votes(
    n: int,
    law: aj.Law = aj.gaussian,
    sharpness: float = 1000.0,
    *,
    apply_fn=half_space,
    sigma=0.5,
    x=X,
    antithetic: bool = False,
    first_block: int = 0,
) -> jax.Array:
    return aj.soft_votes(
        apply_fn,
        (sharpness * jnp.asarray(W, jnp.float32), jnp.float32(0)),
        x,
        jax.random.key(2),
        law=law,
        scale=aj.Isotropic(sigma=sigma),
        n=n,
        antithetic=antithetic,
        first_block=first_block,
    )


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_sharp_logits_give_the_smoothed_probability(law) -> None:
    p, _ = half_space_p(law, W, 0.4, 0.5)
    soft = np.asarray(votes(20_000, law))
    assert soft.sum() == pytest.approx(1, abs=1e-5)
    assert soft[0] == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / 20_000) + 1e-3)


@pytest.mark.parametrize("n", (1, 7))
def test_antithetic_pairs_cancel_what_is_odd(n) -> None:
    soft = votes(n, antithetic=True, sharpness=1.0)
    assert soft.sum() == pytest.approx(1, abs=1e-6)
    even = votes(2 * n, antithetic=True, sharpness=1.0, x=jnp.zeros(2))
    assert even[0] == pytest.approx(0.5, abs=1e-6)


def test_other_blocks_are_other_draws() -> None:
    first, second = votes(64), votes(64, first_block=1)
    both = votes(128)
    assert not np.array_equal(first, second)
    assert np.allclose((first + second) / 2, both, atol=1e-6)


def test_rows_that_are_not_finite_count_as_uniform() -> None:
    def faulty(params, batch):
        return jnp.where(batch[:, :1] > 0.4, jnp.inf, half_space(params, batch))

    def top(sigma):
        return votes(500, apply_fn=faulty, sigma=sigma, sharpness=1.0)[0]

    soft = votes(500, apply_fn=faulty, sharpness=1.0)
    assert soft.sum() == pytest.approx(1, abs=1e-5)
    assert np.isfinite(jax.jit(jax.grad(top))(jnp.float32(0.5)))
    silent = votes(64, apply_fn=lambda params, batch: jnp.full((len(batch), 4), jnp.nan))
    assert np.allclose(silent, 0.25)


def test_the_slope_is_that_of_the_same_draws() -> None:
    def top(sigma):
        return votes(200, sigma=sigma, sharpness=2.0)[0]

    slope = jax.jit(jax.grad(top))(jnp.float32(0.5))
    numeric = (top(0.51) - top(0.49)) / 0.02
    assert float(slope) == pytest.approx(float(numeric), rel=0.02)


@pytest.mark.parametrize("antithetic", (False, True))
@pytest.mark.parametrize("n", (0, -3, 2.5))
def test_an_impossible_n_is_refused(n, antithetic) -> None:
    with pytest.raises(ValueError, match="n must be a static positive integer"):
        votes(n, antithetic=antithetic)
