"""What a record may claim after its memory was asked, given its own certificate."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from aniso_jax.audit.axes import axes_of
from aniso_jax.audit.stored import Row, claimed_row, is_invertible
from aniso_jax.audit.verify.between import Between, at_most, believed
from aniso_jax.audit.verify.measures import measures_of
from aniso_jax.records.experiment import Experiment
from aniso_jax.smoothing.laws import LAWS

STORED = ("kept", "shrunk")
"""What makes a region of the memory, around the input and of its own scale."""

_VERDICTS = (*STORED, "adopted", "abstained")
_NOISE = 1e-10
"""Relative error of two sums of logarithms in float64."""


def wanted_of_memory(row: Row, experiment: Experiment) -> Iterator[tuple[str, Any]]:
    """Column by column, what it must hold; own_gap and own_prediction are believed.

    * kept: the own certificate as it is; shrunk: the own class on a smaller region of the own
      scale, which lies in the certified one because the center is the same;
    * adopted: some class, on a region of the scale that is named; that it is a stored region's is
      for `memory_records` to say;
    * abstained: nothing.
    """
    verdict = row["memory"]
    allowed = _VERDICTS if row["own_gap"] > 0 else _VERDICTS[2:]
    if verdict not in allowed:
        yield "memory", " or ".join(allowed)
        return
    number, adopted = row["memory_region"], row["claimed_theta"]
    if verdict == "abstained":
        yield "memory_region", None
    elif number is None or number < 1:
        yield "memory_region", "the number of a stored region"
    if verdict == "adopted" and not _is_scale(adopted, experiment):
        yield "claimed_theta", f"{experiment.dimension} positive numbers"
        return
    if verdict != "adopted":
        yield "claimed_theta", None
    yield "prediction", _class_of(row)
    yield "correct", row["label"] == row["prediction"]
    gap = _gap_of(row)
    yield "gap", gap
    gap = believed(row["gap"], gap)
    yield from measures_of(gap, axes_of(claimed_row(row), LAWS[experiment.law].order), experiment)
    yield "memory_cost", _cost(row, gap.high, experiment)


def _is_scale(theta: Any, experiment: Experiment) -> bool:
    return (
        theta is not None
        and len(theta) == experiment.dimension
        and is_invertible(np.array(theta, np.float64))
    )


def _class_of(row: Row) -> Any:
    """The own class where the own region is claimed, some class where another's is."""
    if row["memory"] in STORED:
        return int(row["own_prediction"])
    if row["memory"] == "abstained":
        return -1
    classes = len(row["selection_votes"])
    return Between(low=0, high=classes - 1, sound=classes - 1)


def _gap_of(row: Row) -> Between:
    """The whole own gap, less than it, nothing, or any: an outline is answered at the input."""
    own = float(row["own_gap"])
    if row["memory"] == "kept":
        return at_most(own, lowest=own)
    if row["memory"] == "shrunk":
        below = float(np.nextafter(np.float32(own), np.float32(0)))
        return at_most(below, lowest=float(np.finfo(np.float32).smallest_subnormal))
    return at_most(float(np.finfo(np.float32).max) * (row["memory"] == "adopted"), lowest=0.0)


def _cost(row: Row, gap: float, experiment: Experiment) -> Between | None:
    """What of the own log-volume the claimed one lacks; None where nothing is left of its class."""
    own, d = float(row["own_gap"]), experiment.dimension
    axes = [axes_of(each, LAWS[experiment.law].order) for each in (row, claimed_row(row))]
    is_own = row["prediction"] == row["own_prediction"]
    if not is_own or own <= 0 or gap <= 0 or not all(each.is_valid for each in axes):
        return None
    asked, claimed = (
        d * (math.log(size) + each.mean_log) for size, each in zip((own, gap), axes, strict=True)
    )
    slack = _NOISE * (abs(asked) + abs(claimed) + d)
    return Between(low=asked - claimed - slack, high=asked - claimed + slack, sound=asked - claimed)
