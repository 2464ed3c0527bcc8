"""Our networks as torch modules that end in a softmax, which is what the published packages expect.

The ResNets keep their batch norms, as the published ones do in eval mode; `folded=True` merges them
into the convolutions, which is faster than what users of those packages have.
"""

from typing import Any

import torch
from torch import nn

EPSILON = 1e-5


class Normalize(nn.Module):
    """(x - mean) / std of each channel."""

    def __init__(self, mean: list[float], std: list[float]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x - self.mean) / self.std


class ConvNorm(nn.Sequential):
    """A convolution and its batch norm, or one convolution with bias."""

    def __init__(self, cin: int, cout: int, size: int, stride: int, folded: bool) -> None:
        conv = nn.Conv2d(cin, cout, size, stride, size // 2, bias=folded)
        super().__init__(conv, *([] if folded else [nn.BatchNorm2d(cout, eps=EPSILON)]))


class Block(nn.Module):
    """The basic block of He et al., with a projection where the shape changes."""

    def __init__(self, cin: int, cout: int, stride: int, folded: bool) -> None:
        super().__init__()
        self.first = ConvNorm(cin, cout, 3, stride, folded)
        self.second = ConvNorm(cout, cout, 3, 1, folded)
        changes = stride != 1 or cin != cout
        self.shortcut = ConvNorm(cin, cout, 1, stride, folded) if changes else nn.Identity()
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.second(self.relu(self.first(x)))
        y += self.shortcut(x)
        return self.relu(y)


def build(
    *, arch: str, shape: list[int], classes: int, mean: list[float], std: list[float], **spec: Any
) -> nn.Sequential:
    """A network for images (H, W, C), by the name and arguments of ours; NCHW inputs."""
    if arch == "resnet":
        layers = _resnet(shape[2], classes, **spec)
    else:
        layers = {"small-cnn": _small, "strided-cnn": _strided}[arch](shape, classes)
    return nn.Sequential(Normalize(mean, std), *layers, nn.Softmax(dim=1)).eval()


def _small(shape: list[int], classes: int) -> list[nn.Module]:
    pixels = (shape[0] // 4) * (shape[1] // 4)
    return [
        *(nn.Conv2d(shape[2], 16, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(inplace=True), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(32 * pixels, 64), nn.ReLU(inplace=True), nn.Linear(64, classes)),
    ]


def _strided(shape: list[int], classes: int) -> list[nn.Module]:
    """Flax pads an even map on its far side only, where the stride is 2."""
    if shape[0] % 4 or shape[1] % 4:
        raise ValueError(f"strided-cnn is converted for sides that 4 divides, got {shape}.")
    pixels = (shape[0] // 4) * (shape[1] // 4)
    return [
        *(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(shape[2], 16, 5, stride=2), nn.ReLU(inplace=True)),
        *(nn.ZeroPad2d((0, 1, 0, 1)), nn.Conv2d(16, 32, 3, stride=2), nn.ReLU(inplace=True)),
        *(nn.Flatten(), nn.Linear(32 * pixels, 64), nn.ReLU(inplace=True), nn.Linear(64, classes)),
    ]


def _resnet(
    channels: int, classes: int, *, blocks: list[int], widths: list[int], stem: str, folded: bool
) -> list[nn.Module]:
    size, pools = int(stem[0]), stem == "7x7"
    layers: list[nn.Module] = [
        ConvNorm(channels, widths[0], size, 2 if pools else 1, folded),
        nn.ReLU(inplace=True),
    ]
    if pools:
        layers.append(nn.MaxPool2d(3, stride=2, padding=1))
    cin = widths[0]
    for stage, (count, width) in enumerate(zip(blocks, widths, strict=True)):
        for number in range(count):
            layers.append(Block(cin, width, 2 if stage and not number else 1, folded))
            cin = width
    return [*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(cin, classes)]
