"""Records against the data and the network that they speak of."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.axes import axes_of
from aniso_jax.audit.stored import Row, claimed_axes, claimed_row
from aniso_jax.audit.verify.between import at_most, fits
from aniso_jax.audit.verify.box import log_volume_in_box
from aniso_jax.audit.verify.findings import Finding
from aniso_jax.audit.verify.measures import has_its_scale, measures_of
from aniso_jax.audit.verify.rederive import finding_in
from aniso_jax.models.checkpoint import Model
from aniso_jax.models.independence import ApplyFn
from aniso_jax.records.directory import RUN_FILE
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs
from aniso_jax.smoothing.laws import LAWS

_TIE = 1e-4
"""Logits this near, relative to the largest, may change places in another batch or library."""

_WIDER = 2e-3
"""Relative: what the float32 bound around a rotated region allows for its directions' rounding."""

_ULP = 2.0**-23
"""How far a float32 in [0, 1] may lie from the grid point that it stands for."""


def data_findings(row: Row, experiment: Experiment, inputs: Inputs) -> Iterator[Finding]:
    """What of a record contradicts the data: input_id, label, domain_log_volume, the status.

    Args:
      row: the record; its index is one of the selection's.
    """
    index = int(row["index"])
    wanted: dict[str, Any] = {
        "input_id": inputs.ids[index],
        "label": int(inputs.data.y[index]),
    }
    if has_its_scale(row, experiment) and len(claimed_axes(row)) in (1, experiment.dimension):
        wanted["domain_log_volume"] = _in_box(row, experiment, inputs)
    for column, value in wanted.items():
        if not fits(row[column], value):
            yield finding_in(row, column, value, "the data say otherwise")
    if row["status"] == "nonfinite_input":
        yield finding_in(row, "status", "another status", "the input in the data is finite")


def grid_findings(rows: list[Row], experiment: Experiment, inputs: Inputs) -> Iterator[Finding]:
    """A grid in run.json that some input of the records does not lie on.

    Args:
      rows: all records whose inputs are the selection's.
    """
    steps = experiment.grid
    if steps is None:
        return
    indices = [int(row["index"]) for row in rows]
    off = [index for index in indices if not _is_on_grid(inputs.data.x[index], steps)]
    if off:
        yield Finding(
            where=RUN_FILE,
            column="grid",
            stored=repr(steps),
            derived="a grid that every input lies on",
            said=f"{len(off)} inputs, input {off[0]} the first, do not lie on it",
        )


def network_findings(rows: list[Row], inputs: Inputs, model: Model) -> Iterator[Finding]:
    """Records whose clean_prediction is not the network's, nor tied with it."""
    x = jnp.asarray(inputs.data.x[[int(row["index"]) for row in rows]])
    logits = np.asarray(_logits(model.apply_fn, model.params, x), np.float64)
    for row, answers in zip(rows, logits, strict=True):
        stored, best = int(row["clean_prediction"]), int(np.argmax(answers))
        near = best if not 0 <= stored < len(answers) else stored
        tied = answers[near] >= answers[best] - _TIE * np.max(np.abs(answers))
        if stored not in (best, near) or not tied:
            yield finding_in(row, "clean_prediction", best, "the network answers otherwise")
        if len(row["selection_votes"]) != len(answers):
            wanted = f"{len(answers)} counts"
            yield finding_in(row, "selection_votes", wanted, "the network has so many classes")


@partial(jax.jit, static_argnums=0)
def _logits(apply_fn: ApplyFn, params: Any, x: jax.Array) -> jax.Array:
    return apply_fn(params, x)


def _is_on_grid(x: NDArray[np.float32], steps: int) -> bool:
    """Whether every coordinate is, to one rounding, a multiple of 1 / steps in [0, 1]."""
    if steps < 1:
        return False
    places = x.astype(np.float64) * steps
    near = np.abs(places - np.rint(places)) / steps <= _ULP
    return bool(np.all(near & (x >= 0) & (x <= 1)))


def _in_box(row: Row, experiment: Experiment, inputs: Inputs) -> Any:
    """None where nothing is claimed, or where the stored scale has no volume."""
    order, data = LAWS[experiment.law].order, inputs.data
    gap, scale = row["gap"], axes_of(claimed_row(row), order)
    if gap <= 0 or not scale.is_valid:
        return None
    own = dict(measures_of(at_most(gap, lowest=gap), scale, experiment))["log_volume"].sound
    center = np.asarray(data.x[int(row["index"])], np.float64).reshape(-1)
    order, box = LAWS[experiment.law].order, (data.low, data.high)
    exact = log_volume_in_box(center, scale.around, gap, order=order, box=box, own=own)
    if not scale.is_rotated:
        return exact
    wider = own + _WIDER * experiment.dimension
    worse = log_volume_in_box(
        center, scale.around * (1 + _WIDER), gap, order=order, box=box, own=wider
    )
    return replace(exact, high=worse.high)
