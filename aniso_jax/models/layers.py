"""The layers that our networks share: input normalisation, and a convolution with its pooling."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

# Up to this many input channels a 3x3 convolution is a matrix product of patches; measured below.
_THIN = 3


class Normalize(nnx.Module):  # type: ignore[misc]
    """(x - mean) / std on the last axis, inside the network, so that noise is in input units."""

    def __init__(self, mean: float | Sequence[float], std: float | Sequence[float]) -> None:
        # Tuples of floats are static: they are part of the architecture, never of the weights.
        self.mean, self.std = _floats(mean), _floats(std)
        if min(self.std) <= 0:
            raise ValueError(f"std must be positive, got {self.std}; pass the data's std, or 1.")

    def __call__(self, x: Array) -> Array:
        """Normalise a batch of any shape."""
        return (x - jnp.asarray(self.mean, x.dtype)) / jnp.asarray(self.std, x.dtype)


class Affine(nnx.Module):  # type: ignore[misc]
    """scale * x + bias for each channel: a batch norm in eval mode that nothing can absorb."""

    def __init__(self, channels: int) -> None:
        self.scale = nnx.Param(jnp.ones(channels))
        self.bias = nnx.Param(jnp.zeros(channels))

    def __call__(self, x: Array) -> Array:
        """Map a batch of any shape whose last axis is the channels."""
        y: Array = self.scale[...] * x + self.bias[...]
        return y


class ConvPool(nnx.Module):  # type: ignore[misc]
    """relu(max_pool_2x2(conv_3x3(x) + bias)), SAME padding; an odd last row or column is dropped.

    Inputs with up to three channels take a faster path to the same numbers (to float rounding):
    see `_thin_conv_pool`.
    """

    def __init__(self, cin: int, cout: int, *, rngs: nnx.Rngs) -> None:
        self.conv = nnx.Conv(cin, cout, (3, 3), use_bias=False, rngs=rngs)
        self.bias = nnx.Param(jnp.zeros(cout))

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, H // 2, W // 2, cout)."""
        if x.shape[-1] <= _THIN:
            y = _thin_conv_pool(x, self.conv.kernel[...])
        else:
            y = max_pool(self.conv(x))
        # The bias and relu are monotone, so they commute with the maximum: a quarter of the work.
        return jax.nn.relu(y + self.bias[...])


class ReluConv(nnx.Conv):  # type: ignore[misc]
    """A convolution with relu."""

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), cout)."""
        return jax.nn.relu(super().__call__(x))


def max_pool(x: Array) -> Array:
    """2x2 max pooling of (batch, H, W, C) with stride 2; an odd last row or column is dropped.

    Maxima of strided slices: their gradient is a select, where that of a window reduction is a
    scatter that XLA runs on one core (2.3 times slower, forward and backward of the small CNN).

    >>> max_pool(jnp.arange(9.0).reshape(1, 3, 3, 1)).ravel().tolist()
    [4.0]
    """
    x = x[:, : x.shape[1] // 2 * 2, : x.shape[2] // 2 * 2]
    rows = jnp.maximum(x[:, 0::2], x[:, 1::2])
    return jnp.maximum(rows[:, :, 0::2], rows[:, :, 1::2])


def _thin_conv_pool(x: Array, kernel: Array) -> Array:
    """max_pool(conv_3x3(x)) for few channels, as four matrix products.

    The four outputs under one pool all lie in a 4x4 window of the input. So: windows with stride 2,
    times the kernel at each of its four places, then the maximum. The full-size feature map is
    never written; 1.5 times the forward speed of the small CNN, 1.7 with the input's gradient.
    """
    windows = _windows(x)
    places = [_at_place(kernel, i, j) for i in (0, 1) for j in (0, 1)]
    a, b, c, d = (windows @ place for place in places)
    return jnp.maximum(jnp.maximum(a, b), jnp.maximum(c, d))


def _windows(x: Array) -> Array:
    """Map (b, H, W, c) to (b, H // 2, W // 2, 16 c), the 4x4 windows around each pooled pixel."""
    h, w = x.shape[1] // 2, x.shape[2] // 2
    padded = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    shifted = [padded[:, i : i + 2 * h : 2, j : j + 2 * w : 2] for i in range(4) for j in range(4)]
    return jnp.concatenate(shifted, axis=-1)


def _at_place(kernel: Array, row: int, column: int) -> Array:
    """Put a (3, 3, c, out) kernel into a 4x4 window at (row, column): a (16 c, out) matrix."""
    pads = ((row, 1 - row), (column, 1 - column), (0, 0), (0, 0))
    return jnp.pad(kernel, pads).reshape(-1, kernel.shape[-1])


def _floats(values: float | Sequence[float]) -> tuple[float, ...]:
    """Make a static tuple of a number or of several."""
    return (float(values),) if isinstance(values, int | float) else tuple(map(float, values))


def check_image(shape: Sequence[int], least: int = 1) -> None:
    """Refuse a shape that is not (H, W, C) with at least so many rows and columns."""
    if len(shape) != 3 or min(shape[:2]) < least:
        raise ValueError(
            f"A convolutional network wants images (H, W, C) of at least {least}x{least} pixels, "
            f"got shape {tuple(shape)}; use arch mlp for other inputs."
        )
