"""The scale of a record, and the integer noise of such scales, made again from what is stored."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.records.experiment import Experiment
from aniso_jax.smoothing.grid import Grid, grid
from aniso_jax.smoothing.laws import LAWS

Row = Mapping[str, Any]
"""A record, plain values by column."""


def semi_axes(row: Row) -> NDArray[np.float64]:
    """The diagonal of S, on which directions may be stretched: every theta, or the one sigma."""
    return np.array(row["sigma"] if row["theta"] is None else row["theta"], np.float64).reshape(-1)


def claimed_row(row: Row) -> Row:
    """The record with the scale under which its class is claimed: its own, or the adopted one."""
    adopted = row.get("claimed_theta")
    return row if adopted is None else {**row, "theta": adopted}


def claimed_axes(row: Row) -> NDArray[np.float64]:
    """The diagonal of the claimed region's S."""
    return semi_axes(claimed_row(row))


def is_invertible(axes: NDArray[np.float64]) -> bool:
    """Whether semi-axes are those of a scale: finite and positive."""
    return bool(np.all(np.isfinite(axes) & (axes > 0)))


def stored_scale(row: Row, shape: tuple[int, ...]) -> Scale:
    """The scale in a record: theta where there is one, with its directions; else sigma."""
    if row["theta"] is None:
        return Isotropic(sigma=jnp.float32(row["sigma"]))
    theta = jnp.asarray(np.array(row["theta"], np.float32).reshape(shape))
    if row.get("stretch") is None:
        return Diagonal(theta=theta)
    stretch = np.array(row["stretch"], np.float32)
    basis = np.array(row["basis"], np.float32).reshape(len(stretch), *shape)
    return Rotated(theta=theta, basis=jnp.asarray(basis), stretch=jnp.asarray(stretch))


def stored_grid(
    rows: Iterable[Row],
    experiment: Experiment,
    axes: Callable[[Row], NDArray[np.float64]] = semi_axes,
) -> Grid | None:
    """One integer noise for the scales in the records; None for a run without a grid.

    Args:
      rows, experiment: the records and their run.
      axes: which scale of a record: its own, or the one that is claimed.

    The noise of a scale depends on no other scale of the run's palette, so that it is the run's
    own. A stored scale that is none has no noise, and nothing is certified under it.
    """
    levels = {float(axis) for row in rows for axis in axes(row)}
    scales = sorted(level for level in levels if 0 < level < np.inf)
    if experiment.grid is None or not scales:
        return None
    law = LAWS[experiment.law]
    return grid(law, scales, shape=experiment.shape, steps=experiment.grid)
