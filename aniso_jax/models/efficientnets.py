"""EfficientNet-Lite (no squeeze-and-excite, relu6) as certification uses it: batch norm folded."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from aniso_jax.models.layers import Normalize, check_image

Numbers = float | Sequence[float]

# Of each stage: kernel, stride of its first block, and by how much a block widens inside.
STAGES = ((3, 1, 1), (3, 2, 6), (5, 2, 6), (3, 2, 6), (5, 1, 6), (5, 2, 6), (3, 1, 6))


class InvertedBlock(nnx.Module):  # type: ignore[misc]
    """Widen by a 1x1, filter each channel by itself, narrow by a 1x1 convolution; relu6 between.

    The input is added where its shape is the output's. All padding is `SAME`, which for stride 2
    and an even map pads the far side only, as the published weights want it.
    """

    def __init__(
        self, cin: int, cout: int, *, size: int, stride: int, expansion: int, rngs: nnx.Rngs
    ) -> None:
        inner = cin * expansion
        self.adds = stride == 1 and cin == cout
        self.expand = nnx.Conv(cin, inner, (1, 1), rngs=rngs) if expansion > 1 else None
        self.depthwise = nnx.Conv(
            inner, inner, (size, size), stride, feature_group_count=inner, rngs=rngs
        )
        self.project = nnx.Conv(inner, cout, (1, 1), rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), cout)."""
        wide = x if self.expand is None else jax.nn.relu6(self.expand(x))
        y: Array = self.project(jax.nn.relu6(self.depthwise(wide)))
        return x + y if self.adds else y


class EfficientNetLite(nnx.Module):  # type: ignore[misc]
    """EfficientNet-Lite0 for ImageNet; the other Lites by their widths and blocks.

    Args:
        shape: one image's shape (H, W, C); 224x224 for the published weights.
        classes: the number of logits.
        widths: the channels of the stem, of the seven stages and of the last 1x1 convolution.
        blocks: how many blocks each of the seven stages has.
        mean, std: normalisation of the channels, in input units.
        rngs: the key of the weights.

    Raises:
        ValueError: the shape is not that of an image, or there are not seven stages.

    >>> net = nnx.eval_shape(lambda: EfficientNetLite((224, 224, 3), 1000))
    >>> len(net.blocks)
    16
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int,
        *,
        widths: Sequence[int] = (32, 16, 24, 40, 80, 112, 192, 320, 1280),
        blocks: Sequence[int] = (1, 2, 2, 3, 3, 4, 1),
        mean: Numbers = 0.0,
        std: Numbers = 1.0,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        check_image(shape)
        _check(widths, blocks)
        rngs = rngs or nnx.Rngs(0)
        self.normalize = Normalize(mean, std)
        self.stem = nnx.Conv(shape[2], widths[0], (3, 3), 2, rngs=rngs)
        self.blocks = nnx.List(_blocks(widths, blocks, rngs))
        self.head = nnx.Conv(widths[-2], widths[-1], (1, 1), rngs=rngs)
        self.logits = nnx.Linear(widths[-1], classes, rngs=rngs)

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, C) to (batch, classes)."""
        y = jax.nn.relu6(self.stem(self.normalize(x)))
        for block in self.blocks:
            y = block(y)
        y = jnp.mean(jax.nn.relu6(self.head(y)), axis=(1, 2))
        logits: Array = self.logits(y)
        return logits


def _blocks(widths: Sequence[int], blocks: Sequence[int], rngs: nnx.Rngs) -> list[InvertedBlock]:
    made: list[InvertedBlock] = []
    cin = widths[0]
    for (size, first, expansion), count, cout in zip(STAGES, blocks, widths[1:-1], strict=True):
        for number in range(count):
            stride = first if number == 0 else 1
            made.append(
                InvertedBlock(cin, cout, size=size, stride=stride, expansion=expansion, rngs=rngs)
            )
            cin = cout
    return made


def _check(widths: Sequence[int], blocks: Sequence[int]) -> None:
    if len(widths) != len(STAGES) + 2 or len(blocks) != len(STAGES):
        raise ValueError(
            f"EfficientNet-Lite has {len(STAGES)} stages between its stem and its head, got "
            f"{len(blocks)} blocks and {len(widths)} widths; give {len(STAGES)} and "
            f"{len(STAGES) + 2}."
        )
