"""The lengths of a stored scale, derived once more in float64: by QR where runs have V'V."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.stored import Row, is_invertible, semi_axes

Float64 = NDArray[np.float64]

_COLUMNS = 256  # of |S^-1| summed at a time


@dataclass(frozen=True, kw_only=True)
class Axes:
    """What the measures of a region follow from.

    Attributes:
      is_valid: whether the scale is one; else all lengths are 0.
      shortest: radius of a ball inside for each unit of gap.
      mean_log: log |det S| / d.
      around: semi-axes of an aligned region around, for each unit of gap: d, or one.
      is_rotated: whether it has directions.
    """

    is_valid: bool
    shortest: float
    mean_log: float
    around: Float64
    is_rotated: bool = False


def axes_of(row: Row, order: int) -> Axes:
    """The lengths of the scale in a record, for regions of a norm."""
    theta = semi_axes(row)
    stretch = np.array(row.get("stretch") or [], np.float64)
    basis = np.array(row.get("basis") or [], np.float64)
    fits = basis.size == stretch.size * theta.size and stretch.size <= theta.size
    if not (is_invertible(theta) and is_invertible(stretch) and fits):
        return Axes(is_valid=False, shortest=0.0, mean_log=-np.inf, around=theta)
    logs = math.fsum(np.log(theta))
    if not stretch.size:
        shortest = float(np.min(theta))
        return Axes(is_valid=True, shortest=shortest, mean_log=logs / theta.size, around=theta)
    return _turned(theta, basis.reshape(stretch.size, -1), stretch, logs, order)


def _turned(theta: Float64, basis: Float64, stretch: Float64, logs: float, order: int) -> Axes:
    """M = I + V diag(t - 1) V' = I + Q (R diag(t - 1) R') Q', V = Q R: eigenvalues beside 1."""
    q, r = np.linalg.qr(basis.T)
    values, vectors = np.linalg.eigh(np.eye(len(stretch)) + (r * (stretch - 1)) @ r.T)
    if values[0] <= 0:
        return Axes(is_valid=False, shortest=0.0, mean_log=-np.inf, around=theta)
    directions = q @ vectors
    beside = [] if len(stretch) == len(theta) else [1.0]
    if order == 2:
        longer = directions * np.sqrt(np.maximum(values**-2 - 1, 0)) / theta[:, None]
        by_sum = (np.min(theta) ** -2 + np.linalg.norm(longer, 2) ** 2) ** -0.5
        shortest = float(max(np.min(theta) * min([values[0], *beside]), by_sum))
        longest = max([values[-1], *beside])
    else:
        shortest = float(1 / np.max(_sums(directions, 1 / values) / theta))
        longest = float(np.max(_sums(directions, values)))
    mean = (logs + float(np.sum(np.log(values)))) / len(theta)
    return Axes(
        is_valid=True, shortest=shortest, mean_log=mean, around=theta * longest, is_rotated=True
    )


def _sums(directions: Float64, values: Float64) -> Float64:
    """Column sums of |I + Q diag(values - 1) Q'|."""
    sums = []
    for at in range(0, len(directions), _COLUMNS):
        block = (directions * (values - 1)) @ directions[at : at + _COLUMNS].T
        block[np.arange(at, at + block.shape[1]), np.arange(block.shape[1])] += 1
        sums.append(np.abs(block).sum(axis=0))
    return np.concatenate(sums)
