"""The architectures that can be imported, and what is known of each."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aniso_jax.models.foreign import dense, efficient, residual, wide
from aniso_jax.models.foreign.places import Layout, Tensors

Shape = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Family:
    """How one architecture is read.

    Attributes:
        first: the tensor that begins it; what stands before this name is a prefix of all.
        layout: our layers and theirs, from the tensors without prefix and the inputs' shape.
        arguments: the arguments of our network besides shape and classes, off fitting tensors.
        side: rows and columns of an input, unless said otherwise.
    """

    first: str
    layout: Callable[[Tensors, Shape | None], Layout]
    arguments: Callable[[Tensors], dict[str, Any]]
    side: int | None = None


def _family(module: Any, arch: str, first: str, side: int) -> Family:
    return Family(
        first=first,
        layout=lambda tensors, _: module.layout(arch, tensors),
        arguments=lambda tensors: dict(module.arguments(arch, tensors)),
        side=side,
    )


FAMILIES: dict[str, Family] = {
    "resnet18": _family(residual, "resnet18", "conv1.weight", 32),
    "resnet20": _family(residual, "resnet20", "conv1.weight", 32),
    "resnet110": _family(residual, "resnet110", "conv1.weight", 32),
    "resnet50": _family(residual, "resnet50", "conv1.weight", 224),
    "wrn-40-2": _family(wide, "wrn-40-2", "conv1.weight", 32),
    "efficientnet-lite0": _family(efficient, "efficientnet-lite0", "_conv_stem.weight", 224),
    "mlp": Family(first="", layout=dense.layout, arguments=dense.arguments),
}


def without_prefix(arch: str, tensors: Tensors) -> tuple[dict[str, Any], str]:
    """The tensors by the network's own names, and what stood before them.

    Whatever wraps a network (DataParallel, a Sequential behind a normalisation, an attribute of a
    larger module) puts one prefix before the names of all its tensors. Others keep their names.

    >>> import numpy as np
    >>> w, mean = np.zeros((1, 1, 3, 3)), np.zeros(3)
    >>> without_prefix("resnet20", {"1.module.conv1.weight": w, "0.mean": mean})[0].keys()
    dict_keys(['conv1.weight', '0.mean'])
    """
    first = FAMILIES[arch].first
    ends = [name for name in tensors if first and (name == first or name.endswith(f".{first}"))]
    prefix = min(ends, key=len).removesuffix(first) if ends else ""
    return {name.removeprefix(prefix): value for name, value in tensors.items()}, prefix


def fitting(tensors: Tensors) -> list[str]:
    """The architectures whose every tensor is there and that leave none of their kind unused."""
    return [arch for arch in FAMILIES if arch != "mlp" and _fits(arch, tensors)]


def _fits(arch: str, tensors: Tensors) -> bool:
    own, _ = without_prefix(arch, tensors)
    names = FAMILIES[arch].layout(own, None).names
    unused = {name for name in own if name.endswith(".weight")} - names
    return names <= own.keys() and not unused
