"""Certified accuracy as a function of the radius, exact at the data's own radii."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter
from numpy.typing import ArrayLike, NDArray

from aniso_jax.report.frames import (
    box_proxy_radius,
    by_norm,
    correct_values,
    names,
)
from aniso_jax.report.palette import line_styles

AXIS = {"radius": "radius ρ", "proxy_radius": "proxy radius ρ"}


def certified_accuracy(
    df: pd.DataFrame, radii: ArrayLike, column: str = "radius"
) -> NDArray[np.float64]:
    """Share of *all* inputs whose label is correct and whose `column` is at least rho.

    Args: df, a run; radii, finite and >= 0, in the run's norm. Returns one share in [0, 1] each.
    Raises `ValueError` for an empty run, a missing column, or radii out of range.

    >>> run = pd.DataFrame({"correct": [True, True, False], "radius": [0.5, 0.2, 0.9]})
    >>> certified_accuracy(run, [0.0, 0.5, 0.6]).round(3).tolist()
    [0.667, 0.333, 0.0]
    """
    held, rho = correct_values(df, column), np.asarray(radii, np.float64)
    if not (np.isfinite(rho) & (rho >= 0)).all():
        raise ValueError(f"radii must be finite and >= 0, got {rho.tolist()}; drop the others")
    return np.asarray((len(held) - np.searchsorted(held, rho, side="left")) / len(df))


def average_certified_radius(df: pd.DataFrame, column: str = "radius") -> float:
    """ACR = mean(radius * correct) over all inputs; an input that is not correct counts as 0.

    >>> average_certified_radius(pd.DataFrame({"correct": [True, False], "radius": [0.5, 9.0]}))
    0.25
    """
    return math.fsum(correct_values(df, column)) / len(df)


def steps(df: pd.DataFrame, column: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Corners of the curve: after each of the data's radii the accuracy drops to the next value.

    Draw with `drawstyle="steps-pre"`: the accuracy at a radius is attained *at* that radius.
    """
    corners = np.unique(np.concatenate([[0.0], correct_values(df, column)]))
    return corners, certified_accuracy(df, corners, column)


def plot_curves(runs: Sequence[pd.DataFrame], column: str = "radius", ax: Any = None) -> Any:
    """Draw certified accuracy over `column` for runs of one norm; returns the axes.

    Args: runs, which must have the column; column, 'radius' or 'proxy_radius'; ax, Matplotlib
    axes, or None for a new figure. Over the proxy radius a thin line marks the region as large
    as the box [0, 1]^d, where it falls on the axis.
    Raises `ValueError` for no runs, or for runs whose radii are measured in different norms.
    """
    if not runs or len(by_norm(runs)) != 1:
        given = ", ".join(by_norm(runs)) or "no runs"
        raise ValueError(f"one plot takes runs of one norm, got {given}; plot each norm by itself")
    ax = Figure(figsize=(4.8, 3.3), layout="constrained").subplots() if ax is None else ax
    end = _axis_end(runs, column)
    for df, style in zip(runs, line_styles(runs), strict=True):
        corners, share = steps(df, column)
        x, y = [*corners, corners[-1]], [*share, 0.0]
        ax.plot(x, y, drawstyle="steps-pre", linewidth=1.8, markersize=4, **style)
    _dress(ax, next(iter(by_norm(runs))), column, end)
    _legend(ax, names(runs))
    if column == "proxy_radius":
        _mark_boxes(ax, runs, end)
    return ax


def _axis_end(runs: Sequence[pd.DataFrame], column: str) -> float:
    largest = max((correct_values(df, column).max(initial=0.0) for df in runs), default=0.0)
    return 1.04 * float(largest) or 1.0


def _dress(ax: Any, norm: str, column: str, end: float) -> None:
    ax.set(xlim=(0, end), ylim=(0, 1.0), ylabel="certified accuracy")
    ax.set_xlabel(f"{AXIS.get(column, column)}  ({norm})")
    ax.xaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    ax.yaxis.set_major_formatter(PercentFormatter(xmax=1, decimals=0))
    ax.grid(axis="y", color="black", alpha=0.12, linewidth=0.7)
    ax.set_axisbelow(True)
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.spines["bottom"].set_alpha(0.5)
    ax.tick_params(axis="y", length=0)


def _legend(ax: Any, labels: Sequence[str]) -> None:
    legend = ax.legend(
        list(ax.lines),
        labels,
        loc="upper right",
        frameon=False,
        fontsize="small",
        handlelength=2.2,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a run's name is text, also where it holds a dollar sign


def _mark_boxes(ax: Any, runs: Sequence[pd.DataFrame], end: float) -> None:
    for radius in sorted({r for df in runs if (r := box_proxy_radius(df)) and r <= end}):
        ax.axvline(radius, color="black", alpha=0.55, linewidth=1, linestyle=(0, (1, 2)))
        ax.annotate(
            f"as large as the box, {radius:.3g}",
            (radius, 0.97),
            xytext=(-3, 0),
            textcoords="offset points",
            rotation=90,
            ha="right",
            va="top",
            fontsize="small",
            alpha=0.75,
        )
