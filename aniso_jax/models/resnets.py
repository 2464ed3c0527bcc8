"""Residual networks as certification uses them: batch norm folded away.

In eval mode a batch norm is an affine map of each channel, so convolution and norm together are one
convolution with a bias (`folding.py`). What is left is a plain function of its weights.
"""

import math
from collections.abc import Sequence
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from aniso_jax.models.blocks import Block, Bottleneck
from aniso_jax.models.convolution import Conv, max_pool_3x3
from aniso_jax.models.layers import Normalize, check_image

Numbers = float | Sequence[float]
Stem = Literal["3x3", "7x7"]


class ResNet(nnx.Module):  # type: ignore[misc]
    """A stem, stages of blocks each but the first halving the map, the mean over it, the logits.

    Args:
        shape: one image's shape (H, W, C).
        classes: the number of logits.
        blocks: how many blocks each stage has.
        widths: the channels of each stage.
        bottleneck: blocks of three convolutions, 1x1, 3x3, 1x1, and four times the channels.
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
        bottleneck: bool = False,
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
        kind = Bottleneck if bottleneck else Block
        self.blocks = nnx.List(_blocks(kind, blocks, widths, rngs))
        self.logits = nnx.Linear(widths[-1] * kind.EXPANSION, classes, rngs=rngs)

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
    blocks: Sequence[int] = (2, 2, 2, 2),
    widths: Sequence[int] = (64, 128, 256, 512),
    **kwargs: Any,
) -> ResNet:
    """ResNet-18: four stages of two blocks; `stem="7x7"` is the network published with ANCER.

    >>> len(nnx.eval_shape(lambda: resnet18((32, 32, 3), 10)).blocks)
    8
    """
    return ResNet(shape, classes, blocks=blocks, widths=widths, **kwargs)


def resnet50(
    shape: Sequence[int],
    classes: int,
    *,
    blocks: Sequence[int] = (3, 4, 6, 3),
    widths: Sequence[int] = (64, 128, 256, 512),
    stem: Stem = "7x7",
    **kwargs: Any,
) -> ResNet:
    """ResNet-50 for ImageNet, the stride in the 3x3 convolutions as in all torch weights.

    >>> len(nnx.eval_shape(lambda: resnet50((224, 224, 3), 1000)).blocks)
    16
    """
    return ResNet(
        shape, classes, blocks=blocks, widths=widths, stem=stem, bottleneck=True, **kwargs
    )


def _blocks(
    kind: type[Block] | type[Bottleneck],
    blocks: Sequence[int],
    widths: Sequence[int],
    rngs: nnx.Rngs,
) -> list[Block | Bottleneck]:
    """Every stage's blocks; all residuals together weigh as much as the stem does, at first."""
    gain = 1 / math.sqrt(sum(blocks))
    made: list[Block | Bottleneck] = []
    cin = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
        for number in range(count):
            stride = 2 if stage > 0 and number == 0 else 1
            made.append(kind(cin, width, stride, gain=gain, rngs=rngs))
            cin = width * kind.EXPANSION
    return made


def _check(shape: Sequence[int], blocks: Sequence[int], widths: Sequence[int], stem: str) -> None:
    check_image(shape)
    if len(blocks) != len(widths) or not blocks:
        raise ValueError(
            f"There are {len(widths)} widths for {len(blocks)} stages; give each stage one."
        )
    if stem not in ("3x3", "7x7"):
        raise ValueError(f"stem must be '3x3' or '7x7', got {stem!r}.")
