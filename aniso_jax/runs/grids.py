"""The grid of a run whose noise is integer: its palette, and a check that the data lie on it."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.scales import Isotropic
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.sources import Fixed, OneTheta, Scales, Source, ThetaPerInput
from aniso_jax.smoothing.grid import Grid, grid, palette
from aniso_jax.smoothing.laws import Law

_LEVELS = 256


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
    return grid(law, _palette(source), shape=inputs.data.x.shape[1:], steps=steps)


def snapped(scales: Scales, noise: Grid) -> Scales:
    """A batch of scales moved to the grid's palette, before any draw that selects or certifies."""
    snap = jax.vmap(noise.snap)
    sigma = snap(Isotropic(sigma=scales.sigma)).inradius(noise.law.order)
    return replace(scales, scale=snap(scales.scale), sigma=sigma)


def snapped_file(source: Source, noise: Grid | None) -> Source:
    """A file's thetas moved to the grid's palette: the run's scales, and what its hash covers."""
    if noise is None or not isinstance(source, OneTheta | ThetaPerInput):
        return source
    theta = noise.theta[noise.level(jnp.asarray(source.theta))]
    moved = replace(source, theta=np.asarray(theta))
    if isinstance(moved, OneTheta):
        return moved
    sigma = noise.theta[noise.level(jnp.asarray(moved.sigma))]
    return replace(moved, sigma=np.asarray(sigma))


def _palette(source: Source) -> tuple[float, ...]:
    if isinstance(source, Fixed):
        return (source.sigma,)
    levels = np.unique(source.theta) if isinstance(source, OneTheta) else np.empty(0)
    return tuple(levels) if 0 < len(levels) <= _LEVELS else palette()


def _check_on_grid(steps: int, inputs: Inputs) -> None:
    for index in inputs.indices:
        places = inputs.data.x[index].astype(np.float64) * steps
        off = np.max(np.abs(places - np.round(places)))
        if off > 1e-3 or places.min() < -1e-3 or places.max() > steps * (1 + 1e-6):
            raise ValueError(
                f"Input {index} of {inputs.data.name} does not lie on the grid of multiples of "
                f"1/{steps} in [0, 1] (off by {off / steps:.2g}): give the --grid of the data, 255 "
                "for 8-bit images, or leave it out."
            )
