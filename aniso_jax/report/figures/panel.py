"""One plane: what the network says there, and the regions that it cuts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.lines import Line2D
from matplotlib.patches import Polygon
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from aniso_jax.report.palette import LINE, METHOD

Float64 = NDArray[np.float64]

PAPER = LinearSegmentedColormap.from_list("paper", ["#9A9A9A", "#FFFFFF"])
"""f^y from 0 (grey) to 1 (white): no outline's colour is lost on either."""

WIDTH = {"fixed": 1.2, "isotropic": 1.2, "anisotropic": 2.1, "rotated": 3.2}
"""Wider below, narrower above: outlines that coincide are all seen."""

_LEGEND_WIDTH = 2.2

SHADOW = {"gaussian": "--", "uniform": "-.", "laplace": "-."}
BALL = "black"


@dataclass(frozen=True, kw_only=True)
class Landscape:
    """What a network says on a grid of a plane, rows from below.

    Attributes:
      confidence: (H, W), the probability f^y of the class y at the center.
      margin: (H, W), above 0 where y is what it answers, below where another class is.
      extent: left, right, bottom and top, in units of the input.
    """

    confidence: Float64
    margin: Float64
    extent: tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A landscape with the outlines of regions over it.

    Attributes:
      title: what plane it is.
      law: gaussian, uniform or laplace; it decides the line.
      outlines: method -> (N, 2) points, in the plane's coordinates.
      labels: method -> what the legend says of it.
      shadows: method -> outline of the projection, where it is not the section.
      center: the input.
      ball: radius of the worst-case ball, if it is to be drawn.
      axes: names of the two axes, with their unit.
      measure: what the numbers in the labels are.
    """

    title: str
    law: str
    landscape: Landscape
    outlines: Mapping[str, Float64]
    labels: Mapping[str, str]
    shadows: Mapping[str, Float64] = field(default_factory=dict)
    center: tuple[float, float] = (0.0, 0.0)
    ball: float | None = None
    axes: tuple[str, str] = ("$x_1$", "$x_2$")
    measure: str | None = None


def plot_landscape(landscape: Landscape, ax: Axes | None = None) -> Any:
    """Shade f^y, white where it is 1, and draw where the answer changes. Returns the axes."""
    ax = _axes(ax)
    ax.imshow(
        landscape.confidence, origin="lower", extent=landscape.extent, cmap=PAPER, vmin=0, vmax=1,
        interpolation="bilinear", aspect="equal",
    )  # fmt: skip
    if landscape.margin.min() < 0 < landscape.margin.max():
        left, right, bottom, top = landscape.extent
        rows, columns = landscape.margin.shape
        grid = np.linspace(left, right, columns), np.linspace(bottom, top, rows)
        ax.contour(*grid, landscape.margin, levels=[0.0], colors="#444444", linewidths=0.8)
    return ax


def plot_outline(
    points: Float64, ax: Axes | None = None, *, method: str, law: str, label: str | None = None
) -> Any:
    """One region's outline, in its method's colour and its law's line. Returns the axes."""
    ax = _axes(ax)
    colour = METHOD[method]
    ax.fill(
        *points.T, facecolor=to_rgba(colour, 0.10), edgecolor=to_rgba(colour, 1.0),
        linestyle=LINE[law], linewidth=WIDTH[method], label=label or method,
    )  # fmt: skip
    if LINE[law] != "-":  # a corner may fall between two dashes
        ax.plot(*points.T, color=colour, linewidth=0.6)
    return ax


def plot_shadow(points: Float64, ax: Axes | None = None, *, method: str, law: str) -> Any:
    """The outline of a region's projection, dashed and thin. Returns the axes."""
    ax = _axes(ax)
    ax.plot(*points.T, color=METHOD[method], linestyle=SHADOW[law], linewidth=0.8 * WIDTH[method])
    return ax


def plot_panel(panel: Panel, ax: Axes | None = None) -> Any:
    """A whole panel: landscape, shadows, outlines from the largest kind down, and the input."""
    ax = plot_landscape(panel.landscape, ax)
    for method in reversed([m for m in METHOD if m in panel.shadows]):
        plot_shadow(panel.shadows[method], ax, method=method, law=panel.law)
    for method in reversed([m for m in METHOD if m in panel.outlines]):
        label = panel.labels.get(method, method)
        plot_outline(panel.outlines[method], ax, method=method, law=panel.law, label=label)
    if panel.ball is not None:
        _ball(panel, ax)
    ax.plot(*panel.center, "o", color="black", markersize=3.5)
    left, right, bottom, top = panel.landscape.extent
    ax.set(xlim=(left, right), ylim=(bottom, top), xlabel=panel.axes[0], ylabel=panel.axes[1])
    ax.set_title(panel.title, fontsize="small")
    _legend(ax, panel.measure, SHADOW[panel.law] if panel.shadows else None)
    return ax


def _ball(panel: Panel, ax: Axes) -> None:
    angle = np.linspace(0, 2 * np.pi, 361)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1) * (panel.ball or 0.0)
    x, y = (np.asarray(panel.center) + circle).T
    label = panel.labels.get("ball", "worst-case ball")
    ax.plot(x, y, color=BALL, linestyle=(0, (1, 1)), linewidth=1.6, label=label)


def _legend(ax: Axes, measure: str | None, shadow: str | None) -> None:
    """From the smallest kind up, as the methods are always named; then what dashes are."""
    drawn, names = ax.get_legend_handles_labels()
    handles, labels = [_handle(one) for one in drawn[::-1]], names[::-1]
    if shadow is not None:
        handles.append(Line2D([], [], color="#444444", linestyle=shadow, linewidth=1.2))
        labels.append("projection")
    ax.legend(
        handles, labels, loc="lower left", fontsize="x-small", framealpha=0.9, title=measure,
        title_fontsize="x-small", alignment="left", handlelength=2.2, borderpad=0.3,
        labelspacing=0.25,
    )  # fmt: skip
    ax.tick_params(labelsize="x-small")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(5))


def _handle(drawn: Any) -> Any:
    """An outline's line, thin enough for its dashes to show; what is a line already stays."""
    if not isinstance(drawn, Polygon):
        return drawn
    width = min(drawn.get_linewidth(), _LEGEND_WIDTH)
    colour, line = drawn.get_edgecolor(), drawn.get_linestyle()
    return Line2D([], [], color=colour, linestyle=line, linewidth=width)


def _axes(ax: Axes | None) -> Any:
    """The axes given, or the only one of a new figure."""
    if ax is not None:
        return ax
    from matplotlib.figure import Figure

    return Figure(figsize=(4, 4), layout="constrained").subplots()
