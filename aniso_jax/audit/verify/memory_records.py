"""The records of a run with a memory against each other: stored regions, and who adopted them."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.stored import Row, is_invertible, semi_axes
from aniso_jax.audit.verify.apart import Stored, meetings
from aniso_jax.audit.verify.findings import Finding
from aniso_jax.audit.verify.rederive import finding_in
from aniso_jax.audit.verify.remembered import STORED
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs
from aniso_jax.smoothing.laws import LAWS

Float64 = NDArray[np.float64]


def stored_regions(
    rows: Sequence[Row], experiment: Experiment, inputs: Inputs
) -> dict[int, Stored]:
    """The regions that these records made, by number; the first one where two name the same."""
    found: dict[int, Stored] = {}
    for position, row in enumerate(rows):
        number, theta = row["memory_region"], semi_axes(row)
        is_whole = len(theta) in (1, experiment.dimension) and is_invertible(theta)
        if row["memory"] in STORED and number is not None and row["gap"] > 0 and is_whole:
            region = Stored(
                number=number,
                position=position,
                label=int(row["prediction"]),
                center=center_of(row, inputs),
                theta=np.broadcast_to(theta, experiment.dimension),
                gap=float(row["gap"]),
            )
            found.setdefault(number, region)
    return found


def center_of(row: Row, inputs: Inputs) -> Float64:
    """The input, flattened."""
    return np.asarray(inputs.data.x[int(row["index"])], np.float64).reshape(-1)


def number_findings(rows: Sequence[Row]) -> Iterator[Finding]:
    """Stored regions whose numbers do not grow along the run.

    Where nothing is found no two records stored the same one, so that `stored_regions` has all of
    them; an equal input that is asked again adopts.
    """
    last = 0
    for row in rows:
        number = row["memory_region"]
        if row["memory"] not in STORED or number is None:
            continue
        if number <= last:
            said = "each record stores a region of its own, in order"
            yield finding_in(row, "memory_region", f"above {last}", said)
        last = max(last, number)


def stranger_findings(rows: Sequence[Row], regions: Mapping[int, Stored]) -> Iterator[Finding]:
    """Adopted answers of a joint claim that rest on regions which no record of the run stored."""
    mine = {number for number, region in regions.items() if region.position >= 0}
    for row in rows:
        if row["memory"] == "adopted" and row["memory_region"] not in mine:
            said = "a joint claim rests on the run's own regions alone"
            yield finding_in(row, "memory_region", "a region of this run", said)


def adoption_findings(
    rows: Sequence[Row],
    regions: Mapping[int, Stored],
    experiment: Experiment,
    inputs: Inputs,
) -> Iterator[Finding]:
    """Adopted answers that the stored region they name does not give.

    Args:
      rows: the records, in the run's order.
      regions: those that are known, by number; answers that rest on others are passed over.

    Guarantee: where nothing is found, each claimed region lies in the one it names, up to the
      rounding that a membership test forgives, and has its class and scale.
    """
    for position, row in enumerate(rows):
        old = regions.get(row["memory_region"]) if row["memory"] == "adopted" else None
        if old is None:
            continue
        if old.position >= position:
            yield finding_in(row, "memory_region", "an earlier one", "it was not stored yet")
        if row["prediction"] != old.label:
            yield finding_in(
                row, "prediction", old.label, "the region that it names has this class"
            )
        if not np.array_equal(np.array(row["claimed_theta"], np.float64), old.theta):
            wanted = f"that of region {old.number}"
            yield finding_in(row, "claimed_theta", wanted, "the region has another scale")
            continue
        left = old.gap * (1 + _forgiven(experiment)) - _reach(row, old, experiment, inputs)
        if row["gap"] > left:
            said = f"region {old.number} holds no more around this input"
            yield finding_in(row, "gap", max(left, 0.0), said)


def answer_findings(
    rows: Sequence[Row],
    regions: Mapping[int, Stored],
    experiment: Experiment,
    inputs: Inputs,
) -> Iterator[Finding]:
    """Inputs in a region that the run had stored before, with an answer that is not its class."""
    mine = sorted(
        (region for region in regions.values() if region.position >= 0),
        key=lambda region: region.position,
    )
    if not mine:
        return
    order = LAWS[experiment.law].order
    centers = np.array([region.center for region in mine])
    axes = np.array([region.axes for region in mine])
    places = np.array([region.position for region in mine])
    for position, row in enumerate(rows):
        before = np.searchsorted(places, position)
        off = (center_of(row, inputs) - centers[:before]) / axes[:before]
        for held in np.flatnonzero(np.linalg.norm(off, order, axis=1) <= 1):
            if row["prediction"] != mine[held].label:
                said = f"the input lies in region {mine[held].number}, of this class"
                yield finding_in(row, "prediction", mine[held].label, said)


def meeting_findings(
    rows: Sequence[Row], regions: Mapping[int, Stored], experiment: Experiment
) -> Iterator[Finding]:
    """Regions of different classes that these records stored and that may meet."""
    mine = [region for region in regions.values() if region.position >= 0]
    for new, old in meetings(mine, LAWS[experiment.law].order):
        said = f"it may meet region {old.number}, of class {old.label}"
        yield finding_in(rows[new.position], "gap", "a disjoint region", said)


def _reach(row: Row, old: Stored, experiment: Experiment, inputs: Inputs) -> float:
    return old.reach(center_of(row, inputs), LAWS[experiment.law].order)


def _forgiven(experiment: Experiment) -> float:
    """What a float32 membership test forgives, relative: 2 (log2 d + 8) eps."""
    depth = (experiment.dimension - 1).bit_length() + 8
    return 2 * depth * float(np.finfo(np.float32).eps)
