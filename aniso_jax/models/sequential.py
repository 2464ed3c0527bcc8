"""Plain networks, one layer after another, as their description lists them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from aniso_jax.models.layers import Affine, Normalize

Numbers = float | Sequence[float]
Layer = Mapping[str, Any]


class Pool(nnx.Module):  # type: ignore[misc]
    """The maximum or the mean over windows of (batch, H, W, C); padding joins no maximum."""

    def __init__(self, *, kind: str, size: Any, stride: Any, pads: Any) -> None:
        self.is_max = kind == "max-pool"
        self.size, self.stride = (1, *size, 1), (1, *stride, 1)
        self.pads = ((0, 0), *(tuple(pad) for pad in pads), (0, 0))

    def __call__(self, x: Array) -> Array:
        """Pool a batch."""
        start, combine = (-jnp.inf, jax.lax.max) if self.is_max else (0.0, jax.lax.add)
        y = jax.lax.reduce_window(x, start, combine, self.size, self.stride, self.pads)
        pooled: Array = y if self.is_max else y / (self.size[1] * self.size[2])
        return pooled


class Step(nnx.Module):  # type: ignore[misc]
    """A layer without weights."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __call__(self, x: Array) -> Array:
        """Map a batch."""
        return STEPS[self.kind](x)


STEPS: dict[str, Callable[[Array], Array]] = {
    "relu": jax.nn.relu,
    "relu6": jax.nn.relu6,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "flatten": lambda x: x.reshape(x.shape[0], -1),
    "global-mean": lambda x: jnp.mean(x, axis=(1, 2)),
}


class Sequential(nnx.Module):  # type: ignore[misc]
    """A network for whatever is one chain of layers, such as what an ONNX file imports to.

    Args:
        shape: one input's shape.
        classes: the number of logits.
        layers: each a mapping with `kind`: `conv` (cin, cout, size, stride, pads, groups), `dense`
            (cin, cout), `affine` (channels), `max-pool` or `mean-pool` (size, stride, pads), or one
            without arguments: relu, relu6, tanh, sigmoid, flatten (rows, columns, channels),
            global-mean. Sizes and strides are (rows, columns), pads ((above, below),
            (left, right)).
        mean, std: normalisation of the last axis, in input units.
        rngs: the key of the weights.

    Raises:
        ValueError: a kind of layer that there is not.

    >>> layers = [{"kind": "flatten"}, {"kind": "dense", "cin": 4, "cout": 3}]
    >>> Sequential((2, 2, 1), 3, layers)(jnp.zeros((5, 2, 2, 1))).shape
    (5, 3)
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int,
        layers: Sequence[Layer],
        *,
        mean: Numbers = 0.0,
        std: Numbers = 1.0,
        rngs: nnx.Rngs | None = None,
    ) -> None:
        rngs = rngs or nnx.Rngs(0)
        self.normalize = Normalize(mean, std)
        self.layers = nnx.List([_made(layer, rngs) for layer in layers])

    def __call__(self, x: Array) -> Array:
        """Map (batch, *shape) to (batch, classes)."""
        y = self.normalize(x)
        for layer in self.layers:
            y = layer(y)
        return y


def _made(layer: Layer, rngs: nnx.Rngs) -> nnx.Module:
    arguments = dict(layer)
    kind = arguments.pop("kind")
    if kind == "conv":
        return _conv(**arguments, rngs=rngs)
    if kind == "dense":
        return nnx.Linear(arguments["cin"], arguments["cout"], rngs=rngs)
    if kind == "affine":
        return Affine(**arguments)
    if kind in ("max-pool", "mean-pool"):
        return Pool(kind=kind, **arguments)
    if kind not in STEPS:
        raise ValueError(
            f"There is no layer {kind!r}; choose conv, dense, affine, max-pool, mean-pool or one "
            f"of {', '.join(STEPS)}."
        )
    return Step(kind)


def _conv(
    *, cin: int, cout: int, size: Any, stride: Any, pads: Any, groups: int, rngs: nnx.Rngs
) -> nnx.Conv:
    return nnx.Conv(
        cin,
        cout,
        tuple(size),
        tuple(stride),
        padding=tuple(tuple(pad) for pad in pads),
        feature_group_count=groups,
        rngs=rngs,
    )
