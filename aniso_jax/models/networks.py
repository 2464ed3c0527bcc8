"""Networks in flax.nnx, NHWC, that return logits; `build` makes one by its name."""

import math
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

import jax
from flax import nnx
from jax import Array

from aniso_jax.models.efficientnets import EfficientNetLite
from aniso_jax.models.layers import ConvPool, Normalize, ReluConv, check_image
from aniso_jax.models.resnets import resnet, resnet18, resnet50
from aniso_jax.models.sequential import Sequential
from aniso_jax.models.wide_resnets import wide_resnet

Numbers = float | Sequence[float]


class MLP(nnx.Module):  # type: ignore[misc]
    """Dense layers with relu between them, on the flattened input.

    Args:
        shape: one input's shape, no batch axis.
        classes: the number of logits.
        hidden: the widths between input and logits.
        mean, std: normalisation of the last axis, in input units.
        rngs: the key of the weights.

    >>> MLP((2,), 3)(jax.numpy.zeros((5, 2))).shape
    (5, 3)
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int,
        hidden: Sequence[int] = (256, 256),
        *,
        mean: Numbers = 0.0,
        std: Numbers = 1.0,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        rngs = rngs or nnx.Rngs(0)
        self.normalize = Normalize(mean, std)
        widths = (math.prod(shape), *hidden)
        self.hidden = nnx.List([nnx.Linear(a, b, rngs=rngs) for a, b in pairwise(widths)])
        self.logits = nnx.Linear(widths[-1], classes, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Map (batch, *shape) to (batch, classes)."""
        y = self.normalize(x).reshape(x.shape[0], -1)
        for layer in self.hidden:
            y = jax.nn.relu(layer(y))
        logits: Array = self.logits(y)
        return logits


class CNN(nnx.Module):  # type: ignore[misc]
    """Two convolutional layers with relu, a dense layer with relu, the logits.

    `small_cnn` and `strided_cnn` make it; they differ in the layers.

    Args:
        layers: the two, made in this order from one stream of keys, so before the dense ones.
        features: the numbers that the second layer gives for one input.
        classes: the number of logits.
        hidden: the width of the dense layer.
        normalize: the first layer, in input units.
        rngs: the key of the weights.
    """

    def __init__(
        self,
        layers: tuple[nnx.Module, nnx.Module],
        features: int,
        classes: int,
        *,
        hidden: int,
        normalize: Normalize,
        rngs: nnx.Rngs,
    ) -> None:
        self.normalize = normalize
        self.first, self.second = layers
        self.hidden = nnx.Linear(features, hidden, rngs=rngs)
        self.logits = nnx.Linear(hidden, classes, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, C) to (batch, classes)."""
        y = self.second(self.first(self.normalize(x)))
        logits: Array = self.logits(jax.nn.relu(self.hidden(y.reshape(x.shape[0], -1))))
        return logits


def small_cnn(
    shape: Sequence[int],
    classes: int,
    channels: Sequence[int] = (16, 32),
    hidden: int = 64,
    *,
    mean: Numbers = 0.0,
    std: Numbers = 1.0,
    rngs: nnx.Rngs | None = None,
) -> CNN:
    """Two blocks of convolution 3x3, 2x2 pool and relu, a dense layer, then the logits.

    Args:
        shape: one image's shape (H, W, C), at least 4x4.
        classes: the number of logits.
        channels: the widths of the two convolutions.
        hidden: the width of the dense layer.
        mean, std: normalisation of the channels, in input units.
        rngs: the key of the weights.

    Raises:
        ValueError: the shape is not that of an image of at least 4x4 pixels.

    >>> jax.eval_shape(small_cnn((28, 28, 1), 10), jax.numpy.zeros((2, 28, 28, 1))).shape
    (2, 10)
    """
    check_image(shape, 4)
    first, second = channels
    rngs = rngs or nnx.Rngs(0)
    layers = ConvPool(shape[2], first, rngs=rngs), ConvPool(first, second, rngs=rngs)
    features = (shape[0] // 4) * (shape[1] // 4) * second
    normalize = Normalize(mean, std)
    return CNN(layers, features, classes, hidden=hidden, normalize=normalize, rngs=rngs)


def strided_cnn(
    shape: Sequence[int],
    classes: int,
    channels: Sequence[int] = (16, 32),
    hidden: int = 64,
    *,
    mean: Numbers = 0.0,
    std: Numbers = 1.0,
    rngs: nnx.Rngs | None = None,
) -> CNN:
    """Convolution 5x5 and convolution 3x3, both of stride 2 with relu, a dense layer, the logits.

    Strides instead of pools: about as accurate as `small_cnn` on digits, at twice its speed on CPU.
    The arguments and what is refused are `small_cnn`'s.

    >>> strided_cnn((28, 28, 1), 10)(jax.numpy.zeros((2, 28, 28, 1))).shape
    (2, 10)
    """
    check_image(shape, 4)
    first, second = channels
    rngs = rngs or nnx.Rngs(0)
    layers = (
        ReluConv(shape[2], first, (5, 5), strides=2, rngs=rngs),
        ReluConv(first, second, (3, 3), strides=2, rngs=rngs),
    )
    features = -(-shape[0] // 4) * -(-shape[1] // 4) * second
    normalize = Normalize(mean, std)
    return CNN(layers, features, classes, hidden=hidden, normalize=normalize, rngs=rngs)


ARCHITECTURES: dict[str, Callable[..., nnx.Module]] = {
    "mlp": MLP,
    "small-cnn": small_cnn,
    "strided-cnn": strided_cnn,
    "resnet18": resnet18,
    "resnet20": partial(resnet, depth=20),
    "resnet110": partial(resnet, depth=110),
    "resnet50": resnet50,
    "wrn-40-2": wide_resnet,
    "efficientnet-lite0": EfficientNetLite,
    "sequential": Sequential,
}


def build(arch: str, **kwargs: Any) -> nnx.Module:
    """Make a network by its name, with fresh weights.

    Args:
        arch: a name in `ARCHITECTURES`.
        kwargs: that network's arguments; every network takes `shape` and `classes`.

    Raises:
        ValueError: no network has that name, or it cannot take that shape.

    >>> type(build("mlp", shape=(2,), classes=2)).__name__
    'MLP'
    """
    if arch not in ARCHITECTURES:
        known = ", ".join(ARCHITECTURES)
        raise ValueError(f"arch {arch!r} is not a network that we have; choose one of {known}.")
    return ARCHITECTURES[arch](**kwargs)
