"""Panels side by side on one sheet, with the names of its rows and one scale of grey."""

from collections.abc import Sequence

from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from aniso_jax.report.figures.panel import PAPER, Panel, plot_panel

WIDTH = 8.0
"""Inches: 800 px at 100 dots an inch."""


def sheet(
    rows: Sequence[Sequence[Panel]], *, names: Sequence[str] = (), grey: str, alt: str
) -> Figure:
    """A figure of panels, row by row.

    Args:
      rows: as many panels in each, or fewer in the last.
      names: of the rows, if any.
      grey: what the grey scale measures.
      alt: a sentence for readers without the picture; the figure's label.
    """
    columns = len(rows[0])
    height = (WIDTH - 0.6) / columns * 1.08 * len(rows) + 0.75
    figure = Figure(figsize=(WIDTH, height), layout="constrained", label=alt)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes, panels in zip(grid, rows, strict=True):
        for ax, panel in zip(axes, panels, strict=False):
            plot_panel(panel, ax)
        for ax in axes[len(panels) :]:
            ax.set_axis_off()
    for axes, name in zip(grid, names, strict=False):
        axes[0].set_ylabel(f"{name}\n{axes[0].get_ylabel()}", fontsize="small")
    bar = figure.colorbar(
        ScalarMappable(Normalize(0, 1), PAPER), ax=grid, location="bottom", shrink=0.4, aspect=40,
        label=grey, pad=0.02,
    )  # fmt: skip
    bar.ax.tick_params(labelsize="x-small")
    bar.set_label(grey, fontsize="small")
    return figure
