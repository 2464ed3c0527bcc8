"""Our weights as tensors of the modules in `torch_side/networks.py`, and what those modules are.

Kernels go from HWIO to OIHW, dense layers from (in, out) to (out, in), and the layer behind a
flattened map from (H, W, C) order to (C, H, W). A folded convolution comes back as a convolution
and a batch norm that only adds the bias.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.checkpoint import Model
from aniso_jax.models.tensors import flatten

Tensors = dict[str, NDArray[Any]]

# Where the layers of the two small networks stand in their torch Sequential.
_PLACES = {
    "small-cnn": {"first.conv": 1, "second.conv": 4, "hidden": 8, "logits": 10},
    "strided-cnn": {"first": 2, "second": 5, "hidden": 8, "logits": 10},
}
_EPSILON = 1e-5  # of the torch batch norms, taken off the variance so that they divide by one


def to_torch(model: Model, *, folded: bool = False) -> tuple[dict[str, Any], Tensors]:
    """The arguments of `networks.build`, and the state of what it builds.

    Args:
        model: a small-cnn, a strided-cnn or a residual network.
        folded: leave a residual network's convolutions folded instead of giving them batch norms.
    """
    ours = {name: np.asarray(value) for name, value in flatten(model.params).items()}
    depth = model.shape[2]
    spec: dict[str, Any] = {
        "shape": list(model.shape),
        "classes": model.classes,
        "mean": _channels(model.arch_kwargs.get("mean", 0.0), depth),
        "std": _channels(model.arch_kwargs.get("std", 1.0), depth),
    }
    if model.arch in _PLACES:
        return spec | {"arch": model.arch}, dict(_small(ours, model.arch, model.shape))
    if model.arch.startswith("resnet"):
        layout = resnet_layout(ours)
        state = dict(_resnet(ours, layout["stem"] == "7x7", folded))
        return spec | {"arch": "resnet", "folded": folded, **layout}, state
    raise ValueError(f"There is no torch twin of {model.arch}; give a small CNN or a ResNet.")


def resnet_layout(ours: Tensors) -> dict[str, Any]:
    """Stem, widths and blocks of a residual network, read off its weights."""
    widths, blocks = [ours["stem.bias"].size], [0]
    for number in range(_block_count(ours)):
        starts_stage = number > 0 and f"blocks.{number}.shortcut.bias" in ours
        if starts_stage:
            widths.append(ours[f"blocks.{number}.first.bias"].size)
            blocks.append(0)
        blocks[-1] += 1
    size = ours["stem.kernel"].shape[0]
    return {"stem": f"{size}x{size}", "widths": widths, "blocks": blocks}


def resnet_places(ours: Tensors, pools: bool) -> Iterator[tuple[str, str]]:
    """Our name and torch's of every convolution of a residual network."""
    yield "stem", "1"
    for number in range(_block_count(ours)):
        for part in ("first", "second", "shortcut"):
            if f"blocks.{number}.{part}.bias" in ours:
                yield f"blocks.{number}.{part}", f"{3 + pools + number}.{part}"


def logits_place(ours: Tensors, pools: bool) -> str:
    """Torch's name of a residual network's last layer; the mean and a flatten stand before it."""
    return str(3 + pools + _block_count(ours) + 2)


def _block_count(ours: Tensors) -> int:
    return sum(name.endswith(".second.bias") for name in ours)


def _resnet(ours: Tensors, pools: bool, folded: bool) -> Iterator[tuple[str, Any]]:
    for name, place in resnet_places(ours, pools):
        kernel, bias = ours[f"{name}.kernel"], ours[f"{name}.bias"]
        yield f"{place}.0.weight", kernel.transpose(3, 2, 0, 1)
        if folded:
            yield f"{place}.0.bias", bias
            continue
        yield f"{place}.1.weight", np.ones_like(bias)
        yield f"{place}.1.bias", bias
        yield f"{place}.1.running_mean", np.zeros_like(bias)
        yield f"{place}.1.running_var", np.full_like(bias, 1 - _EPSILON)
        yield f"{place}.1.num_batches_tracked", np.array(0)
    place = logits_place(ours, pools)
    yield f"{place}.weight", ours["logits.kernel"].T
    yield f"{place}.bias", ours["logits.bias"]


def _small(ours: Tensors, arch: str, shape: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    for name, place in _PLACES[arch].items():
        kernel = ours[f"{name}.kernel"]
        bias = ours.get(f"{name}.bias", ours.get(f"{name.removesuffix('.conv')}.bias"))
        if name == "hidden":
            kernel = _from_channels_first(kernel, shape)
        turned = kernel.transpose(3, 2, 0, 1) if kernel.ndim == 4 else kernel.T
        yield f"{place}.weight", turned
        yield f"{place}.bias", bias


def _from_channels_first(kernel: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """A dense kernel for a map flattened as (C, H, W), of one for (H, W, C)."""
    height, width = shape[0] // 4, shape[1] // 4
    by_pixel = kernel.reshape(height, width, -1, kernel.shape[-1])
    return by_pixel.transpose(2, 0, 1, 3).reshape(kernel.shape)


def _channels(values: Any, depth: int) -> list[float]:
    """One number for each channel."""
    return np.broadcast_to(np.asarray(values, np.float64), (depth,)).tolist()
