"""Two-dimensional pictures: where a classifier answers what, and the outlines of regions."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from numpy.typing import NDArray

from aniso_jax.geometry.regions import Region

_POINTS = 400  # on a quarter of an outline


def outline(region: Region) -> NDArray[np.float32]:
    """Points on the outline of a region in the plane, in order: (N, 2), gauge 1.

    The images x + gap S u of points u of the unit circle (l2) or of the unit diamond (l1).

    >>> import aniso_jax as aj
    >>> region = aj.Region(center=jnp.zeros(2), scale=aj.Isotropic(sigma=2.0), gap=jnp.array(1.0),
    ...                    order=1)
    >>> bool(abs(jnp.abs(outline(region)).sum(axis=1) - 2).max() < 1e-5)
    True
    """
    angle = np.linspace(0, 2 * np.pi, 4 * _POINTS + 1)
    unit = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    unit /= np.linalg.norm(unit, ord=region.order, axis=-1, keepdims=True)
    points = region.center + region.gap * jax.vmap(region.scale.push)(jnp.asarray(unit))
    return np.asarray(points)


def plot_region(region: Region, ax: Axes, *, colour: str, label: str, line: str = "-") -> Any:
    """Draw a region of the plane: its outline over a light fill. Returns the axes."""
    points = outline(region)
    fill, edge = to_rgba(colour, 0.15), to_rgba(colour, 1.0)
    ax.fill(*points.T, facecolor=fill, edgecolor=edge, linestyle=line, linewidth=2, label=label)
    return ax


def plot_decisions(
    classes: NDArray[np.int64], ax: Axes, *, extent: tuple[float, float, float, float]
) -> Any:
    """Shade where another class than 0 is answered, from a grid of classes (rows from below)."""
    ax.imshow(
        classes != 0,
        origin="lower",
        extent=extent,
        cmap="Greys",
        vmin=-0.5,
        vmax=3.0,
        interpolation="bilinear",
        aspect="equal",
    )
    return ax
