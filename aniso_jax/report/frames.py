"""What every drawing asks of a run: its columns, its name, the norm of its regions."""

from collections import Counter
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aniso_jax.geometry.balls import box_radius

ABSTAIN = -1
ORDER = MappingProxyType({"gaussian": 2, "uniform": 1, "laplace": 1})
NORM = MappingProxyType({2: "ℓ₂", 1: "ℓ₁"})


def order(df: pd.DataFrame) -> int | None:
    """Order of the norm in which the run's radii are measured; None where its file does not say."""
    return ORDER.get(df.attrs.get("law", ""))


def norm_name(df: pd.DataFrame) -> str:
    """The norm in words: 'ℓ₂', 'ℓ₁' or 'norm not stated'."""
    known = order(df)
    return "norm not stated" if known is None else NORM[known]


def by_norm(runs: Sequence[pd.DataFrame]) -> dict[str, list[pd.DataFrame]]:
    """The runs, one group per norm, because radii of different norms have no common axis.

    Runs whose file names no norm are a group of their own, "norm not stated": nobody guesses it.
    """
    groups: dict[str, list[pd.DataFrame]] = {}
    for df in runs:
        groups.setdefault(norm_name(df), []).append(df)
    return groups


def names(runs: Sequence[pd.DataFrame]) -> list[str]:
    """One name per run; what two runs share is told apart by sigma, then by the run's hash."""
    plain = [str(df.attrs.get("name", "run")) for df in runs]
    by_sigma = _told_apart(plain, runs, "sigma", "σ ")
    return _told_apart(by_sigma, runs, "run", "run ")


def correct_values(df: pd.DataFrame, column: str) -> NDArray[np.float64]:
    """`column` of the inputs that are labelled correctly, ascending.

    Raises `ValueError` for an empty run, a missing column, or radii that are not finite and >= 0.
    """
    name = df.attrs.get("name", "run")
    if df.empty:
        raise ValueError(f"{name!r} has no inputs; give a run with at least one certified input")
    for wanted in ("correct", column):
        if wanted not in df.columns:
            raise ValueError(f"{name!r} has no column {wanted!r}; it has {', '.join(df.columns)}")
    held = df.loc[df["correct"].astype(bool), column].to_numpy(np.float64)
    if not (np.isfinite(held) & (held >= 0)).all():
        raise ValueError(f"{name!r} has a {column} that is not a finite number >= 0; mend the run")
    return np.sort(held)


def box_proxy_radius(df: pd.DataFrame) -> float | None:
    """Proxy radius of a region as large as the box [0, 1]^d; None where norm or d is unknown."""
    known, dimension = order(df), df.attrs.get("dimension")
    return None if known is None or dimension is None else box_radius(int(dimension), known)


def _told_apart(
    plain: Sequence[str], runs: Sequence[pd.DataFrame], key: str, word: str
) -> list[str]:
    count = Counter(plain)
    return [
        f"{name}, {word}{str(df.attrs[key])[:8]}" if count[name] > 1 and key in df.attrs else name
        for name, df in zip(plain, runs, strict=True)
    ]
