"""Words and what they become: the published generator, and variates to float32's precision."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.extend.random import threefry_2x32

import aniso_jax as aj
from aniso_jax.smoothing.flat import flat_batch
from aniso_jax.smoothing.noise import Phase, Window, standard_noise
from aniso_jax.smoothing.threefry import threefry, words
from aniso_jax.smoothing.variates import laplaces, normals, uniforms

ONES = 0xFFFFFFFF
PUBLISHED = [  # Random123's known answers for threefry2x32 with 20 rounds: counter, key, words
    ((0, 0), (0, 0), (0x6B200159, 0x99BA4EFE)),
    ((ONES, ONES), (ONES, ONES), (0x1CB996FC, 0xBB002BE7)),
    ((0x243F6A88, 0x85A308D3), (0x13198A2E, 0x03707344), (0xC4923A9C, 0x483DF7A0)),
]


@pytest.mark.parametrize(("counter", "key", "expected"), PUBLISHED)
def test_the_words_are_the_published_ones(counter, key, expected) -> None:
    found = threefry(jnp.asarray(key, jnp.uint32), *(jnp.uint32(word) for word in counter))
    assert tuple(int(word) for word in found) == expected


def test_the_words_are_those_of_jax() -> None:
    key, high, count = jax.random.key(11), np.array([3, 70_000], np.uint32), 1000
    first, second = words(key, high, jnp.arange(count, dtype=jnp.uint32))
    for block, number in enumerate(high):
        counters = jnp.concatenate([jnp.full(count, number), jnp.arange(count, dtype=jnp.uint32)])
        theirs = threefry_2x32(jax.random.key_data(key), counters)
        np.testing.assert_array_equal(np.concatenate([first[block], second[block]]), theirs)


def test_no_counter_comes_twice() -> None:
    with pytest.raises(ValueError, match="One counter reaches"):
        aj.gaussian.sample(jax.random.key(0), jnp.uint32(0), 2**20, 2**13)


@pytest.mark.parametrize("law", (aj.gaussian, aj.uniform, aj.laplace), ids=str)
@pytest.mark.parametrize("draws", (1, 3, 64))
def test_blocks_one_after_the_other_are_those_made_at_once(law, draws) -> None:
    key, numbers = jax.random.key(3), 5 + jnp.arange(4)
    window = Window(key=key, phase=Phase.SELECT, first=5, blocks=4, draws=draws)
    noise = jax.jit(lambda: standard_noise(law, window, (7, 11)))()
    sample = jax.jit(law.sample, static_argnums=(2, 3))
    at_once = sample(window.phase_key, numbers, draws, 77)
    np.testing.assert_array_equal(noise.ravel(), at_once.ravel())
    more = sample(window.phase_key, numbers, 64, 77)
    np.testing.assert_array_equal(at_once, more[:, :draws])


EDGES = np.array([0, 1, 2, 2**30 - 1, 2**30, 2**31 - 1, 2**31, 2**31 + 1, 3 * 2**30, ONES])


@pytest.fixture(scope="module")
def pairs() -> np.ndarray:
    """Two words each: the edges against each other, and many at random."""
    random = np.random.default_rng(0).integers(0, 2**32, (2, 100_000))
    return np.concatenate([np.stack(np.meshgrid(EDGES, EDGES)).reshape(2, -1), random], axis=1)


def test_normals_to_their_precision(pairs) -> None:
    found = np.array(jax.jit(normals)(*jnp.asarray(pairs, jnp.uint32)))
    fraction = (pairs[0].astype(np.float32) + np.float32(0.5)).astype(float) / 2**32
    radius = np.sqrt(-2 * np.log(fraction))  # of the word as float32 knows it
    quarter, rest = pairs[1] >> 30, (pairs[1] & (2**30 - 1)).astype(float)
    within = np.where(rest < 2**29, rest, rest - 2**30) / 2**30  # in quarters of a turn
    angle = (quarter + within) * np.pi / 2
    exact = radius * np.stack([np.cos(angle), np.sin(angle)])
    assert np.max(np.abs(found - exact) / np.maximum(radius, 1)) < 1.5e-6
    assert 6.6 < np.max(np.abs(found)) < 6.8


def test_uniforms_and_laplaces_to_their_precision(pairs) -> None:
    given = jnp.asarray(pairs, jnp.uint32)
    signed = np.where(pairs < 2**31, pairs, pairs - 2**32) / 2**31
    np.testing.assert_allclose(jax.jit(uniforms)(*given), signed, rtol=1e-7)
    size = -np.log(((2 * pairs) % 2**32 + 0.5) / 2**32)
    exact = np.where(pairs < 2**31, size, -size)
    np.testing.assert_allclose(jax.jit(laplaces)(*given), exact, atol=3e-7, rtol=3e-7)


@pytest.mark.parametrize("law", [aj.gaussian, aj.uniform, aj.laplace], ids=lambda law: law.name)
def test_fewer_draws_are_the_first_of_more(law) -> None:
    key, high = jax.random.key(2), np.array([4, 5])
    few, many = law.sample(key, high, 7, 3), law.sample(key, high, 64, 3)
    assert few.shape == (2, 7, 3)
    np.testing.assert_array_equal(few, many[:, :7])
    assert len(np.unique(many)) == many.size


def linear(params, batch):
    return batch @ params


def test_one_flat_batch_gives_the_same_logits() -> None:
    weights = jax.random.normal(jax.random.key(0), (3, 4, 2))
    batch = jax.random.normal(jax.random.key(1), (3, 5, 6, 4))
    flat = flat_batch(linear)
    nested = jax.vmap(jax.vmap(flat, in_axes=(None, 0)), in_axes=(None, 0))
    np.testing.assert_array_equal(nested(weights[0], batch), linear(weights[0], batch))
    own = jax.vmap(flat)(weights, batch[:, 0])  # each input its own network
    np.testing.assert_allclose(own, np.einsum("ink,ikc->inc", batch[:, 0], weights), rtol=1e-5)
    shared = jax.vmap(flat, in_axes=(0, None))(weights, batch[0, 0])
    np.testing.assert_allclose(shared, np.einsum("nk,ikc->inc", batch[0, 0], weights), rtol=1e-5)
