"""A network's params, known by their hash, and when they need not be hashed again."""

import hashlib
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def weights_hash(params: Any) -> str:
    """SHA-256 of every weight with its place in the tree; says nothing of the architecture.

    Raises:
      ValueError: a leaf that is no array of numbers.
    """
    digest = hashlib.sha256()
    for place, leaf in jax.tree_util.tree_leaves_with_path(params):
        array = _numbers(leaf, jax.tree_util.keystr(place))
        digest.update(f"{jax.tree_util.keystr(place)} {array.shape} {array.dtype}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return f"params:{digest.hexdigest()}"


def _numbers(leaf: Any, place: str) -> np.ndarray[Any, Any]:
    dtype = leaf.dtype if hasattr(leaf, "dtype") else np.asarray(leaf).dtype
    if not jnp.issubdtype(dtype, np.number) and dtype != np.bool_:
        raise ValueError(
            f"weights holds no numbers at {place or 'its root'}, but {dtype}: give the params that "
            "the network computes with, and nothing else."
        )
    return np.asarray(leaf)


def name_of(weights: Any) -> str:
    """A network's name: the string that it is, or the hash of its params.

    Raises:
      ValueError: params without an array, which any network may have.
    """
    if isinstance(weights, str) and weights:
        return weights
    if isinstance(weights, str) or not jax.tree.leaves(weights):
        raise ValueError(
            "weights holds no array, so that nothing tells this network from another one: give "
            "the params that it computes with, or a string that names it and no other."
        )
    return weights_hash(weights)


@dataclass(frozen=True)
class Unchanging:
    """Arrays that cannot change in place, and the tree they make.

    Attributes:
      leaves: none where some can, as NumPy's do.
    """

    tree: Any = None
    leaves: tuple[jax.Array, ...] = ()

    @classmethod
    def of(cls, params: Any) -> "Unchanging":
        """The arrays of params, if all are JAX's."""
        leaves, tree = jax.tree.flatten(params)
        fixed = all(isinstance(leaf, jax.Array) for leaf in leaves)
        return cls(tree, tuple(leaves)) if fixed else cls()

    def are(self, others: "Unchanging") -> bool:
        """Whether both are the same arrays, which then need no other look."""
        if not self.leaves or not others.leaves or self.tree != others.tree:
            return False
        pairs = zip(self.leaves, others.leaves, strict=True)
        return all(one is other for one, other in pairs)
