"""EfficientNet-Lite as the torch ports of the published weights have it."""

from collections.abc import Iterator
from typing import Any

from aniso_jax.models.efficientnets import STAGES
from aniso_jax.models.foreign.places import Layout, Place, Tensors

BLOCKS = {"efficientnet-lite0": (1, 2, 2, 3, 3, 4, 1)}
_EPSILON = 1e-3


def layout(arch: str, _tensors: Tensors) -> Layout:
    """Where the layers stand."""
    places = (
        Place(ours="stem", theirs="_conv_stem", norm="_bn0"),
        *_blocks(BLOCKS[arch]),
        Place(ours="head", theirs="_conv_head", norm="_bn1"),
        Place(ours="logits", theirs="_fc", kind="dense", has_bias=True),
    )
    return Layout(places=places, epsilon=_EPSILON)


def arguments(arch: str, tensors: Tensors) -> dict[str, Any]:
    """The arguments of our network, read off the shapes."""
    ends = [sum(BLOCKS[arch][: stage + 1]) - 1 for stage in range(len(BLOCKS[arch]))]
    names = ["_conv_stem", *(f"_blocks.{end}._project_conv" for end in ends), "_conv_head"]
    return {"widths": [len(tensors[f"{name}.weight"]) for name in names]}


def _blocks(blocks: tuple[int, ...]) -> Iterator[Place]:
    count = 0
    for (_size, _stride, expansion), repeats in zip(STAGES, blocks, strict=True):
        for _ in range(repeats):
            yield from _block(count, widens=expansion > 1)
            count += 1


def _block(count: int, *, widens: bool) -> Iterator[Place]:
    ours, theirs = f"blocks.{count}", f"_blocks.{count}"
    if widens:
        yield Place(ours=f"{ours}.expand", theirs=f"{theirs}._expand_conv", norm=f"{theirs}._bn0")
    yield Place(ours=f"{ours}.depthwise", theirs=f"{theirs}._depthwise_conv", norm=f"{theirs}._bn1")
    yield Place(ours=f"{ours}.project", theirs=f"{theirs}._project_conv", norm=f"{theirs}._bn2")
