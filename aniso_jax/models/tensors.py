"""Weights by name: flat dictionaries of a params pytree, and their fingerprint."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray


def flatten(params: Any) -> dict[str, Any]:
    """Name each leaf by its path.

    >>> flatten({"first": {"bias": 1, "kernel": 2}})
    {'first.bias': 1, 'first.kernel': 2}
    """
    leaves = jax.tree_util.tree_leaves_with_path(params)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def like(structure: Any, tensors: Mapping[str, NDArray[Any]]) -> Any:
    """Arrange named tensors as `structure` is; the inverse of `flatten`."""
    leaves = [jnp.asarray(tensors[name]) for name in flatten(structure)]
    return jax.tree.unflatten(jax.tree.structure(structure), leaves)


def not_finite(tensors: Mapping[str, NDArray[Any]]) -> list[str]:
    """Names of the tensors that hold a NaN or an infinity."""
    return [name for name, value in tensors.items() if not np.isfinite(value).all()]


def fingerprint(
    tensors: Mapping[str, NDArray[Any]], *, arch: str, arch_kwargs: Mapping[str, Any]
) -> str:
    """SHA-256 in hex over the architecture and the names, dtypes, shapes and bytes of tensors.

    >>> one = {"w": np.ones(3, np.float32)}
    >>> fingerprint(one, arch="mlp", arch_kwargs={})[:8]
    '0bf32990'
    """
    digest = hashlib.sha256(json.dumps([arch, dict(arch_kwargs)], sort_keys=True).encode())
    for name in sorted(tensors):
        value = tensors[name]
        digest.update(f"\0{name} {value.dtype.str} {value.shape}\0".encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    return digest.hexdigest()
