"""Curvature without matrices against the dense Hessian, for smooth and ReLU networks."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.optimize import curvature, leaning
from aniso_jax.smoothing.noise import Phase, first_draws, standard_noise

D, CLASSES = 12, 4


def network(activation):
    keys = jax.random.split(jax.random.key(3), 2)
    first = jax.random.normal(keys[0], (D, 16)) / np.sqrt(D)
    last = jax.random.normal(keys[1], (16, CLASSES)) / 2

    def apply_fn(params, batch):
        return activation(batch.reshape(len(batch), -1) @ params[0]) @ params[1]

    return apply_fn, (first, last)


X = jax.random.normal(jax.random.key(0), (3, 4))
SMOOTH, RELU = network(jnp.tanh), network(jax.nn.relu)


def dense(function) -> np.ndarray:
    return np.asarray(jax.jit(jax.hessian(function))(X), np.float64).reshape(D, D)


gauss_newton = jax.jit(curvature.gauss_newton, static_argnums=0)


@pytest.mark.parametrize(
    "net, make",
    ((SMOOTH, curvature.label_probability), (RELU, curvature.cross_entropy)),
    ids=("smooth", "relu"),
)
def test_products_and_eigenpairs_are_those_of_the_hessian(net, make, monkeypatch) -> None:
    function = make(*net, 1)
    matrix = dense(function)
    v = jax.random.normal(jax.random.key(1), X.shape)
    product = np.ravel(jax.jit(partial(curvature.hessian_product, function))(X, v))
    assert np.allclose(product, matrix @ np.ravel(v), atol=1e-5)
    exact = np.linalg.eigvalsh(matrix)
    exact = exact[np.argsort(-np.abs(exact))][:3]
    for way in (curvature._dense, None):
        if way is None:  # Lanczos, however small
            monkeypatch.setattr(curvature, "_dense", lambda p, x: curvature._lanczos(p, x, 3, 0))
        values, basis = curvature.top_curvature(function, X, 3)
        assert np.allclose(values, exact, atol=2e-5)
        rows = np.asarray(basis, np.float64).reshape(3, D)
        assert np.allclose(rows @ rows.T, np.eye(3), atol=1e-5)
        assert np.allclose(matrix @ rows.T, rows.T * exact, atol=1e-4)


def test_a_plane_has_no_curvature_and_directions_all_the_same() -> None:
    values, basis = curvature.top_curvature(jnp.sum, jnp.ones((10, 10)), 3)
    assert not values.any()
    rows = np.asarray(basis).reshape(3, -1)
    assert np.allclose(rows @ rows.T, np.eye(3), atol=1e-5)


def test_gauss_newton_is_the_hessian_of_a_relu_network() -> None:
    values, basis = gauss_newton(*RELU, X)
    assert basis.shape == (CLASSES - 1, 3, 4)
    rows = np.asarray(basis, np.float64).reshape(-1, D)
    whole = (rows.T * np.asarray(values)) @ rows
    assert np.allclose(dense(curvature.cross_entropy(*RELU, 1)), whole, atol=1e-5)
    smooth = dense(curvature.cross_entropy(*SMOOTH, 1))
    values, basis = gauss_newton(*SMOOTH, X)
    rows = np.asarray(basis, np.float64).reshape(-1, D)
    assert not np.allclose(smooth, (rows.T * np.asarray(values)) @ rows, atol=1e-3)


def test_a_direction_of_low_curvature_is_flat() -> None:
    _, basis = gauss_newton(*RELU, X)
    picks = [curvature.low_curvature_direction(basis, jax.random.key(seed)) for seed in range(2)]
    matrix = dense(curvature.cross_entropy(*RELU, 0))
    for v in picks:
        assert float(jnp.linalg.norm(v)) == pytest.approx(1, abs=1e-6)
        assert np.allclose(np.tensordot(basis, v, axes=2), 0, atol=1e-6)
        assert abs(np.ravel(v) @ matrix @ np.ravel(v)) < 1e-5
    assert not np.allclose(*picks)


def test_vote_directions_are_those_of_the_whitened_gradients() -> None:
    law, (net, params) = aj.uniform, RELU
    scale = aj.Diagonal(theta=jnp.linspace(0.2, 1, D).reshape(X.shape))
    found = jax.jit(
        lambda x: leaning.vote_directions(
            net, params, x, jax.random.key(2), law=law, scale=scale, label=1, k=3, n=64
        )
    )(X)
    window = first_draws(jax.random.key(2), Phase.OPTIMISE, 0, 64)
    noise = standard_noise(law, window, X.shape)
    gradients = jax.vmap(jax.grad(curvature.label_probability(*RELU, 1)))
    rows = np.reshape(scale.theta * jax.jit(gradients)(X + scale.theta * noise), (64, D))
    exact, vectors = np.linalg.eigh(np.float64(rows.T) @ rows / 64)
    assert np.allclose(found[0], exact[::-1][:3], rtol=1e-4)
    basis = np.asarray(found[1]).reshape(3, D)
    assert np.allclose(np.abs(np.sum(basis * vectors.T[::-1][:3], axis=1)), 1, atol=1e-3)


def directions_of(x, n: int, k: int = 3):
    scale = aj.Isotropic(sigma=0.5)
    return leaning.vote_directions(
        *RELU, x, jax.random.key(2), law=aj.gaussian, scale=scale, label=1, k=k, n=n
    )


def test_gradients_made_a_few_at_a_time_lean_the_same_way(monkeypatch) -> None:
    """32 blocks of which 16 draws are taken each, against as many draws at once."""
    values, basis = jax.jit(lambda x: directions_of(x, 512))(X)
    monkeypatch.setattr(leaning, "_AT_ONCE", 16 * D)
    few, streamed = jax.jit(lambda x: directions_of(x, 512))(X)
    assert np.allclose(few, values, rtol=0.2)
    rows = np.asarray(streamed, np.float64).reshape(3, D)
    assert np.allclose(rows @ rows.T, np.eye(3), atol=1e-5)
    overlap = np.linalg.svd(rows @ np.asarray(basis).reshape(3, D).T)[1]
    assert overlap[0] > 0.99 and overlap[1] > 0.9


def test_images_of_224_x_224_x_3_take_memory_that_does_not_grow_with_draws() -> None:
    """As compiled; nothing is run."""
    d, k = 224 * 224 * 3, 9
    weights = jax.ShapeDtypeStruct((d, 2), jnp.float32)
    image = jax.ShapeDtypeStruct((224, 224, 3), jnp.float32)

    def call(weights, x, n):
        return leaning.vote_directions(
            lambda w, batch: batch.reshape(len(batch), -1) @ w, weights, x, jax.random.key(0),
            law=aj.gaussian, scale=aj.Isotropic(sigma=0.5), label=0, k=k, n=n,
        )  # fmt: skip

    used = []
    for n in (128, 1024):
        lowered = jax.jit(call, static_argnums=2).lower(weights, image, n)
        assert [part.shape for part in lowered.out_info] == [(k,), (k, 224, 224, 3)]
        used.append(lowered.compile().memory_analysis().temp_size_in_bytes)
    assert used[1] <= 1.01 * used[0] <= 4 * d * 300


def test_what_has_no_answer_is_refused() -> None:
    with pytest.raises(ValueError, match=r"k is 13, wanted 1 \.\. 12"):
        curvature.top_curvature(jnp.sum, X, 13)
    with pytest.raises(ValueError, match="has 2 directions of 2"):
        curvature.low_curvature_direction(jnp.eye(2), jax.random.key(0))
