import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import linen, nnx

from aniso_jax.models import layers
from aniso_jax.models.layers import ConvPool, max_pool
from aniso_jax.models.networks import build


def images(shape: tuple[int, ...]) -> jax.Array:
    return jax.random.normal(jax.random.key(1), shape)


@pytest.mark.parametrize("size", [(4, 4), (5, 8), (7, 9)])
def test_pool_is_the_window_maximum(size: tuple[int, int]) -> None:
    x = images((2, *size, 3))
    window = jax.jit(lambda x: linen.max_pool(x, (2, 2), (2, 2)))
    np.testing.assert_array_equal(jax.jit(max_pool)(x), window(x))


@pytest.mark.parametrize(("size", "channels"), [((8, 8), 1), ((9, 7), 3)])
def test_thin_path_is_the_convolution(
    size: tuple[int, int], channels: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = ConvPool(channels, 4, rngs=nnx.Rngs(0))

    def loss(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = block(x)
        return jnp.sum(y**2), y

    x = images((3, *size, channels))
    gradient, y = jax.jit(jax.grad(loss, has_aux=True))(x)
    monkeypatch.setattr(layers, "_THIN", 0)
    other_gradient, other_y = jax.jit(lambda x: jax.grad(loss, has_aux=True)(x))(x)
    np.testing.assert_allclose(y, other_y, atol=1e-5)
    np.testing.assert_allclose(gradient, other_gradient, atol=1e-4)


@pytest.mark.parametrize("arch", ["mlp", "small-cnn"])
def test_blocks_have_the_same_bits_alone_and_in_a_chunk(arch: str) -> None:
    net = build(arch, shape=(28, 28, 1), classes=10)
    answer = nnx.jit(lambda net, x: net(x))
    x = images((256, 28, 28, 1))
    alone = jnp.concatenate([answer(net, block) for block in x.reshape(4, 64, 28, 28, 1)])
    np.testing.assert_array_equal(alone, answer(net, x))


def test_normalisation_is_inside_and_by_channel() -> None:
    kwargs = {"shape": (8, 8, 3), "classes": 2}
    plain = build("small-cnn", **kwargs)
    inside = build("small-cnn", **kwargs, mean=(0.1, 0.2, 0.3), std=(1.0, 2.0, 4.0))
    x = images((2, 8, 8, 3))
    outside = (x - np.array([0.1, 0.2, 0.3], "f")) / np.array([1.0, 2.0, 4.0], "f")
    answer = nnx.jit(lambda net, x: net(x))
    np.testing.assert_allclose(answer(inside, x), answer(plain, outside), atol=1e-6)


@pytest.mark.parametrize(
    ("arch", "kwargs", "says"),
    [
        ("resnet", {"shape": (8, 8, 1)}, "choose one of mlp, small-cnn"),
        ("small-cnn", {"shape": (2,)}, "use arch mlp"),
        ("small-cnn", {"shape": (3, 8, 1)}, "at least 4x4"),
        ("mlp", {"shape": (2,), "std": 0.0}, "std must be positive"),
    ],
)
def test_refused(arch: str, kwargs: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        build(arch, classes=2, **kwargs)
