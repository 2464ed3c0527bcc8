"""The grid of a run whose noise is integer: its palette, and a check that the data lie on it."""

import warnings
from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.scales import Isotropic
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.scale_files import OneTheta, ThetaPerInput
from aniso_jax.runs.sources import Fixed, Scales, Source
from aniso_jax.smoothing.grid import ULP, Grid, grid, palette
from aniso_jax.smoothing.laws import Law

_LEVELS = 256
_STEP = 0.05  # a little more than the palette's ratio


def grid_of(steps: int | None, law: Law, source: Source, inputs: Inputs) -> Grid | None:
    """Integer noise with `steps` grid points per unit; None where none was asked for.

    One sigma, and one theta of few levels, are drawn as they are; scales of each input are snapped
    to the palette.

    Raises:
      ValueError: some input does not lie on the grid.
    """
    if steps is None:
        return None
    _check_on_grid(steps, inputs)
    return grid(law, _palette(source, steps), shape=inputs.data.x.shape[1:], steps=steps)


def snapped(scales: Scales, noise: Grid) -> Scales:
    """A batch of scales moved to the grid's palette, before any draw that selects or certifies.

    A theta that a search finds above the palette's largest is lowered to it, and that is said.
    """
    largest = max(float(jnp.max(leaf)) for leaf in jax.tree.leaves(scales.scale))
    if largest > float(noise.theta[-1]) * (1 + _STEP):
        warnings.warn(
            f"A theta of {largest:.3g} lies above the grid's palette and was lowered to "
            f"{float(noise.theta[-1]):.3g}; the region is smaller for it.",
            stacklevel=2,
        )
    snap = jax.vmap(noise.snap)
    sigma = snap(Isotropic(sigma=scales.sigma)).inradius(noise.law.order)
    return replace(scales, scale=snap(scales.scale), sigma=sigma)


def snapped_file(source: Source, noise: Grid | None) -> Source:
    """A file's thetas moved to the grid's palette: the run's scales, and what its hash covers."""
    if noise is None or not isinstance(source, OneTheta | ThetaPerInput):
        return source
    _check_in_palette(source.theta, noise)
    theta = noise.theta[noise.level(jnp.asarray(source.theta))]
    moved = replace(source, theta=np.asarray(theta))
    if isinstance(moved, OneTheta):
        return moved
    sigma = noise.theta[noise.level(jnp.asarray(moved.sigma))]
    return replace(moved, sigma=np.asarray(sigma))


def _check_in_palette(theta: NDArray[np.float32], noise: Grid) -> None:
    low, high = float(noise.theta[0]), float(noise.theta[-1])
    if theta.min() < low * (1 - _STEP) or theta.max() > high * (1 + _STEP):
        raise ValueError(
            f"The scale file has thetas from {theta.min():.3g} to {theta.max():.3g}, noise on the "
            f"grid has a palette from {low:.3g} to {high:.3g}: clip the file, or leave --grid out."
        )


def _palette(source: Source, steps: int) -> tuple[float, ...]:
    if isinstance(source, Fixed):
        return (source.sigma,)
    levels = np.unique(source.theta) if isinstance(source, OneTheta) else np.empty(0)
    return tuple(levels) if 0 < len(levels) <= _LEVELS else palette(steps=steps)


def _check_on_grid(steps: int, inputs: Inputs) -> None:
    for index in inputs.indices:
        x = inputs.data.x[index].astype(np.float64)
        off = np.max(np.abs(x - np.round(x * steps) / steps))
        if off > ULP or x.min() < 0 or x.max() > 1:
            raise ValueError(
                f"Input {index} of {inputs.data.name} does not lie on the grid of multiples of "
                f"1/{steps} in [0, 1] (off by {off:.2g}): give the --grid of the data, 255 for "
                "8-bit images, or leave it out."
            )
