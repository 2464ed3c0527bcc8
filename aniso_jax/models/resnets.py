"""Residual networks for 32x32 images as certification uses them: batch norm folded away.

In eval mode a batch norm is an affine map of each channel, so convolution and norm together are one
convolution with a bias (`fold_batch_norm`). What is left is a plain function of its weights.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array
from numpy.typing import NDArray

from aniso_jax.models.convolution import Conv, max_pool_3x3
from aniso_jax.models.layers import Normalize

Numbers = float | Sequence[float]
Stem = Literal["3x3", "7x7"]


class Block(nnx.Module):  # type: ignore[misc]
    """relu(conv_3x3(relu(conv_3x3(x))) + shortcut(x)); the stride is the first convolution's.

    Where the shape changes the shortcut is a 1x1 convolution, else it is x itself.
    """

    def __init__(self, cin: int, cout: int, stride: int, *, gain: float, rngs: nnx.Rngs) -> None:
        self.first = Conv(cin, cout, 3, stride, rngs=rngs)
        self.second = Conv(cout, cout, 3, gain=gain, rngs=rngs)
        changes = stride != 1 or cin != cout
        self.shortcut = Conv(cin, cout, 1, stride, gain=0.5**0.5, rngs=rngs) if changes else None

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), cout)."""
        y = self.second(jax.nn.relu(self.first(x)))
        return jax.nn.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class ResNet(nnx.Module):  # type: ignore[misc]
    """A stem, stages of blocks each but the first halving the map, the mean over it, the logits.

    Args:
        shape: one image's shape (H, W, C).
        classes: the number of logits.
        blocks: how many blocks each stage has.
        widths: the channels of each stage.
        stem: "3x3", one convolution; "7x7", one of stride 2 and a 3x3 max pool of stride 2.
        mean, std: normalisation of the channels, in input units.
        rngs: the key of the weights.

    Raises:
        ValueError: the shape is not that of an image, or the stages' blocks and widths differ.

    >>> net = ResNet((8, 8, 3), 10, blocks=(1,), widths=(4,))
    >>> jax.eval_shape(net, jax.numpy.zeros((2, 8, 8, 3))).shape
    (2, 10)
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int,
        *,
        blocks: Sequence[int],
        widths: Sequence[int],
        stem: Stem = "3x3",
        mean: Numbers = 0.0,
        std: Numbers = 1.0,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        _check(shape, blocks, widths, stem)
        rngs = rngs or nnx.Rngs(0)
        self.pools = stem == "7x7"
        self.normalize = Normalize(mean, std)
        self.stem = Conv(shape[2], widths[0], int(stem[0]), 2 if self.pools else 1, rngs=rngs)
        self.blocks = nnx.List(_blocks(blocks, widths, rngs))
        self.logits = nnx.Linear(widths[-1], classes, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, C) to (batch, classes)."""
        y = jax.nn.relu(self.stem(self.normalize(x)))
        y = max_pool_3x3(y) if self.pools else y
        for block in self.blocks:
            y = block(y)
        logits: Array = self.logits(jnp.mean(y, axis=(1, 2)))
        return logits


def resnet(
    shape: Sequence[int],
    classes: int,
    *,
    depth: int,
    widths: Sequence[int] = (16, 32, 64),
    **kwargs: Any,
) -> ResNet:
    """He et al.'s networks for CIFAR: depth 6 k + 2 in three stages of k blocks.

    Depth 110 is the network of the smoothing literature. Further arguments are `ResNet`'s.

    >>> len(nnx.eval_shape(lambda: resnet((32, 32, 3), 10, depth=20)).blocks)
    9
    """
    if depth < 8 or (depth - 2) % 6:
        raise ValueError(f"depth must be 6 k + 2 (8, 14, 20, ..., 110), got {depth}.")
    return ResNet(shape, classes, blocks=((depth - 2) // 6,) * 3, widths=widths, **kwargs)


def resnet18(
    shape: Sequence[int],
    classes: int,
    *,
    widths: Sequence[int] = (64, 128, 256, 512),
    **kwargs: Any,
) -> ResNet:
    """ResNet-18: four stages of two blocks; `stem="7x7"` is the network published with ANCER.

    >>> len(nnx.eval_shape(lambda: resnet18((32, 32, 3), 10)).blocks)
    8
    """
    return ResNet(shape, classes, blocks=(2,) * 4, widths=widths, **kwargs)


def fold_batch_norm(
    kernel: NDArray[Any],
    *,
    weight: NDArray[Any],
    bias: NDArray[Any],
    mean: NDArray[Any],
    variance: NDArray[Any],
    epsilon: float = 1e-5,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of one convolution that does what a convolution and its batch norm do.

    k' = k w / sqrt(variance + epsilon), b' = bias - mean w / sqrt(variance + epsilon), in float64.

    Args:
        kernel: (height, width, cin, cout), of a convolution without bias.
        weight, bias, mean, variance: (cout,), the batch norm's, with its running statistics.
        epsilon: what keeps the division finite.

    >>> one = np.ones(1)
    >>> kernel, bias = fold_batch_norm(np.ones((1, 1, 1, 1)), weight=2 * one, bias=one, mean=one,
    ...                                variance=4 * one, epsilon=0.0)
    >>> kernel.item(), bias.item()
    (1.0, 0.0)
    """
    rate = np.asarray(weight, np.float64) / np.sqrt(np.asarray(variance, np.float64) + epsilon)
    return (kernel * rate).astype(np.float32), (bias - mean * rate).astype(np.float32)


def _blocks(blocks: Sequence[int], widths: Sequence[int], rngs: nnx.Rngs) -> list[Block]:
    """Every stage's blocks; all residuals together weigh as much as the stem does, at first."""
    gain = 1 / math.sqrt(sum(blocks))
    made: list[Block] = []
    cin = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
        for number in range(count):
            stride = 2 if stage > 0 and number == 0 else 1
            made.append(Block(cin, width, stride, gain=gain, rngs=rngs))
            cin = width
    return made


def _check(shape: Sequence[int], blocks: Sequence[int], widths: Sequence[int], stem: str) -> None:
    if len(shape) != 3:
        raise ValueError(
            f"A residual network wants images (H, W, C), got shape {tuple(shape)}; use arch mlp "
            "for other inputs."
        )
    if len(blocks) != len(widths) or not blocks:
        raise ValueError(
            f"There are {len(widths)} widths for {len(blocks)} stages; give each stage one."
        )
    if stem not in ("3x3", "7x7"):
        raise ValueError(f"stem must be '3x3' or '7x7', got {stem!r}.")
