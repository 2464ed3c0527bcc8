"""Stored scales against where they came from: the hash of a file, or the search done once more."""

from collections.abc import Iterable, Iterator
from typing import Any

import jax.numpy as jnp
import numpy as np

from aniso_jax.audit.stored import Row, stored_grid
from aniso_jax.audit.verify.findings import Finding
from aniso_jax.audit.verify.measures import has_its_scale
from aniso_jax.audit.verify.rederive import finding_in
from aniso_jax.data.ids import digest
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.directory import RUN_FILE
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.grids import grid_of, snapped
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.sources import Scales, Sought

_ROUNDING = 1e-3  # what a whole search makes of another rounding of its passes


def one_theta_findings(rows: list[Row], experiment: Experiment) -> Iterator[Finding]:
    """Records whose theta is not the one of the run's file, or whose sigma not its smallest."""
    named = experiment.scale_source.rpartition(" ")[2]
    for row in rows:
        theta = np.array(row["theta"], np.float32)
        found = (
            digest(theta.reshape(experiment.shape)) if theta.size == experiment.dimension else ""
        )
        if found != named:
            said = "the run has one theta for all inputs, and this is not it"
            yield finding_in(row, "theta", f"a theta with the sha256 {named[:16]}", said)
        elif row["sigma"] != float(theta.min()):
            yield finding_in(row, "sigma", float(theta.min()), "the smallest theta")


def discount_findings(rows: Iterable[Row], experiment: Experiment) -> Iterator[Finding]:
    """Whether the noise of some stored scale is further from the law's than the run says."""
    noise = stored_grid(rows, experiment)
    if noise is not None and noise.discount > experiment.discount:
        yield Finding(
            where=RUN_FILE,
            column="discount",
            stored=repr(experiment.discount),
            derived=f"at least {noise.discount!r}",
            said="the noise of a stored scale is further from the law's",
        )


def is_whole_file(rows: list[Row], experiment: Experiment) -> bool:
    """Whether these records hold exactly the scales of the run's file, one theta per input.

    The file may hold other inputs too, so that nothing follows where they do not.
    """
    if not all(has_its_scale(row, experiment) for row in rows):
        return False
    theta = np.array([row["theta"] for row in rows], np.float32)
    sigma = np.array([row["sigma"] for row in rows], np.float32)
    names = np.array([row["input_id"] for row in rows])
    content = digest(theta.reshape(len(rows), *experiment.shape), sigma, names)
    return experiment.scale_source.endswith(content)


def search_findings(
    rows: list[Row],
    experiment: Experiment,
    inputs: Inputs,
    model: Model,
    search: Sought,
) -> Iterator[Finding]:
    """Records whose scale is not the one that the search finds again, bit by bit.

    Args:
      rows: some records. The bits of a search may depend on its batch, so that the run's own
        batches are made again.
    """
    noise = grid_of(experiment.grid, search.law, search, inputs)
    places = {int(index): place for place, index in enumerate(inputs.indices)}
    for row in rows:
        position = places[int(row["index"])]
        first, size = _batch_of(position, experiment)
        members = inputs.indices[first : first + size].tolist()
        members += members[-1:] * ((experiment.batch or 1) - size)
        ids = [inputs.ids[index] for index in members]
        keys = keys_of(experiment.seed, ids)
        found = search(model, jnp.asarray(inputs.data.x[members]), keys, ids)
        found = found if noise is None else snapped(found, noise)
        yield from _compared(row, found, position - first)


def _batch_of(position: int, experiment: Experiment) -> tuple[int, int]:
    """Where the batch of an input begins in the selection, and how many inputs it has."""
    part = position // experiment.part_size * experiment.part_size
    end = min(part + experiment.part_size, experiment.inputs)
    batch = experiment.batch or 1
    first = part + (position - part) // batch * batch
    return first, min(batch, end - first)


def _compared(row: Row, found: Scales, at: int) -> Iterator[Finding]:
    theta = getattr(found.scale, "theta", None)
    wanted: dict[str, Any] = {
        "sigma": float(found.sigma[at]),
        "theta": None if theta is None else np.ravel(theta[at]).tolist(),
        "capped_share": None if found.capped_share is None else float(found.capped_share[at]),
    }
    if isinstance(found.scale, Rotated):
        for name in ("basis", "stretch"):
            wanted[name] = np.ravel(getattr(found.scale, name)[at]).tolist()
    for column, value in wanted.items():
        if row[column] != value:
            yield finding_in(row, column, value, _said_of(row[column], value))


def _said_of(stored: Any, found: Any) -> str:
    """Numbers that differ by rounding may have come from another processor, and are no proof."""
    said = "the search finds another when done again"
    if stored is None or found is None or np.shape(stored) != np.shape(found):
        return said
    if not np.allclose(stored, found, rtol=_ROUNDING, atol=0):
        return said
    return (
        f"{said}, equal to {_ROUNDING:g}: another processor or version rounds otherwise, which "
        "harms no claim, or the number was changed"
    )
