"""What a memory changed in runs: how many regions it kept, shrank and adopted, and the cost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from aniso_jax.report.frames import names

VERDICTS = ("kept", "shrunk", "adopted", "abstained")


def memory_statement(runs: Sequence[pd.DataFrame]) -> str:
    """One sentence for every run with a memory; empty where there is none.

    >>> run = pd.DataFrame({"memory": ["kept", "shrunk"], "memory_cost": [0.0, 2.0],
    ...                     "own_prediction": [1, 1], "prediction": [1, 1]})
    >>> run.attrs = {"name": "l2", "memory": "m.sqlite", "dimension": 2}
    >>> print(memory_statement([run]))
    Memory m.sqlite in l2: 1 kept, 1 shrunk, 0 adopted, 0 abstained; 0 answers are another class \
than the input's own; of 1 region that changed, the claimed proxy radius is at mean 0.367 of the \
own.
    """
    pairs = zip(runs, names(runs), strict=True)
    return " ".join(_sentence(df, name) for df, name in pairs if "memory" in df.columns)


def _sentence(df: pd.DataFrame, name: str) -> str:
    counts = ", ".join(f"{int((df['memory'] == verdict).sum())} {verdict}" for verdict in VERDICTS)
    own = df["own_prediction"]
    others = int(((own >= 0) & (df["prediction"] >= 0) & (own != df["prediction"])).sum())
    said = f"Memory {df.attrs.get('memory')} in {name}: {counts}; {others} answers are another "
    return f"{said}class than the input's own; {_cost(df)}."


def _cost(df: pd.DataFrame) -> str:
    """The ratio of proxy radii, exp(-nats / d); an abstention or an outline keeps nothing of it."""
    had = df[df["own_prediction"] >= 0]
    changed = had[had["memory"] != "kept"]
    if not len(changed):
        return "it changed no region"
    nats = changed["memory_cost"].to_numpy(np.float64)  # NaN where nothing is left
    ratios = np.where(np.isnan(nats), 0.0, np.exp(-nats / df.attrs["dimension"]))
    regions = f"{len(changed)} region{'s' * (len(changed) > 1)} that changed"
    mean = np.floor(ratios.mean() * 1000) / 1000
    return f"of {regions}, the claimed proxy radius is at mean {mean:.3f} of the own"
