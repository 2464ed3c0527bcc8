"""What a memory changed in runs: how many regions it kept, shrank and adopted, and the cost."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from aniso_jax.memory.cost import cost_said
from aniso_jax.report.frames import names

VERDICTS = ("kept", "shrunk", "adopted", "abstained")
_DOWN = 1 - 1e-12  # as records are rounded, so that a kept region's radii are the same twice


def memory_statement(runs: Sequence[pd.DataFrame]) -> str:
    """One sentence for every run with a memory; empty where there is none.

    >>> run = pd.DataFrame({"memory": ["kept", "shrunk"], "memory_cost": [0.0, 2.0],
    ...                     "own_prediction": [1, 1], "prediction": [1, 1],
    ...                     "own_gap": [1.0, 1.0]})
    >>> run.attrs = {"name": "l2", "memory": "m.sqlite", "dimension": 2}
    >>> print(memory_statement([run]))
    Memory m.sqlite in l2: 1 kept, 1 shrunk, 0 adopted, 0 abstained; 0 answers are another class \
than the input's own; 1 certificate lost volume, with 0.367 of the proxy radius left at mean and \
nothing left of 0.
    """
    pairs = zip(runs, names(runs), strict=True)
    return " ".join(_sentence(df, name) for df, name in pairs if "memory" in df.columns)


def memory_summary(runs: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """One row per run with a memory: what it answered, and the radii alone and with it.

    `kept`, `shrunk`, `adopted` and `memory_abstained` count the inputs by what the memory did with
    them; `other_class` those that answer another class than their own certificate. `acr_alone`
    and `acr_proxy_alone` are those of the certificates before the memory was asked, `acr` and
    `acr_proxy` of what is claimed after it; `nats_lost` is the mean log-volume that regions lost
    which were shrunk, or left for another of their class; NaN where none was.
    """
    remembering = [
        (df, name) for df, name in zip(runs, names(runs), strict=True) if "memory" in df.columns
    ]
    rows = [_row(df) for df, _ in remembering]
    return pd.DataFrame(rows, index=pd.Index([name for _, name in remembering], name="run"))


def _row(df: pd.DataFrame) -> dict[str, float]:
    kept, shrunk, adopted, abstained = _counts(df)
    alone, proxy_alone = _own_radii(df)
    right_alone, right = df["own_prediction"] == df["label"], df["correct"].astype(bool)
    lost = df.loc[df["memory"].isin(("shrunk", "adopted")), "memory_cost"].dropna()
    seconds = df.attrs.get("fold_seconds")
    return {
        "kept": kept,
        "shrunk": shrunk,
        "adopted": adopted,
        "memory_abstained": abstained,
        "other_class": _others(df),
        "acr_alone": float(np.mean(alone * right_alone)),
        "acr": float(np.mean(df["radius"].to_numpy() * right)),
        "acr_proxy_alone": float(np.mean(proxy_alone * right_alone)),
        "acr_proxy": float(np.mean(df["proxy_radius"].to_numpy() * right)),
        "nats_lost": float(lost.mean()) if len(lost) else math.nan,
        "fold_seconds": math.nan if seconds is None else float(seconds),
    }


def _counts(df: pd.DataFrame) -> list[int]:
    return [int((df["memory"] == verdict).sum()) for verdict in VERDICTS]


def _own_radii(df: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radius and proxy radius of the inputs' own certificates."""
    gap = df["own_gap"].to_numpy(np.float64)
    scales = df["sigma"].where(df["theta"].isna(), df["theta"])
    mean_log = np.array([np.mean(np.log(np.asarray(scale, np.float64))) for scale in scales])
    with np.errstate(divide="ignore"):
        proxy = np.exp(np.log(gap) + mean_log)
    return gap * df["min_sigma"].to_numpy(np.float64) * _DOWN, proxy * _DOWN


def _others(df: pd.DataFrame) -> int:
    own = df["own_prediction"]
    return int(((own >= 0) & (df["prediction"] >= 0) & (own != df["prediction"])).sum())


def _sentence(df: pd.DataFrame, name: str) -> str:
    pairs = zip(_counts(df), VERDICTS, strict=True)
    counts = ", ".join(f"{count} {verdict}" for count, verdict in pairs)
    return (
        f"Memory {df.attrs.get('memory')} in {name}: {counts}; {_others(df)} answers are another "
        f"class than the input's own; {_cost(df)}."
    )


def _cost(df: pd.DataFrame) -> str:
    """As `memory show` says it; an abstention, an outline or another class keeps nothing."""
    had = df[df["own_gap"] > 0]
    if (had["memory"] == "kept").all():
        return "it changed no region"
    nats = had["memory_cost"].to_numpy(np.float64)  # NaN where nothing is left
    return cost_said(np.where(np.isnan(nats), np.inf, nats).tolist(), df.attrs["dimension"])
