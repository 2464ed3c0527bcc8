"""The windows of ONNX's convolutions and pools: sizes, strides and padding."""

from collections.abc import Mapping, Sequence
from typing import Any

Pads = list[list[int]]


def windows(values: Mapping[str, Any], size: Sequence[int]) -> dict[str, list[int]] | None:
    """Size and stride, (rows, columns); None where the window is not over two axes, or dilated."""
    stride = list(values.get("strides", (1, 1)))
    if len(size) != 2 or set(values.get("dilations", (1, 1))) != {1}:
        return None
    return {"size": list(map(int, size)), "stride": stride}


def pads_of(
    values: Mapping[str, Any], window: Mapping[str, list[int]], side: Sequence[int]
) -> Pads:
    """((above, below), (left, right)); SAME_UPPER puts an odd row below, SAME_LOWER above."""
    auto = values.get("auto_pad", b"NOTSET").decode()
    if auto in ("NOTSET", "VALID"):
        above, left, below, right = (
            values.get("pads", (0, 0, 0, 0)) if auto == "NOTSET" else (0,) * 4
        )
        return [[above, below], [left, right]]
    pads = []
    for length, size, stride in zip(side, window["size"], window["stride"], strict=True):
        total = max((-(-length // stride) - 1) * stride + size - length, 0)
        small, large = total // 2, total - total // 2
        pads.append([small, large] if auto == "SAME_UPPER" else [large, small])
    return pads


def pooled(side: Sequence[int], window: Mapping[str, list[int]], pads: Pads) -> tuple[int, ...]:
    """Rows and columns of what comes out.

    >>> pooled((28, 28), {"size": [3, 3], "stride": [2, 2]}, [[1, 1], [1, 1]])
    (14, 14)
    """
    return tuple(
        (length + sum(pad) - size) // stride + 1
        for length, size, stride, pad in zip(
            side, window["size"], window["stride"], pads, strict=True
        )
    )
