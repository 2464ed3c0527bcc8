"""Operations of ONNX as layers of a chain, channels last; linear ones are merged."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.foreign.onnx_chain import Chain, Constants, Node, NotAChain
from aniso_jax.models.foreign.onnx_windows import pads_of, pooled, windows
from aniso_jax.models.foreign.places import from_channels_first


def _conv(chain: Chain, node: Node, known: Constants) -> Chain:
    weight = known[node.inputs[1]]
    window = windows(node.values, weight.shape[2:])
    if weight.ndim != 4 or len(chain.map) != 3 or window is None:
        raise NotAChain(f"Conv {node.name!r} that is dilated or not over two axes")
    pads = pads_of(node.values, window, chain.map[1:])
    cout, groups = len(weight), int(node.values.get("group", 1))
    bias = known[node.inputs[2]] if len(node.inputs) > 2 else np.zeros(cout)
    map_ = (cout, *pooled(chain.map[1:], window, pads))
    after = chain.then(
        "conv", map_, cin=chain.map[0], cout=cout, **window, pads=pads, groups=groups
    )
    return after.weighted(kernel=weight.transpose(2, 3, 1, 0), bias=bias)


def _pool(chain: Chain, node: Node, _known: Constants) -> Chain:
    window = windows(node.values, node.values["kernel_shape"])
    if len(chain.map) != 3 or window is None or node.values.get("ceil_mode"):
        raise NotAChain(f"{node.op} {node.name!r} that is dilated, rounded up or not over two axes")
    pads = pads_of(node.values, window, chain.map[1:])
    is_mean = node.op == "AveragePool"
    if is_mean and np.any(pads) and not node.values.get("count_include_pad"):
        raise NotAChain(f"AveragePool {node.name!r} that does not count its padding")
    map_ = (chain.map[0], *pooled(chain.map[1:], window, pads))
    return chain.then("mean-pool" if is_mean else "max-pool", map_, **window, pads=pads)


def _global_mean(chain: Chain, node: Node, _known: Constants) -> Chain:
    if len(chain.map) != 3:
        raise NotAChain(f"GlobalAveragePool {node.name!r} of a vector")
    return chain.then("global-mean", chain.map[:1])


def _flatten(chain: Chain, node: Node, known: Constants) -> Chain:
    """To (batch, features): by Flatten, or by a Reshape that comes to the same."""
    features = int(np.prod(chain.map))
    if node.op == "Reshape":
        wanted = known[node.inputs[1]].tolist()
        if len(wanted) != 2 or wanted[1] not in (-1, features):
            raise NotAChain(f"Reshape {node.name!r} to {wanted}")
    elif node.values.get("axis", 1) != 1:
        raise NotAChain(f"Flatten {node.name!r} of another axis")
    if len(chain.map) == 1:
        return chain
    return replace(chain.then("flatten", (features,)), flattened=chain.map)


def _dense(chain: Chain, node: Node, known: Constants) -> Chain:
    plain = node.values.get("alpha", 1) == node.values.get("beta", 1) == 1
    if node.inputs[0] != chain.at or len(chain.map) != 1 or not plain or node.values.get("transA"):
        raise NotAChain(f"{node.op} {node.name!r}")
    kernel = known[node.inputs[1]]
    kernel = kernel.T if node.values.get("transB") else kernel
    if chain.flattened:
        channels, rows, columns = chain.flattened
        kernel = from_channels_first(kernel, (channels, rows, columns))
    cin, cout = kernel.shape
    bias = known[node.inputs[2]].ravel() if len(node.inputs) > 2 else np.zeros(cout)
    after = replace(chain, flattened=None).then("dense", (cout,), cin=cin, cout=cout)
    return after.weighted(kernel=kernel, bias=np.broadcast_to(bias, (cout,)))


def _norm(chain: Chain, node: Node, known: Constants) -> Chain:
    if node.values.get("training_mode"):
        raise NotAChain(f"BatchNormalization {node.name!r} in training mode")
    weight, bias, mean, variance = (known[name].astype(np.float64) for name in node.inputs[1:5])
    rate = weight / np.sqrt(variance + node.values.get("epsilon", 1e-5))
    return _scaled(chain, rate, bias - mean * rate)


def _by_constant(chain: Chain, node: Node, known: Constants) -> Chain:
    """Sum, difference, product or quotient of the map and one number for each channel."""
    is_first = node.inputs[0] == chain.at
    value = _by_channel(chain, known[node.inputs[1 if is_first else 0]])
    if value is None or (node.op in ("Sub", "Div") and not is_first):
        raise NotAChain(f"{node.op} {node.name!r} that is not by a number for each channel")
    one, zero = np.ones_like(value), np.zeros_like(value)
    scale = {"Mul": value, "Div": one / value if node.op == "Div" else one}.get(node.op, one)
    shift = {"Add": value, "Sub": -value}.get(node.op, zero)
    return _scaled(chain, scale, shift)


def _by_channel(chain: Chain, constant: NDArray[Any]) -> NDArray[np.float64] | None:
    """A constant as one number for each channel; None if it is not that."""
    try:
        full = np.broadcast_to(constant.astype(np.float64), (1, *chain.map))
    except ValueError:
        return None
    rows = full.reshape(1, -1) if chain.flattened else full.reshape(chain.map[0], -1)
    same = bool((rows == rows[:, :1]).all())
    return np.broadcast_to(rows[:, 0], chain.map[:1]) if same else None


def _scaled(chain: Chain, scale: NDArray[Any], shift: NDArray[Any]) -> Chain:
    """scale * y + shift for each channel, inside the layer before it where that is linear."""
    name = f"layers.{len(chain.layers) - 1}"
    kind = chain.layers[-1]["kind"] if chain.layers else ""
    if kind in ("conv", "dense"):
        kernel, bias = (chain.tensors[f"{name}.{part}"] for part in ("kernel", "bias"))
        return chain.weighted(kernel=kernel * scale, bias=bias * scale + shift)
    if kind == "affine":
        before, bias = (chain.tensors[f"{name}.{part}"] for part in ("scale", "bias"))
        return chain.weighted(scale=before * scale, bias=bias * scale + shift)
    return chain.then("affine", channels=len(scale)).weighted(scale=scale, bias=shift)


def _clip(chain: Chain, node: Node, known: Constants) -> Chain:
    ends = [float(known[name]) for name in node.inputs[1:] if name]
    ends = ends or [float(node.values.get(name, np.nan)) for name in ("min", "max")]
    if ends != [0.0, 6.0]:
        raise NotAChain(f"Clip {node.name!r} to {ends}")
    return chain.then("relu6")


def _softmax(chain: Chain, node: Node, _known: Constants) -> Chain:
    note = f"it ends in {node.op} {node.name!r}, which is left off, since logits are wanted"
    return replace(chain, notes=(*chain.notes, note))


LAYERS: dict[str, Callable[[Chain, Node, Constants], Chain]] = {
    "Conv": _conv,
    "MaxPool": _pool,
    "AveragePool": _pool,
    "GlobalAveragePool": _global_mean,
    "Flatten": _flatten,
    "Reshape": _flatten,
    "Gemm": _dense,
    "MatMul": _dense,
    "BatchNormalization": _norm,
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), _by_constant),
    **{
        op: lambda chain, node, _: chain.then(node.op.lower()) for op in ("Relu", "Tanh", "Sigmoid")
    },
    "Clip": _clip,
    **dict.fromkeys(("Identity", "Dropout"), lambda chain, _node, _known: chain),
    **dict.fromkeys(("Softmax", "LogSoftmax"), _softmax),
}
