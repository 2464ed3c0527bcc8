"""Wide residual networks as torch has them: `block1.layer.0.bn1` and so on."""

from collections.abc import Iterator
from typing import Any

from aniso_jax.models.foreign.places import Layout, Place, Tensors

BLOCKS = {"wrn-40-2": 6}  # in each of the three stages


def layout(arch: str, tensors: Tensors) -> Layout:
    """Where the layers stand; the first norm of a block and the last of all stay affine."""
    places = [Place(ours="stem", theirs="conv1"), *_blocks(BLOCKS[arch], tensors)]
    places.append(Place(ours="norm", theirs="bn1", kind="affine"))
    places.append(Place(ours="logits", theirs="fc", kind="dense", has_bias=True))
    return Layout(places=tuple(places))


def arguments(arch: str, tensors: Tensors) -> dict[str, Any]:
    """The arguments of our network, read off the shapes."""
    stages = [len(tensors[f"block{stage}.layer.0.conv1.weight"]) for stage in (1, 2, 3)]
    return {"widths": [len(tensors["conv1.weight"]), *stages]}


def _blocks(size: int, tensors: Tensors) -> Iterator[Place]:
    for count in range(3 * size):
        ours, theirs = f"blocks.{count}", f"block{count // size + 1}.layer.{count % size}"
        yield Place(ours=f"{ours}.norm", theirs=f"{theirs}.bn1", kind="affine")
        yield Place(ours=f"{ours}.first", theirs=f"{theirs}.conv1", norm=f"{theirs}.bn2")
        yield Place(ours=f"{ours}.second", theirs=f"{theirs}.conv2")
        if count % size == 0 and _widens(tensors, f"{theirs}.conv1.weight"):
            yield Place(ours=f"{ours}.shortcut", theirs=f"{theirs}.convShortcut")


def _widens(tensors: Tensors, name: str) -> bool:
    shape = tensors[name].shape if name in tensors else (2, 1)
    return bool(shape[0] != shape[1])
