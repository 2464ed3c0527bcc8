"""Panels of star-shaped classifiers: their landscape and the regions of one point."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from aniso_jax.figures.plane.stars import SOFTNESS, Star
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.sections import section
from aniso_jax.report.figures.panel import Landscape, Panel
from aniso_jax.report.rounding import text_down

Float64 = NDArray[np.float64]

_GRID = 301


def star_panel(
    star: Star,
    x: Float64,
    regions: Mapping[str, Region],
    *,
    law: str,
    title: str,
    half_width: float,
    ball: bool = False,
) -> Panel:
    """The window of half-width around x, with the outlines and areas of its regions.

    Args:
      ball: draw the worst-case ball too, the largest in which the classifier itself answers 0.
    """
    radius = star.distance(x) if ball else None
    labels = {kind: f"{kind} {text_down(area(region), 3)}" for kind, region in regions.items()}
    if radius is not None:
        labels["ball"] = f"worst-case ball {text_down(np.pi * radius**2, 3)}"
    return Panel(
        title=title,
        law=law,
        landscape=star_landscape(star, x, half_width),
        outlines={kind: outline_at(region, x) for kind, region in regions.items()},
        labels=labels,
        center=(float(x[0]), float(x[1])),
        ball=radius,
        measure="area",
    )


def outline_at(region: Region, x: Float64) -> Float64:
    """The outline of a region of the plane: gauge 1, in float64."""
    return np.asarray(x) + section(region, np.eye(2))


def area(region: Region) -> float:
    """The area of a region of the plane."""
    return float(np.exp(np.float64(region.log_volume())))


def star_landscape(star: Star, x: Float64, half_width: float) -> Landscape:
    """f^y of the star, as its logits give it, on a square window around x."""
    line = np.linspace(-half_width, half_width, _GRID)
    grid = np.asarray(x) + np.stack(np.meshgrid(line, line), axis=-1)
    radius, phi = np.hypot(grid[..., 0], grid[..., 1]), np.arctan2(grid[..., 1], grid[..., 0])
    margin = star.boundary(phi) - radius
    confidence = (1 + np.tanh(margin / SOFTNESS)) / 2  # the softmax of (margin, -margin) / SOFTNESS
    left, bottom = np.asarray(x) - half_width
    extent = (
        float(left),
        float(left + 2 * half_width),
        float(bottom),
        float(bottom + 2 * half_width),
    )
    return Landscape(confidence=confidence, margin=margin, extent=extent)
