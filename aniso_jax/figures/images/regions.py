"""Regions of records, whatever their center: gauges and planes are about differences."""

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.stored import Row, stored_scale
from aniso_jax.figures.images.runs import ImageRuns
from aniso_jax.geometry.regions import Region
from aniso_jax.smoothing.laws import LAWS


def stored_region(row: Row, runs: ImageRuns) -> Region:
    """The certified region of a record, moved to the origin."""
    shape = runs.experiment.shape
    return Region(
        center=jnp.zeros(shape, jnp.float32),
        scale=stored_scale(row, shape),
        gap=jnp.float32(row["gap"]),
        order=LAWS[runs.experiment.law].order,
    )


def regions_at(runs: ImageRuns, index: int) -> dict[str, Region]:
    """The regions of an image, by kind, each moved to the origin."""
    return {kind: stored_region(rows[index], runs) for kind, rows in runs.rows.items()}


def image_at(runs: ImageRuns, index: int) -> NDArray[np.float32]:
    """The image itself, (H, W, C)."""
    return np.asarray(runs.inputs.data.x[index])


def settings_of(runs: ImageRuns) -> dict[str, object]:
    """What determines the runs, for captions."""
    names = ("data", "model", "law", "sigma", "n0", "n", "alpha", "seed", "mode")
    return {name: getattr(runs.experiment, name) for name in names}
