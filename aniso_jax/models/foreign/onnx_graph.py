"""Follows a graph of ONNX from its input to its end, one layer after another."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.foreign.onnx_chain import Chain, Constants, Node, NotAChain
from aniso_jax.models.foreign.onnx_layers import LAYERS


def followed(
    start: str, map_: tuple[int, ...], nodes: Sequence[Node], constants: Constants
) -> Chain:
    """The chain from the input to the last node.

    Raises:
        NotAChain: a branch, or an operation that is not one of those below.
    """
    shape = (map_[1], map_[2], map_[0]) if len(map_) == 3 else map_
    chain, known = Chain(at=start, map=map_, shape=shape), dict(constants)
    for node in nodes:
        moving = [name for name in node.inputs if name and name not in known]
        if not moving:
            known[node.output] = _constant(node, known)
            continue
        if moving != [chain.at] or node.op not in LAYERS:
            raise NotAChain(f"{node.op} {node.name!r}")
        chain = replace(LAYERS[node.op](chain, node, known), at=node.output)
    if len(chain.map) != 1:
        raise NotAChain(f"it ends in a map of {chain.map}")
    return chain


def _constant(node: Node, known: Constants) -> NDArray[Any]:
    values = [known[name] for name in node.inputs if name]
    if node.op == "Constant" and "value" in node.values:
        return np.asarray(node.values["value"])
    if node.op == "Reshape":
        return values[0].reshape(values[1].tolist())
    if node.op == "Identity":
        return values[0]
    raise NotAChain(f"{node.op} {node.name!r} of constants")
