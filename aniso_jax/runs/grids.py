"""The grid of a run whose noise is integer: its palette, and a check that the data lie on it."""

import numpy as np

from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.sources import Fixed, OneTheta, Source
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
