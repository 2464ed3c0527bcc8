"""From the inputs of a run to all inputs: how many certificates to distrust, how far they carry."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd

from aniso_jax.report.frames import correct_values, names
from aniso_jax.report.statement import has_memory, own
from aniso_jax.report.tables import RADII
from aniso_jax.statistics.binomial import failure_bounds

BETA = 0.05
"""Probability that the bound on the population is wrong."""


def population_lower(hits: int, inputs: int, alpha: float, beta: float = BETA) -> float:
    """Lower bound on the share of the population whose certificate is right and true.

    A hit is right and claims the radius; it may be false, with probability at most alpha. So
    P[hit] <= P[right, and robust at the radius] + alpha, and Clopper-Pearson bounds P[hit].

    Args:
      hits: of so many `inputs`, drawn independently from the population, with draws of their own.
      alpha: of each certificate.
      beta: probability that the bound is wrong.

    >>> population_lower(95, 100, 0.001) < 0.95
    True
    """
    return max(float(1 - failure_bounds(inputs, beta)[hits]) - alpha, 0.0)


def population_summary(
    runs: Sequence[pd.DataFrame], radii: Sequence[float] = RADII, beta: float = BETA
) -> pd.DataFrame:
    """One row per own run: expected false certificates, population bounds at the radii.

    `expected_false` is alpha times the inputs: at most so many false certificates are expected
    among them. In a run with a memory many answers may rest on one false region, so the same
    number bounds the false regions among its own certificates, as `expected_false_regions`.
    `population@0.25` bounds the share of all inputs with radius >= 0.25; NaN where the inputs'
    errors depend on each other: they saw the same draws (as equal inputs do), or rest on a memory.
    """
    rows = [
        {"inputs": len(df)}
        | _expected(df)
        | {f"population@{rho:g}": _at(df, rho, beta) for rho in radii}
        for df in own(runs)
    ]
    return pd.DataFrame(rows, index=pd.Index(names(own(runs)), name="run"))


def _expected(df: pd.DataFrame) -> dict[str, float]:
    """Every input was asked for a certificate of its own, whatever the memory answered."""
    false, of_regions = float(df.attrs["alpha"]) * len(df), has_memory(df)
    return {
        "expected_false": math.nan if of_regions else false,
        "expected_false_regions": false if of_regions else math.nan,
    }


def _at(df: pd.DataFrame, rho: float, beta: float) -> float:
    if df.attrs.get("shared_draws") or has_memory(df) or df["input_id"].duplicated().any():
        return math.nan  # the inputs' errors are not independent
    hits = int(np.sum(correct_values(df, "radius") >= rho))
    return population_lower(hits, len(df), float(df.attrs["alpha"]), beta)
