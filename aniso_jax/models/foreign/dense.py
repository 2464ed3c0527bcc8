"""The multilayer perceptron: torch's dense layers in the order of the file."""

from typing import Any

from aniso_jax.models.foreign.places import Layout, Place, Tensors


def layout(tensors: Tensors, shape: tuple[int, ...] | None) -> Layout:
    """Dense layers with relu between them; torch flattens images channels first."""
    names = _layers(tensors)
    map_ = (shape[2], shape[0], shape[1]) if shape and len(shape) == 3 else None
    ours = [*(f"hidden.{i}" for i in range(len(names) - 1)), "logits"]
    places = [
        Place(ours=our, theirs=name, kind="dense", has_bias=True, from_map=None if i else map_)
        for i, (our, name) in enumerate(zip(ours, names or ["0"], strict=True))
    ]
    return Layout(places=tuple(places))


def arguments(tensors: Tensors) -> dict[str, Any]:
    """The widths between input and logits."""
    return {"hidden": [len(tensors[f"{name}.weight"]) for name in _layers(tensors)[:-1]]}


def _layers(tensors: Tensors) -> list[str]:
    weights = [name for name, value in tensors.items() if value.ndim == 2]
    return [name.removesuffix(".weight") for name in weights if name.endswith(".weight")]
