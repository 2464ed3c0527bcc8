"""The two bounds of a certificate from its votes: p_lower and the gap, each with its rounding."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.verify.between import Between, at_most
from aniso_jax.audit.verify.bounds import failures, rivals, upper_quantile
from aniso_jax.records.experiment import Experiment

_OUTWARD = 1 + 3e-9
"""Tables are rounded outward by 1e-9, twice; a stored bound may be worse than ours by so much."""

_NOISE = 1e-12
"""Relative error of our own float64 numbers."""

_FAR = 1e30
"""Stands for an infinite quantile, so that differences stay numbers."""

Votes = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Claim:
    """p_lower and gap: what may be stored."""

    p_lower: Between
    gap: Between


def derived_claim(votes: Votes, guess: int, experiment: Experiment) -> Claim:
    """What votes at the looks reached prove of the selected class.

    Args:
      votes: (looks reached, classes); none where nothing could be drawn.
      guess: the selected class.
      experiment: the plan, and the discount for noise that is not exactly the law's.

    Guarantee: by an independent path in float64; the upper ends hold for exact bounds, the lower
    ends allow bounds worse by 3e-9 relative and what float32 tables lose.
    """
    if not len(votes):
        nothing = at_most(0.0, lowest=0.0)
        return Claim(p_lower=nothing, gap=nothing)
    looks = experiment.looks[: len(votes)]
    failure = failures(
        experiment.bound, votes[:, guess], looks, of=experiment.looks, alpha=experiment.alpha
    )
    rival = _rivals(votes, guess, looks, experiment)
    exact, worse = (_gap(experiment, failure, rival, outward) for outward in (1.0, _OUTWARD))
    return Claim(
        p_lower=_p_lower(float(np.min(failure)), experiment.discount),
        gap=at_most(exact * (1 + _NOISE), lowest=worse),
    )


def _p_lower(failure: float, discount: float) -> Between:
    highest = max(1 - failure - discount, 0.0)
    lowest = 1 - min((failure + discount) * _OUTWARD, 1.0) - 4 * np.finfo(float).eps
    return at_most(highest * (1 + _NOISE), lowest=max(lowest, 0.0))


def _rivals(
    votes: Votes, guess: int, looks: Sequence[int], experiment: Experiment
) -> NDArray[np.float64] | None:
    """Bounds on the largest rival; 1 at a look with lost rows, of which nobody bounds how many."""
    if experiment.bound != "two-class":
        return None
    most = np.delete(votes, guess, axis=-1).max(axis=-1)
    bounds = rivals(
        most, looks, of=experiment.looks, alpha=experiment.alpha, classes=votes.shape[-1]
    )
    return np.where(votes.sum(axis=-1) == looks, bounds, 1.0)


def _gap(
    experiment: Experiment,
    failure: NDArray[np.float64],
    rival: NDArray[np.float64] | None,
    outward: float,
) -> float:
    """The best gap of the looks, one-sided or two-class; in float32's rounding for worse bounds."""
    top = _quantiles(experiment, failure, outward)
    best = float(np.max(top)) if outward == 1 else _float32_below(float(np.max(top)))
    if rival is None:
        return max(best, 0.0)
    other = _quantiles(experiment, rival, outward)
    lost = 0.0 if outward == 1 else 3 * _float32_steps(top, other)
    return max(best, float(np.max((top + other) / 2 - lost)), 0.0)


def _quantiles(
    experiment: Experiment, probability: NDArray[np.float64], outward: float
) -> NDArray[np.float64]:
    """F^-1(1 - q), for bounds worse by the factor `outward`; very negative where q = 1."""
    q = np.minimum((probability + experiment.discount) * outward, 1.0)
    quantiles = np.maximum(upper_quantile(experiment.law, q), -_FAR)
    worse: NDArray[np.float64] = quantiles - (outward - 1) * np.abs(quantiles)
    return worse


def _float32_below(value: float) -> float:
    """A float32 number below, by less than two steps."""
    return float(np.nextafter(np.float32(value), np.float32(-np.inf)))


def _float32_steps(*quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """The float32 step at the largest quantile; a difference of two loses less than three."""
    largest = np.max(np.abs(quantiles), axis=0)
    steps: NDArray[np.float64] = np.spacing(largest.astype(np.float32)).astype(np.float64)
    return steps
