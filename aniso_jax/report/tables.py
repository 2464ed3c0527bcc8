"""Runs in numbers: one row per run, exact; printing and its rounding live in `printing`."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from aniso_jax.report.curves import average_certified_radius, certified_accuracy
from aniso_jax.report.frames import ABSTAIN, correct_values, names

RADII = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5)


def summary(runs: Sequence[pd.DataFrame], radii: Sequence[float] = RADII) -> pd.DataFrame:
    """One row per run: settings, certified accuracy, ACR, regions, abstentions, time per input.

    Shares lie in [0, 1] and nothing is rounded. `accuracy@0.25` is the share of all inputs that
    are correct with radius >= 0.25. Means of log-volumes are over the inputs that did not
    abstain (`certified` of `inputs`) and missing where one of these has none. The share
    `contains_isotropic` is among the inputs on which it is known, those that the isotropic run
    certified. What a run's file does not hold is NaN. Raises `ValueError` for no runs or for a
    run without inputs.

    >>> run = pd.DataFrame({"correct": [True], "prediction": [3], "radius": [0.5]})
    >>> summary([run], radii=[0.25]).loc["run", ["accuracy@0.25", "acr"]].tolist()
    [1.0, 0.5]
    """
    rows = [
        _settings(df)
        | _accuracy(df, "radius", "accuracy", radii)
        | {"acr": average_certified_radius(df)}
        | {"acr_proxy": _of(df, "proxy_radius", _acr_proxy)}
        | _regions(df)
        | _cost(df)
        for df in _some(runs)
    ]
    return pd.DataFrame(rows, index=pd.Index(names(runs), name="run"))


def proxy_summary(
    runs: Sequence[pd.DataFrame], radii: Sequence[float] | None = None
) -> pd.DataFrame:
    """One row per run: certified accuracy at proxy radii (`proxy_accuracy@...`) and ACR-proxy.

    Args: runs, of one norm if the numbers are to be compared; radii, or None for a round grid
    over the runs' proxy radii. Runs whose file has no proxy radius have NaN.
    Raises `ValueError` for no runs or for a run without inputs.
    """
    grid = proxy_grid(_some(runs)) if radii is None else radii
    rows = [
        _settings(df)
        | _accuracy(df, "proxy_radius", "proxy_accuracy", grid)
        | {"acr_proxy": _of(df, "proxy_radius", _acr_proxy)}
        for df in runs
    ]
    return pd.DataFrame(rows, index=pd.Index(names(runs), name="run"))


def proxy_grid(runs: Sequence[pd.DataFrame]) -> tuple[float, ...]:
    """Round proxy radii from 0 to just above the largest one of a correctly labelled input."""
    have = [df for df in runs if "proxy_radius" in df]
    top = max((correct_values(df, "proxy_radius").max(initial=0.0) for df in have), default=0.0)
    ticks = MaxNLocator(7, steps=[1, 2, 2.5, 5, 10]).tick_values(0.0, top or 1.0)
    return tuple(float(tick) for tick in ticks if tick >= 0)


def _some(runs: Sequence[pd.DataFrame]) -> Sequence[pd.DataFrame]:
    if not runs:
        raise ValueError("a table needs at least one run, got none; name a run or a result file")
    return runs


def _settings(df: pd.DataFrame) -> dict[str, Any]:
    correct_values(df, "radius")  # refuses an empty run
    given = {name: df.attrs.get(name, math.nan) for name in ("sigma", "unit")}
    return {"inputs": len(df)} | given


def _accuracy(df: pd.DataFrame, column: str, name: str, radii: Sequence[float]) -> dict[str, float]:
    heads = [f"{name}@{rho:g}" for rho in radii]
    if column not in df:
        return dict.fromkeys(heads, math.nan)
    return dict(zip(heads, certified_accuracy(df, radii, column).tolist(), strict=True))


def _acr_proxy(df: pd.DataFrame) -> float:
    return average_certified_radius(df, "proxy_radius")


def _regions(df: pd.DataFrame) -> dict[str, float]:
    certified = df[df["prediction"] != ABSTAIN]
    return {
        "certified": len(certified),
        "abstentions": len(df) - len(certified),
        "mean_log_volume": _of(certified, "log_volume", lambda d: _mean(d["log_volume"])),
        "mean_domain_log_volume": _of(
            certified, "domain_log_volume", lambda d: _mean(d["domain_log_volume"])
        ),
        "contains_isotropic": _of(df, "contains_isotropic", _known_share),
        "capped_share": _of(certified, "capped_share", lambda d: _mean(d["capped_share"])),
    }


def _cost(df: pd.DataFrame) -> dict[str, float]:
    fields = ("optimise_seconds", "certify_seconds")
    return {name: _number(df.attrs.get(name)) for name in fields}


def _of(df: pd.DataFrame, column: str, value: Callable[[pd.DataFrame], float]) -> float:
    return value(df) if column in df and len(df) else math.nan


def _number(value: float | None) -> float:
    return math.nan if value is None else float(value)


def _mean(values: pd.Series) -> float:
    return float(values.to_numpy(np.float64).mean())


def _known_share(df: pd.DataFrame) -> float:
    known = df["contains_isotropic"].dropna().astype(bool)
    return float(known.mean()) if len(known) else math.nan
