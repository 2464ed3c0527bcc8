"""What is said of a network while it is trained, where the truth is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

import aniso_jax as aj
from aniso_jax.data.dataset import Dataset
from aniso_jax.training.evaluate import evaluate, soft_gap


def half_space(params: jax.Array, rows: jax.Array) -> jax.Array:
    """Class 1 right of the threshold in the first coordinate, as good as surely."""
    score = 1e6 * (rows[:, 0] - params)
    return jnp.stack([-score, score], axis=-1)


def points(count: int, away: float) -> Dataset:
    x = np.full((count, 2), 0.5 + away, np.float32)
    y = np.ones(count, np.int64)
    return Dataset(name="points", x=x, y=y, classes=("left", "right"), levels=None)


@pytest.mark.parametrize("count", [40, 1500])
def test_a_half_space_is_judged_as_it_is(count):
    found = evaluate(
        half_space,
        jnp.float32(0.5),
        points(count, 0.1),
        law=aj.gaussian,
        sigma=0.25,
        key=jax.random.key(0),
    )
    assert found["clean_accuracy"] == 1
    error = 4 * 0.5 / np.sqrt(8 * min(count, 750))  # every second of 1500
    assert found["noisy_accuracy"] == pytest.approx(ndtr(0.1 / 0.25), abs=error)


def test_the_soft_radius_is_the_mean_where_the_label_has_more_than_half():
    failures = np.array([0.0, 0.1, 0.3, 0.7])
    expected = np.mean(-aj.gaussian.host_quantile((failures[:3] + 1e-3) / 1.002))
    assert soft_gap(aj.gaussian, failures) == pytest.approx(expected)
    assert soft_gap(aj.gaussian, failures[3:]) == 0


def test_without_noise_there_is_no_radius():
    found = evaluate(
        half_space,
        jnp.float32(0.5),
        points(3, -0.1),
        law=aj.laplace,
        sigma=0.0,
        key=jax.random.key(0),
    )
    assert found == {"clean_accuracy": 0, "noisy_accuracy": 0, "soft_radius": 0}
