"""Inputs cut into batches of one shape, and a batch laid out for every device."""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import Any, TypeVar

import jax
import numpy as np
from numpy.typing import NDArray

Tree = TypeVar("Tree")
Indices = NDArray[np.int64]


def batches_of(parts: Sequence[Indices], size: int, devices: int) -> Iterator[list[Indices]]:
    """Batches of each part by itself, as many together as there are devices.

    So a batch holds the same inputs whatever the devices, and whichever parts are there already.

    >>> [[b.tolist() for b in group] for group in batches_of([np.arange(5), np.arange(5, 7)], 2, 3)]
    [[[0, 1], [2, 3], [4]], [[5, 6]]]
    """
    every = chain.from_iterable(_split(part, size) for part in parts)
    while group := list(islice(every, devices)):
        yield group


def laid_out(batches: list[Indices], size: int, devices: int) -> tuple[Indices, Indices]:
    """(indices, asked): a full batch for every device, and the rows of it that are asked for.

    A ragged batch and a missing one are filled with what is there, so that there is one trace.

    >>> [values.tolist() for values in laid_out([np.array([3, 4]), np.array([5])], 2, 3)]
    [[3, 4, 5, 5, 5, 5], [0, 1, 2]]
    """
    filled = batches + batches[-1:] * (devices - len(batches))
    indices = [np.pad(batch, (0, size - len(batch)), mode="edge") for batch in filled]
    asked = [at * size + np.arange(len(batch)) for at, batch in enumerate(batches)]
    return np.concatenate(indices), np.concatenate(asked)


def row_of(batch: Tree, row: Any) -> Tree:
    """One row of every leaf of a batch."""
    one: Tree = jax.tree.map(lambda leaf: leaf[row], batch)
    return one


def _split(indices: Indices, size: int) -> Iterator[Indices]:
    return (indices[at : at + size] for at in range(0, len(indices), size))
