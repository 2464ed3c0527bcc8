"""Images, changes that hardly show, and what certifies them."""

from collections.abc import Iterable, Sequence
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

TIMES = 5
"""The change itself is drawn so many times as strong, around mid-grey."""

COLUMNS = 4
"""Images side by side, at most: the numbers below them need the room."""


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
    """A column an image, four side by side: x, x + delta, delta made visible, numbers below."""
    alt = (
        f"{len(found)} images above the same images after a change that hardly shows, outside the "
        f"isotropic and inside the {kind} {norm} region, and the change itself, made visible."
    )
    columns, bands = min(len(found), COLUMNS), -(-len(found) // COLUMNS)
    size = 1.85 * columns + 0.6, 7.4 * bands
    figure = Figure(figsize=size, label=alt)
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.985))  # titles need a little more
    grid = figure.subplots(4 * bands, columns, squeeze=False, height_ratios=(1, 1, 1, 0.7) * bands)
    for number in range(bands * columns):
        band, column = divmod(number, columns)
        cells = grid[4 * band : 4 * band + 4, column]
        if number < len(found):
            _column(found[number], kind, cells, named=column == 0)
        else:
            for ax in cells:
                ax.set_axis_off()
    return figure


def _column(change: Change, kind: str, cells: Iterable[Axes], *, named: bool) -> None:
    pictures = change.x, change.x + change.delta, 0.5 + TIMES * change.delta
    names = "x", "x + δ", f"δ, {TIMES} times as strong"
    first, *others, last = cells
    for picture, name, ax in zip(pictures, names, (first, *others), strict=True):
        plot_image(picture, ax).set_ylabel(name if named else "")
    first.set_title(f"label {change.label}", fontsize="small")
    _text(change, kind, last)


def _text(change: Change, kind: str, ax: Axes) -> None:
    ax.set_axis_off()
    lines = (
        (f"isotropic gauge {text_down(change.gauge_ball, 3)} > 1", METHOD["isotropic"]),
        (f"{kind} gauge {text_up(change.gauge_region, 3)} < 1", METHOD[kind]),
        (f"SSIM {text_down(change.similarity, 3)}", "black"),
        (f"{change.norm} length {change.length:.3f}", "black"),
        (f"no pixel by over {text_up(255 * change.largest, 0)}/255", "black"),
    )
    for row, (text, colour) in enumerate(lines):
        ax.text(
            0.5, 0.98 - 0.2 * row, text, color=colour, fontsize=8, ha="center", va="top",
            transform=ax.transAxes,
        )  # fmt: skip
