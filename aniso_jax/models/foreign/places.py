"""Where each of our layers stands in a foreign network, and our weights made of theirs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.folding import fold_batch_norm

Tensors = Mapping[str, NDArray[Any]]
_NORM = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of our layers and theirs.

    Attributes:
        ours: our layer's name.
        theirs: the name of their convolution or dense layer; of their norm, if ours is affine.
        norm: the batch norm behind their convolution, which is folded into ours.
        has_bias: whether their layer has a bias of its own.
        from_map: (channels, rows, columns) of the map that a dense layer has flattened before it.
    """

    ours: str
    theirs: str
    kind: Literal["conv", "dense", "affine"] = "conv"
    norm: str | None = None
    has_bias: bool = False
    from_map: tuple[int, int, int] | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The tensors that it is made of."""
        own = _NORM if self.kind == "affine" else ("weight", "bias")[: 1 + self.has_bias]
        of_norm = [f"{self.norm}.{part}" for part in _NORM] if self.norm else []
        return (*(f"{self.theirs}.{part}" for part in own), *of_norm)


@dataclass(frozen=True, kw_only=True)
class Layout:
    """A whole foreign network.

    Attributes:
        places: our layers and theirs.
        epsilon: of their batch norms.
        made: weights of ours that stand for something of theirs that has none.
        notes: what a reader should know, one sentence each.
    """

    places: tuple[Place, ...]
    epsilon: float = 1e-5
    made: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        """Every tensor that is used."""
        return {name for place in self.places for name in place.names}


def converted(layout: Layout, tensors: Tensors) -> dict[str, NDArray[np.float32]]:
    """Our weights, flat, by our names."""
    ours: dict[str, NDArray[np.float32]] = dict(layout.made)
    for place in layout.places:
        made = _affine if place.kind == "affine" else _linear
        first, second = made(place, tensors, layout.epsilon)
        name = "scale" if place.kind == "affine" else "kernel"
        ours[f"{place.ours}.{name}"] = np.ascontiguousarray(first, np.float32)
        ours[f"{place.ours}.bias"] = np.ascontiguousarray(second, np.float32)
    return ours


def _linear(place: Place, tensors: Tensors, epsilon: float) -> tuple[Any, Any]:
    """Kernel and bias of a convolution, (height, width, in, out), or a dense layer, (in, out)."""
    weight = tensors[f"{place.theirs}.weight"].astype(np.float64)
    kernel = weight.transpose(2, 3, 1, 0) if weight.ndim == 4 else weight.T
    if place.from_map:
        kernel = from_channels_first(kernel, place.from_map)
    bias = np.zeros(len(weight))
    if place.has_bias:
        bias = tensors[f"{place.theirs}.bias"].astype(np.float64)
    if place.norm is None:
        return kernel, bias
    scale, shift, mean, variance = _norm(place.norm, tensors)
    # The norm takes its mean off the convolution with its bias.
    return fold_batch_norm(
        kernel, weight=scale, bias=shift, mean=mean - bias, variance=variance, epsilon=epsilon
    )


def _affine(place: Place, tensors: Tensors, epsilon: float) -> tuple[Any, Any]:
    scale, shift, mean, variance = _norm(place.theirs, tensors)
    return fold_batch_norm(
        np.ones_like(scale), weight=scale, bias=shift, mean=mean, variance=variance, epsilon=epsilon
    )


def _norm(name: str, tensors: Tensors) -> list[NDArray[np.float64]]:
    return [tensors[f"{name}.{part}"].astype(np.float64) for part in _NORM]


def from_channels_first(kernel: NDArray[Any], map_: tuple[int, int, int]) -> NDArray[Any]:
    """A dense kernel for a map flattened as (rows, columns, channels), of one channels first.

    >>> from_channels_first(np.arange(4)[:, None], (2, 1, 2)).ravel().tolist()
    [0, 2, 1, 3]
    """
    return kernel.reshape(*map_, -1).transpose(1, 2, 0, 3).reshape(kernel.shape)


def joined(parts: Iterable[str], most: int = 6) -> str:
    """A list of names for a sentence, cut where it gets long.

    >>> joined(["a", "b", "c"], most=2)
    'a, b and 1 more'
    """
    names = sorted(parts)
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
