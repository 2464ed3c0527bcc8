"""A graph of ONNX as far as it has been followed, and its operations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Constants = Mapping[str, NDArray[Any]]


class NotAChain(ValueError):
    """What stands in the way of reading a graph as one chain of layers."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation: its name, inputs, output and attributes."""

    op: str
    name: str
    inputs: tuple[str, ...]
    output: str
    values: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Chain:
    """The layers so far.

    Attributes:
        at: the name of the last layer's output.
        map: its shape (channels, rows, columns), or (features,).
        shape: an input's shape, channels last.
        layers, tensors: what `sequential` is built with, and its weights.
        flattened: the map that a dense layer finds flattened, until one has taken it.
        notes: what a reader should know.
    """

    at: str
    map: tuple[int, ...]
    shape: tuple[int, ...]
    layers: tuple[Mapping[str, Any], ...] = ()
    tensors: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    flattened: tuple[int, ...] | None = None
    notes: tuple[str, ...] = ()

    def then(self, kind: str, map_: Sequence[int] | None = None, **arguments: Any) -> "Chain":
        """The chain with one more layer."""
        layer = {"kind": kind, **arguments}
        return replace(self, layers=(*self.layers, layer), map=tuple(map_ or self.map))

    def weighted(self, **arrays: NDArray[Any]) -> "Chain":
        """The chain with (other) weights of its last layer."""
        name = f"layers.{len(self.layers) - 1}"
        made = {f"{name}.{key}": np.asarray(value, np.float32) for key, value in arrays.items()}
        return replace(self, tensors={**self.tensors, **made})
