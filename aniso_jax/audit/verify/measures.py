"""Radius, proxy radius and volume from the gap and the scale; and the scale against the run."""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.axes import Axes
from aniso_jax.audit.verify.between import Between, at_most
from aniso_jax.audit.verify.findings import Finding
from aniso_jax.records.experiment import Experiment

Float64 = NDArray[np.float64]

_DOWN = 1 - 4e-12
"""Radii are stored rounded down by 1e-12, and their logarithms and means are good to 1e-13."""

_TURNED = 1e-10
"""Relative error that eigenvalues and column sums of a rotated scale may have besides."""

_NOISE = 1e-12
"""Relative error of a float64 sum of logarithms."""


def has_its_scale(row: Mapping[str, Any], experiment: Experiment) -> bool:
    """Whether a record has a theta for each coordinate where its run has, and else none."""
    count = None if row["theta"] is None else len(row["theta"])
    is_whole = count == (experiment.dimension if _has_theta(experiment) else None)
    return is_whole and (experiment.scale != "rotated" or _has_directions(row, experiment))


def _has_directions(row: Mapping[str, Any], experiment: Experiment) -> bool:
    k = len(row["stretch"])
    return 1 <= k <= experiment.dimension and len(row["basis"]) == k * experiment.dimension


def measures_of(gap: Between, scale: Axes, experiment: Experiment) -> Iterator[tuple[str, Any]]:
    """What the columns radius, proxy_radius and log_volume may hold.

    Args:
      gap: what is believed of it; 0 claims nothing.
      scale: its lengths.
    """
    mean_log, turned = scale.mean_log, _TURNED if scale.is_rotated else 0.0
    factors = {"radius": scale.shortest, "proxy_radius": math.exp(mean_log)}
    for column, factor in factors.items():
        exact = gap.high * factor * (1 + 1e-15 + turned)
        yield column, at_most(exact, lowest=gap.low * factor * (_DOWN - turned))
    if gap.low > 0:
        low, high = (_log_volume(number, mean_log, experiment) for number in (gap.low, gap.high))
        slack = (_NOISE + turned) * (abs(high) + experiment.dimension)
        yield "log_volume", Between(low=low - slack, high=high + slack, sound=high)
    else:
        yield "log_volume", None


def _log_volume(gap: float, mean_log: float, experiment: Experiment) -> float:
    """d log gap + log |det S| + log of the unit ball's volume, of the law's norm."""
    d = experiment.dimension
    if experiment.law == "gaussian":
        ball = d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)
    else:
        ball = d * math.log(2) - math.lgamma(d + 1)
    return d * (math.log(gap) + mean_log) + ball


def unit_troubles(row: Mapping[str, Any], experiment: Experiment) -> Iterator[Finding]:
    """What of the scale's columns cannot be, given what the run says of its scale."""
    has_theta = _has_theta(experiment)
    sigma = float(np.float32(experiment.sigma))
    if experiment.scale == "fixed" and row["sigma"] != sigma:
        yield _finding(row, "sigma", sigma, "the run has one sigma for all inputs")
    if (row["theta"] is not None) != has_theta:
        wanted = "one theta for each coordinate" if has_theta else None
        yield _finding(row, "theta", wanted, f"the run's scale is {experiment.scale}")
    elif has_theta and len(row["theta"]) != experiment.dimension:
        yield _finding(row, "theta", f"{experiment.dimension} numbers", "one for each coordinate")
    elif _starts_above(row, experiment):
        said = "the search never leaves a theta below the isotropic sigma that it started from"
        yield _finding(row, "sigma", f"at most {min(row['theta'])}", said)
    if experiment.scale == "rotated" and not _has_directions(row, experiment):
        wanted = "k directions of d numbers, as many as stretch has"
        yield _finding(row, "basis", wanted, "the run's scale is rotated")
    share = row["capped_share"]
    if (share is not None) != (experiment.scale in ("anisotropic", "rotated")):
        yield _finding(row, "capped_share", None, f"the run's scale is {experiment.scale}")
    elif share is not None and not _is_share(share, experiment.dimension):
        yield _finding(row, "capped_share", f"k / {experiment.dimension}", "a share of coordinates")


def _has_theta(experiment: Experiment) -> bool:
    return experiment.scale in ("anisotropic", "rotated", "file")


def _starts_above(row: Mapping[str, Any], experiment: Experiment) -> bool:
    """Whether some theta of a search is below its start; a grid moves both to its palette."""
    sought = experiment.scale in ("anisotropic", "rotated") and experiment.mode == "float"
    return bool(sought and row["sigma"] > min(row["theta"]))


def _is_share(share: float, dimension: int) -> bool:
    """k / d for a whole number k, in float32, whichever way it was rounded."""
    k = round(share * dimension)
    return 0 <= k <= dimension and abs(share - k / dimension) <= 2 * np.spacing(np.float32(share))


def _finding(row: Mapping[str, Any], column: str, wanted: Any, said: str) -> Finding:
    stored = row[column]
    return Finding(
        where=f"input {row['index']}",
        column=column,
        stored=f"{len(stored)} numbers" if isinstance(stored, list) else repr(stored),
        derived=str(wanted),
        said=said,
    )
