"""Residual networks as torch has them: the names of torchvision, and those of CIFAR networks."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.foreign.places import Layout, Place, Tensors

# Blocks of each stage; the CIFAR networks have three stages, those for ImageNet four.
BLOCKS = {
    "resnet18": (2, 2, 2, 2),
    "resnet20": (3, 3, 3),
    "resnet110": (18, 18, 18),
    "resnet50": (3, 4, 6, 3),
}


def layout(arch: str, tensors: Tensors) -> Layout:
    """Where the layers of a ResNet stand.

    The shortcuts are `downsample` or `shortcut`, the last layer is `fc` or `linear`. A network
    without a norm behind its first convolution (ANCER's ResNet-18) and one whose shortcuts have no
    weights (He et al.'s option A, zero-padded channels) are recognised by what the file lacks.
    """
    is_deep = arch == "resnet50"
    shortcut = "shortcut" if _any(tensors, ".shortcut.") else "downsample"
    pads = not is_deep and not _any(tensors, f".{shortcut}.") and _stage(tensors, 2) > 0
    stem_norm = "bn1" if _any(tensors, "bn1.", start=True) or arch != "resnet18" else None
    notes = ["there is no norm behind the first convolution"] if stem_norm is None else []
    notes += ["the shortcuts have no weights, channels are padded by zeros"] if pads else []
    places = [Place(ours="stem", theirs="conv1", norm=stem_norm)]
    places += _blocks(BLOCKS[arch], is_deep, None if pads else shortcut)
    last = "linear" if "linear.weight" in tensors else "fc"
    places.append(Place(ours="logits", theirs=last, kind="dense", has_bias=True))
    made = _padding(BLOCKS[arch], tensors) if pads else {}
    return Layout(places=tuple(places), made=made, notes=tuple(notes))


def arguments(arch: str, tensors: Tensors) -> dict[str, Any]:
    """The arguments of our network, read off the shapes."""
    stem = tensors["conv1.weight"].shape[-1]
    stages = range(1, len(BLOCKS[arch]) + 1)
    return {
        "widths": [len(tensors[f"layer{stage}.0.conv1.weight"]) for stage in stages],
        "stem": f"{stem}x{stem}",
    }


def _blocks(blocks: tuple[int, ...], is_deep: bool, shortcut: str | None) -> Iterator[Place]:
    parts = ("first", "second", "third")[: 2 + is_deep]
    for ours, theirs, is_first, stage in _numbered(blocks):
        for number, part in enumerate(parts, start=1):
            yield Place(
                ours=f"{ours}.{part}", theirs=f"{theirs}.conv{number}", norm=f"{theirs}.bn{number}"
            )
        if is_first and shortcut and (stage > 1 or is_deep):
            yield Place(
                ours=f"{ours}.shortcut",
                theirs=f"{theirs}.{shortcut}.0",
                norm=f"{theirs}.{shortcut}.1",
            )


def _numbered(blocks: tuple[int, ...]) -> Iterator[tuple[str, str, bool, int]]:
    """Our name and theirs of each block, whether it begins a stage, and which one."""
    count = 0
    for stage, size in enumerate(blocks, start=1):
        for number in range(size):
            yield f"blocks.{count}", f"layer{stage}.{number}", number == 0, stage
            count += 1


def _padding(blocks: tuple[int, ...], tensors: Tensors) -> dict[str, NDArray[np.float32]]:
    """Zero-padded channels of every second pixel as 1x1 convolutions, which they are."""
    made = {}
    for ours, theirs, is_first, stage in _numbered(blocks):
        if not is_first or stage == 1:
            continue
        cout, cin = tensors.get(f"{theirs}.conv1.weight", np.zeros((0, 0))).shape[:2]
        kernel = np.eye(cin, cout, (cout - cin) // 2, dtype=np.float32)
        made[f"{ours}.shortcut.kernel"] = kernel[None, None]
        made[f"{ours}.shortcut.bias"] = np.zeros(cout, np.float32)
    return made


def _any(tensors: Tensors, part: str, *, start: bool = False) -> bool:
    return any(name.startswith(part) if start else part in name for name in tensors)


def _stage(tensors: Tensors, stage: int) -> int:
    return sum(name.startswith(f"layer{stage}.") for name in tensors)
