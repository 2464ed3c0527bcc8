"""Predictions: wrong answers are at most a share alpha, and small n is refused."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import DISTRIBUTION, LAW_NAMES, LAWS, half_space, too_many_errors

import aniso_jax as aj
from aniso_jax.statistics.sign_test import sign_test

ALPHA, RUNS, N = 0.05, 10_000, 64
PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0))


@partial(jax.jit, static_argnames="law")
def labels(law: aj.Law, x: jax.Array) -> jax.Array:
    def one(key: jax.Array) -> jax.Array:
        scale = aj.Diagonal(theta=jnp.array([0.5, 2.0]))
        return aj.predict(half_space, PARAMS, x, key, law=law, scale=scale, n=N, alpha=ALPHA).label

    return jax.vmap(one)(jax.random.split(jax.random.key(5), RUNS))


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_wrong_answers_are_at_most_a_share_alpha(law) -> None:
    for p in (0.4999, 0.45, 0.2):  # class 1 is the smoothed class
        x = jnp.array([0.5 * DISTRIBUTION[law.name].ppf(p), 0.0], jnp.float32)
        answers = np.asarray(labels(law, x))
        wrong = int(np.sum(answers == 0))
        assert not too_many_errors(wrong, RUNS, ALPHA)
        assert wrong <= RUNS * ALPHA / 2 + 5 * np.sqrt(RUNS * ALPHA / 2)  # one of two tails
    assert np.mean(answers == 1) > 0.99  # at p = 0.2 it does answer


@pytest.mark.parametrize(
    "p", [(0.5, 0.5), (0.34, 0.33, 0.33), (0.251, 0.25, 0.25, 0.249), (0.1001, *[0.09999] * 9)]
)
def test_many_nearly_tied_classes_err_at_most_alpha(p) -> None:
    p = np.array(p) / np.sum(p)
    votes = np.random.default_rng(0).multinomial(200, p, size=20_000)
    order = np.argsort(-votes, axis=1, kind="stable")
    top = np.take_along_axis(votes, order, axis=1)
    answers = np.asarray(sign_test(top[:, 0], top[:, 1])) <= ALPHA
    wrong = int(np.sum(answers & (order[:, 0] != 0)))
    assert not too_many_errors(wrong, 20_000, ALPHA)


@pytest.mark.parametrize(("alpha", "smallest"), [(0.001, 11), (1e-9, 31)])
def test_too_few_draws_are_refused_with_the_smallest_n(alpha, smallest) -> None:
    def ask(n: int) -> aj.Prediction:
        return aj.predict(
            half_space,
            PARAMS,
            jnp.array([50.0, 0.0]),
            jax.random.key(0),
            law=aj.gaussian,
            scale=aj.Isotropic(sigma=0.5),
            n=n,
            alpha=alpha,
        )

    with pytest.raises(ValueError, match=f"take n >= {smallest}"):
        ask(smallest - 1)
    answer = ask(smallest)
    assert int(answer.label) == 0
    assert 2.0 ** (1 - smallest) <= float(answer.p_value) <= alpha
    assert int(answer.status) == aj.Status.CERTIFIED


@pytest.mark.parametrize("alpha", (0.0, 1.0, float("nan")))
def test_an_impossible_alpha_is_refused(alpha) -> None:
    with pytest.raises(ValueError, match=r"alpha must lie in \[1e-33, 1\)"):
        aj.predict(
            half_space,
            PARAMS,
            jnp.zeros(2),
            jax.random.key(0),
            law=aj.gaussian,
            scale=aj.Isotropic(sigma=0.5),
            alpha=alpha,
        )
