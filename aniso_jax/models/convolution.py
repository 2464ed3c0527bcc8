"""Convolutions that pad as torch does, fast on small maps, and the 3x3 max pool beside them."""

import math
from functools import reduce

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

# Up to this height and width every output of a 3x3 convolution sees every input; measured below.
_TINY = 2


class Conv(nnx.Module):  # type: ignore[misc]
    """An odd square convolution with bias, padded by size // 2 on every side, whatever the stride.

    (`SAME` of other frameworks shifts an even map by one pixel where the stride is 2.)
    """

    def __init__(
        self,
        cin: int,
        cout: int,
        size: int,
        stride: int = 1,
        *,
        gain: float = 1.0,
        rngs: nnx.Rngs,
    ) -> None:
        self.stride = stride
        std = gain * math.sqrt(2 / (size * size * cin))
        normal = jax.random.normal(rngs.params(), (size, size, cin, cout))
        self.kernel = nnx.Param(std * normal)
        self.bias = nnx.Param(jnp.zeros(cout))

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), cout)."""
        kernel = self.kernel[...]
        is_dense = max(x.shape[1:3]) <= _TINY and kernel.shape[0] == 3
        convolve = _dense if is_dense else _convolution
        y: Array = convolve(x, kernel, self.stride) + self.bias[...]
        return y


def max_pool_3x3(x: Array) -> Array:
    """3x3 max pooling of (batch, H, W, C), stride 2, padding 1.

    Maxima of strided slices, for the sake of the gradient: see `layers.max_pool`.

    >>> max_pool_3x3(jnp.arange(16.0).reshape(1, 4, 4, 1)).ravel().tolist()
    [5.0, 7.0, 13.0, 15.0]
    """
    pads = ((0, 0), (1, 1), (1, 1), (0, 0))
    padded = jnp.pad(x, pads, constant_values=-jnp.inf)
    h, w = x.shape[1], x.shape[2]
    rows = reduce(jnp.maximum, [padded[:, i : i + h : 2] for i in range(3)])
    return reduce(jnp.maximum, [rows[:, :, j : j + w : 2] for j in range(3)])


def _convolution(x: Array, kernel: Array, stride: int) -> Array:
    pad = kernel.shape[0] // 2
    return jax.lax.conv_general_dilated(
        x,
        kernel,
        (stride, stride),
        ((pad, pad), (pad, pad)),
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )


def _dense(x: Array, kernel: Array, stride: int) -> Array:
    """A 3x3 convolution on a map of at most 2x2 as one matrix product, nothing of it wasted.

    The tap from input (i, j) to output (p, q) is kernel[i - stride p + 1, j - stride q + 1].
    """
    batch, height, width, cin = x.shape
    rows, columns = -(-height // stride), -(-width // stride)
    down = jnp.arange(height)[:, None] - stride * jnp.arange(rows) + 1
    across = jnp.arange(width)[:, None] - stride * jnp.arange(columns) + 1
    taps = kernel[down[:, None, :, None], across[None, :, None, :]]
    matrix = jnp.transpose(taps, (0, 1, 4, 2, 3, 5)).reshape(height * width * cin, -1)
    return (x.reshape(batch, -1) @ matrix).reshape(batch, rows, columns, -1)
