"""Images, changes that hardly show, and what certifies them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aniso_jax.report.maps import draw_image
from aniso_jax.report.palette import METHOD
from aniso_jax.report.rounding import text_down, text_up

Float64 = NDArray[np.float64]

TIMES = 10
"""The change itself is drawn so many times as strong, around mid-grey."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """An image x, a change of it, and how far that goes.

    Attributes:
      index: of the image in its data.
      label: certified.
      x, delta: (H, W, C).
      gauge_ball: of the change in the isotropic region; above 1 it lies outside.
      gauge_region: in the larger region; at most 1 inside.
      similarity: SSIM of x and x + delta.
      length: ||delta|| in the norm of the regions.
      norm: its name.
    """

    index: int
    label: int
    x: Float64
    delta: Float64
    gauge_ball: float
    gauge_region: float
    similarity: float
    length: float
    norm: str

    @property
    def largest(self) -> float:
        """The largest change of a pixel, whose range is 1."""
        return float(np.abs(self.delta).max())

    def numbers(self) -> dict[str, float]:
        """What is printed beside it."""
        return {
            "index": self.index,
            "label": self.label,
            "gauge in the isotropic region": self.gauge_ball,
            "gauge in the larger region": self.gauge_region,
            "SSIM": self.similarity,
            f"{self.norm} length": self.length,
            "largest change of a pixel": self.largest,
        }


def plot_image(image: Float64, ax: Axes | None = None) -> Any:
    """Draw an image (H, W, C) with values in [0, 1], C 1 or 3. Returns the axes."""
    ax = ax if ax is not None else Figure(figsize=(2, 2), layout="constrained").subplots()
    draw_image(ax, image)
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return ax


def changes_figure(found: Sequence[Change], *, kind: str, norm: str) -> Figure:
    """A column an image: x, x + delta, delta made visible, and the numbers below."""
    alt = (
        f"{len(found)} images above the same images after a change that hardly shows, outside the "
        f"isotropic and inside the {kind} {norm} region, and the change itself, made visible."
    )
    width = min(8.0, 1.9 * len(found) + 0.6)
    figure = Figure(figsize=(width, 8.2), layout="constrained", label=alt)
    grid = figure.subplots(4, len(found), squeeze=False, height_ratios=(1, 1, 1, 0.7))
    for column, change in zip(grid.T, found, strict=True):
        plot_image(change.x, column[0]).set_title(f"label {change.label}", fontsize="small")
        plot_image(change.x + change.delta, column[1])
        plot_image(0.5 + TIMES * change.delta / 2, column[2])
        _text(change, kind, column[3])
    for ax, name in zip(grid[:, 0], ("x", "x + δ", f"δ, {TIMES} times as strong"), strict=False):
        ax.set_ylabel(name)
    return figure


def _text(change: Change, kind: str, ax: Axes) -> None:
    ax.set_axis_off()
    lines = (
        (f"isotropic gauge {text_down(change.gauge_ball, 3)} > 1", METHOD["isotropic"]),
        (f"{kind} gauge {text_up(change.gauge_region, 3)} < 1", METHOD[kind]),
        (f"SSIM {change.similarity:.3f}", "black"),
        (f"{change.norm} length {change.length:.3f}", "black"),
        (f"no pixel by over {text_up(255 * change.largest, 0)}/255", "black"),
    )
    for row, (text, colour) in enumerate(lines):
        ax.text(
            0.5, 0.98 - 0.2 * row, text, color=colour, fontsize=8, ha="center", va="top",
            transform=ax.transAxes,
        )  # fmt: skip
