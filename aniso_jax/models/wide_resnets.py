"""Wide residual networks for 32x32 images (Zagoruyko and Komodakis 2016), norms before relu."""

import math
from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from aniso_jax.models.blocks import WideBlock
from aniso_jax.models.convolution import Conv
from aniso_jax.models.layers import Affine, Normalize, check_image

Numbers = float | Sequence[float]


class WideResNet(nnx.Module):  # type: ignore[misc]
    """A 3x3 stem, stages of `WideBlock`s, affine and relu, the mean over the map, the logits.

    Args:
        shape: one image's shape (H, W, C).
        classes: the number of logits.
        blocks: how many blocks each stage has.
        widths: the channels of the stem and of each stage.
        mean, std: normalisation of the channels, in input units.
        rngs: the key of the weights.

    Raises:
        ValueError: the shape is not that of an image, or the stages' blocks and widths differ.

    >>> net = WideResNet((8, 8, 3), 10, blocks=(1,), widths=(4, 6))
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
        mean: Numbers = 0.0,
        std: Numbers = 1.0,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        check_image(shape)
        _check(blocks, widths)
        rngs = rngs or nnx.Rngs(0)
        self.normalize = Normalize(mean, std)
        self.stem = Conv(shape[2], widths[0], 3, rngs=rngs)
        self.blocks = nnx.List(_blocks(blocks, widths, rngs))
        self.norm = Affine(widths[-1])
        self.logits = nnx.Linear(widths[-1], classes, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, C) to (batch, classes)."""
        y = self.stem(self.normalize(x))
        for block in self.blocks:
            y = block(y)
        y = jax.nn.relu(self.norm(y))
        logits: Array = self.logits(jnp.mean(y, axis=(1, 2)))
        return logits


def wide_resnet(
    shape: Sequence[int],
    classes: int,
    *,
    depth: int = 40,
    widths: Sequence[int] = (16, 32, 64, 128),
    mean: Numbers = 0.0,
    std: Numbers = 1.0,
    rngs: nnx.Rngs | None = None,
) -> WideResNet:
    """WRN-depth-k of depth 6 b + 4 in three stages of b blocks; widths (16, 16 k, 32 k, 64 k).

    As it stands it is WRN-40-2, the network of the l1 literature. Arguments are `WideResNet`'s.

    >>> len(nnx.eval_shape(lambda: wide_resnet((32, 32, 3), 10)).blocks)
    18
    """
    if depth < 10 or (depth - 4) % 6:
        raise ValueError(f"depth must be 6 b + 4 (10, 16, ..., 40), got {depth}.")
    blocks = ((depth - 4) // 6,) * 3
    return WideResNet(shape, classes, blocks=blocks, widths=widths, mean=mean, std=std, rngs=rngs)


def _blocks(blocks: Sequence[int], widths: Sequence[int], rngs: nnx.Rngs) -> list[WideBlock]:
    """Every stage's blocks; all residuals together weigh as much as the stem does, at first."""
    gain = 1 / math.sqrt(sum(blocks))
    made: list[WideBlock] = []
    cin = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths[1:], strict=True)):
        for number in range(count):
            stride = 2 if stage > 0 and number == 0 else 1
            made.append(WideBlock(cin, width, stride, gain=gain, rngs=rngs))
            cin = width
    return made


def _check(blocks: Sequence[int], widths: Sequence[int]) -> None:
    if len(widths) != len(blocks) + 1 or not blocks:
        raise ValueError(
            f"There are {len(widths)} widths for a stem and {len(blocks)} stages; give each one."
        )
    same = [stage for stage in range(1, len(blocks)) if widths[stage] == widths[stage + 1]]
    if same:
        raise ValueError(
            f"widths are {tuple(widths)}, with two stages of one width: the map halves only where "
            "the width changes, give each stage its own."
        )
