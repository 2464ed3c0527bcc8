"""Orders that are fixed for ever, and in which every prefix and every stride mixes the classes."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def uniforms(n: int, seed: int) -> NDArray[np.float64]:
    """`n` numbers in [0, 1), the same in every NumPy: only raw bit streams are promised to last.

    Example:
        >>> uniforms(2, seed=0).round(4).tolist()
        [0.637, 0.2698]
    """
    bits = np.random.PCG64(seed).random_raw(n) >> np.uint64(11)
    return bits.astype(np.float64) * 2.0**-53


def shuffled(n: int, seed: int) -> NDArray[np.int64]:
    """The numbers below `n` in an order drawn from `seed`.

    Example:
        >>> shuffled(5, seed=0).tolist()
        [3, 2, 1, 0, 4]
    """
    return np.argsort(uniforms(n, seed), kind="stable").astype(np.int64)


def by_hash(names: Sequence[str]) -> list[str]:
    """`names` in the order of their SHA-256.

    Files are listed by class; taking one class after another would leave a prefix with one class,
    and dealing the classes out in turn would leave every tenth input with one class. This order
    depends on the names alone: not on the file system, and adding a file moves no other.

    Example:
        >>> by_hash(["cat/1", "cat/2", "dog/1", "dog/2"])
        ['cat/1', 'dog/1', 'dog/2', 'cat/2']
    """
    return sorted(names, key=lambda name: (hashlib.sha256(name.encode()).digest(), name))
