"""Every loss against its formula written down again in numpy, on given noise."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import logsumexp, ndtri

from aniso_jax.training.methods.augmentation import Augmentation
from aniso_jax.training.methods.batch import Batch
from aniso_jax.training.methods.consistency import Consistency
from aniso_jax.training.methods.macer import Macer
from aniso_jax.training.methods.smoothadv import SmoothAdv
from aniso_jax.training.methods.stability import Stability

INPUTS, CLASSES, SHAPE, SIGMA = 6, 4, (3, 2), 0.5
Params = dict[str, jax.Array]


def network(params: Params, rows: jax.Array) -> jax.Array:
    hidden = jnp.tanh(rows.reshape(len(rows), -1) @ params["w"] + params["b"])
    return hidden @ params["v"]


def weights() -> Params:
    rng = np.random.default_rng(0)
    shapes = {"w": (6, 8), "b": (8,), "v": (8, CLASSES)}
    return {name: jnp.asarray(rng.standard_normal(s), jnp.float32) for name, s in shapes.items()}


def a_batch(copies: int, *, epoch: int = 0, seed: int = 1) -> Batch:
    rng = np.random.default_rng(seed)
    noise = SIGMA * rng.standard_normal((INPUTS, copies, *SHAPE))
    return Batch(
        x=jnp.asarray(rng.random((INPUTS, *SHAPE)), jnp.float32),
        y=jnp.asarray(rng.integers(0, CLASSES, INPUTS)),
        noise=jnp.asarray(noise, jnp.float32),
        epoch=jnp.int32(epoch),
        sigma=SIGMA,
    )


def logits(params: Params, batch: Batch, delta: Any = 0.0) -> np.ndarray:
    """(inputs, copies, classes) in float64, one input and copy at a time."""
    w, b, v = (np.asarray(params[name], np.float64) for name in "wbv")
    x, noise = np.asarray(batch.x + delta, np.float64), np.asarray(batch.noise, np.float64)
    return np.array(
        [[np.tanh((one + z).ravel() @ w + b) @ v for z in each] for one, each in zip(x, noise)]  # noqa: B905
    )


def log_softmax(z: np.ndarray) -> np.ndarray:
    return z - logsumexp(z, axis=-1, keepdims=True)


def label_terms(log_p: np.ndarray, y: jax.Array) -> float:
    """The mean of -log p_y over inputs and whatever lies between."""
    return -np.mean([log_p[i, ..., int(label)] for i, label in enumerate(y)])


def test_augmentation_is_cross_entropy_of_the_noisy_inputs():
    params, batch = weights(), a_batch(1)
    loss, parts = Augmentation().loss(network, params, batch)
    assert float(loss) == pytest.approx(label_terms(log_softmax(logits(params, batch)), batch.y))
    assert parts == {}


def test_stability_is_clean_cross_entropy_and_noisy_answers_against_clean_ones():
    params, batch = weights(), a_batch(1)
    loss, parts = Stability(weight=3.0).loss(network, params, batch)
    still = Batch(**{**vars(batch), "noise": jnp.zeros_like(batch.noise)})
    clean = log_softmax(logits(params, still))[:, 0]
    noisy = log_softmax(logits(params, batch))[:, 0]
    against = -np.mean(np.sum(np.exp(clean) * noisy, axis=-1))
    assert float(parts["stability"]) == pytest.approx(against, rel=1e-5)
    assert float(loss) == pytest.approx(label_terms(clean, batch.y) + 3 * against, rel=1e-5)


def test_consistency_is_divergence_from_the_mean_and_its_entropy():
    params, batch = weights(), a_batch(3)
    loss, parts = Consistency(copies=3, weight=7.0, eta=0.3).loss(network, params, batch)
    p = np.exp(log_softmax(logits(params, batch)))
    mean = p.mean(axis=1)
    divergence = np.mean([mean[i] @ np.log(mean[i] / q) for i in range(INPUTS) for q in p[i]])
    entropy = -np.mean(np.sum(mean * np.log(mean), axis=-1))
    assert float(parts["divergence"]) == pytest.approx(divergence, rel=1e-4)
    expected = label_terms(np.log(p), batch.y) + 7 * divergence + 0.3 * entropy
    assert float(loss) == pytest.approx(expected, rel=1e-5)


def test_consistency_costs_nothing_where_all_copies_agree():
    params, batch = weights(), a_batch(1)
    same = Batch(**{**vars(batch), "noise": jnp.repeat(batch.noise, 4, axis=1)})
    parts = Consistency(copies=4).loss(network, params, same)[1]
    assert abs(float(parts["divergence"])) < 1e-6
    alone = Augmentation().loss(network, params, batch)[0]
    loss = Consistency(copies=4, eta=0.0).loss(network, params, same)[0]
    assert float(loss) == pytest.approx(float(alone), abs=1e-5)


@pytest.mark.parametrize("epsilon", [0.05, 5.0])
def test_smoothadv_stays_in_its_ball_and_in_the_range_of_inputs(epsilon):
    params, batch = weights(), a_batch(3)
    delta = np.asarray(
        SmoothAdv(copies=3, epsilon=epsilon, steps=4, warmup=0).attack(network, params, batch)
    )
    norms = np.linalg.norm(delta.reshape(INPUTS, -1), axis=1)
    assert (norms <= epsilon * (1 + 1e-6)).all() and norms.max() > 0.5 * min(epsilon, 0.5)
    moved = np.asarray(batch.x) + delta
    assert moved.min() >= -1e-6 and moved.max() <= 1 + 1e-6


def soft_loss(params: Params, batch: Batch, delta: np.ndarray, i: int) -> float:
    """-log of input i's mean probability of its label, over the copies."""
    p = np.exp(log_softmax(logits(params, batch, delta)))[i, :, int(batch.y[i])]
    return -np.log(p.mean())


def test_one_step_of_smoothadv_goes_along_the_soft_loss_of_each_input():
    params, batch = weights(), a_batch(2)
    batch = Batch(**{**vars(batch), "low": -9.0, "high": 9.0})
    settings = SmoothAdv(copies=2, epsilon=0.1, steps=1, warmup=0)
    delta = np.asarray(settings.attack(network, params, batch), np.float64)
    for i in range(INPUTS):
        slope = np.zeros((INPUTS, *SHAPE))
        for place in np.ndindex(*SHAPE):
            up = np.zeros((INPUTS, *SHAPE))
            up[(i, *place)] = 1e-5
            rise = soft_loss(params, batch, up, i) - soft_loss(params, batch, -up, i)
            slope[(i, *place)] = rise / 2e-5
        # one step of twice the radius, taken back to the ball
        expected = 0.1 * slope[i] / np.linalg.norm(slope[i])
        np.testing.assert_allclose(delta[i], expected, atol=1e-4)


def test_smoothadv_raises_the_soft_loss_and_trains_on_the_same_noise():
    params, batch = weights(), a_batch(3)
    settings = SmoothAdv(copies=3, epsilon=0.5, steps=4, warmup=0)
    delta = settings.attack(network, params, batch)
    still = np.zeros((INPUTS, *SHAPE))
    for i in range(INPUTS):
        assert soft_loss(params, batch, np.asarray(delta), i) > soft_loss(params, batch, still, i)
    loss = settings.loss(network, params, batch)[0]
    found = label_terms(log_softmax(logits(params, batch, delta)), batch.y)
    assert float(loss) == pytest.approx(found, rel=1e-5)


def test_smoothadv_sends_no_gradient_through_the_attack():
    params, batch = weights(), a_batch(2)
    settings = SmoothAdv(copies=2, steps=2, warmup=0)
    delta = settings.attack(network, params, batch)
    through = jax.grad(lambda w: settings.loss(network, w, batch)[0])(params)
    moved = Batch(**{**vars(batch), "x": batch.x + delta})
    plain = jax.grad(lambda w: Augmentation().loss(network, w, moved)[0])(params)
    for name in params:
        np.testing.assert_allclose(through[name], plain[name], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("epoch", "share"), [(0, 0.25), (9, 1.0)])
def test_smoothadv_warms_up(epoch, share):
    params, batch = weights(), a_batch(2, epoch=epoch)
    batch = Batch(**{**vars(batch), "low": -9.0, "high": 9.0})
    delta = SmoothAdv(copies=2, epsilon=0.4, steps=2, warmup=4).attack(network, params, batch)
    norms = np.linalg.norm(np.asarray(delta).reshape(INPUTS, -1), axis=1)
    np.testing.assert_allclose(norms, 0.4 * share, rtol=1e-4)


def test_an_attack_without_a_slope_stays_where_it_is():
    def flat(params: Params, rows: jax.Array) -> jax.Array:
        return jnp.zeros((len(rows), CLASSES)) * params["b"][0]

    delta = SmoothAdv(copies=2, steps=2, warmup=0).attack(flat, weights(), a_batch(2))
    assert (np.asarray(delta) == 0).all()


def macer_terms(params: Params, batch: Batch, settings: Macer) -> tuple[float, np.ndarray]:
    """Cross-entropy of the mean, and each input's hinge; NaN where it does not count."""
    z, y = logits(params, batch), np.asarray(batch.y)
    mean = np.exp(log_softmax(z)).mean(axis=1)
    sharp = np.exp(log_softmax(settings.beta * z)).mean(axis=1)
    hinge = np.full(INPUTS, np.nan)
    for i, p in enumerate(sharp):
        xi = ndtri(p[y[i]]) - ndtri(np.delete(p, y[i]).max())
        if p.argmax() == y[i] and abs(xi) <= settings.gamma:
            hinge[i] = settings.gamma - xi
    return -np.mean(np.log(mean[np.arange(INPUTS), y] + 1e-10)), hinge


def answered(params: Params, batch: Batch, wrong: int) -> Batch:
    """The same inputs with the labels that the network gives, save the first `wrong` ones."""
    right = np.exp(log_softmax(logits(params, batch))).mean(axis=1).argmax(axis=1)
    right[:wrong] = (right[:wrong] + 1) % CLASSES
    return Batch(**{**vars(batch), "y": jnp.asarray(right)})


@pytest.mark.parametrize(("beta", "gamma"), [(1.0, 8.0), (2.0, 1.0), (16.0, 8.0)])
def test_macer_is_cross_entropy_of_the_mean_and_a_hinge_on_the_radius(beta, gamma):
    params, batch = weights(), a_batch(8)
    batch = answered(params, batch, wrong=2)
    settings = Macer(copies=8, weight=3.0, beta=beta, gamma=gamma)
    loss, parts = settings.loss(network, params, batch)
    accuracy, hinge = macer_terms(params, batch, settings)
    robustness = SIGMA / 2 * np.nansum(hinge) / INPUTS
    assert float(parts["robustness"]) == pytest.approx(robustness, rel=1e-3, abs=1e-6)
    assert float(parts["share_in_range"]) == pytest.approx(np.mean(np.isfinite(hinge)))
    assert float(loss) == pytest.approx(accuracy + 3 * robustness, rel=1e-3)


def test_macers_radius_moves_only_what_is_right_and_in_range():
    params, batch = weights(), a_batch(8)
    batch = answered(params, batch, wrong=2)
    settings = Macer(copies=8, beta=2.0, gamma=1.0)
    counts = np.isfinite(macer_terms(params, batch, settings)[1])
    assert 0 < counts.sum() < INPUTS - 2  # some are wrong, some right but out of range

    def robustness(noise: jax.Array) -> jax.Array:
        moved = Batch(**{**vars(batch), "noise": noise})
        return settings.loss(network, params, moved)[1]["robustness"]

    slopes = np.abs(np.asarray(jax.grad(robustness)(batch.noise))).reshape(INPUTS, -1).max(axis=1)
    assert ((slopes > 0) == counts).all()


@pytest.mark.parametrize("epoch", [1, 2])
def test_macers_radius_may_wait(epoch):
    params = weights()
    batch = answered(params, a_batch(8, epoch=epoch), wrong=1)
    loss, parts = Macer(copies=8, weight=3.0, beta=1.0, deferred=2).loss(network, params, batch)
    radius = 3 * float(parts["robustness"]) if epoch >= 2 else 0.0
    assert float(parts["robustness"]) > 0
    assert float(loss) == pytest.approx(float(parts["cross_entropy"]) + radius, rel=1e-5)


def test_macer_stays_finite_where_probabilities_round_to_one():
    params, batch = weights(), a_batch(4)
    sure = {**params, "v": 1e4 * params["v"]}
    batch = answered(sure, batch, wrong=1)
    value, slopes = jax.value_and_grad(lambda w: Macer(copies=4).loss(network, w, batch)[0])(sure)
    assert np.isfinite(float(value))
    assert all(np.isfinite(np.asarray(slope)).all() for slope in slopes.values())
