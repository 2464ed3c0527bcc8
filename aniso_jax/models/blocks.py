"""The blocks of residual networks; a batch norm that follows a convolution is folded into it."""

import jax
from flax import nnx
from jax import Array

from aniso_jax.models.convolution import Conv
from aniso_jax.models.layers import Affine


class Block(nnx.Module):  # type: ignore[misc]
    """relu(conv_3x3(relu(conv_3x3(x))) + shortcut(x)); the stride is the first convolution's.

    Where the shape changes the shortcut is a 1x1 convolution, else it is x itself.
    """

    EXPANSION = 1

    def __init__(self, cin: int, cout: int, stride: int, *, gain: float, rngs: nnx.Rngs) -> None:
        self.first = Conv(cin, cout, 3, stride, rngs=rngs)
        self.second = Conv(cout, cout, 3, gain=gain, rngs=rngs)
        changes = stride != 1 or cin != cout
        self.shortcut = Conv(cin, cout, 1, stride, gain=0.5**0.5, rngs=rngs) if changes else None

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), cout)."""
        y = self.second(jax.nn.relu(self.first(x)))
        return jax.nn.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class Bottleneck(nnx.Module):  # type: ignore[misc]
    """relu(conv_1x1(relu(conv_3x3(relu(conv_1x1(x))))) + shortcut(x)), four times wider outside.

    The stride is that of the 3x3 convolution, as in all published torch weights.
    """

    EXPANSION = 4

    def __init__(self, cin: int, width: int, stride: int, *, gain: float, rngs: nnx.Rngs) -> None:
        cout = self.EXPANSION * width
        self.first = Conv(cin, width, 1, rngs=rngs)
        self.second = Conv(width, width, 3, stride, rngs=rngs)
        self.third = Conv(width, cout, 1, gain=gain, rngs=rngs)
        changes = stride != 1 or cin != cout
        self.shortcut = Conv(cin, cout, 1, stride, gain=0.5**0.5, rngs=rngs) if changes else None

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), 4 width)."""
        y = jax.nn.relu(self.second(jax.nn.relu(self.first(x))))
        y = self.third(y)
        return jax.nn.relu(y + (x if self.shortcut is None else self.shortcut(x)))


class WideBlock(nnx.Module):  # type: ignore[misc]
    """conv_3x3(relu(conv_3x3(z))) + shortcut, with z = relu(affine(x)), Zagoruyko and Komodakis.

    Where the width changes the shortcut is a 1x1 convolution of z, else it is x. The norm before
    the sum's relu follows no convolution, so it stays, as an affine map of each channel.
    """

    def __init__(self, cin: int, cout: int, stride: int, *, gain: float, rngs: nnx.Rngs) -> None:
        self.norm = Affine(cin)
        self.first = Conv(cin, cout, 3, stride, rngs=rngs)
        self.second = Conv(cout, cout, 3, gain=gain, rngs=rngs)
        changes = cin != cout
        self.shortcut = Conv(cin, cout, 1, stride, gain=0.5**0.5, rngs=rngs) if changes else None

    def __call__(self, x: Array) -> Array:
        """Map (batch, H, W, cin) to (batch, ceil(H / stride), ceil(W / stride), cout)."""
        z = jax.nn.relu(self.norm(x))
        y = self.second(jax.nn.relu(self.first(z)))
        return y + (x if self.shortcut is None else self.shortcut(z))
