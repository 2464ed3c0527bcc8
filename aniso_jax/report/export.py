"""A run in other people's formats: the field's tab-separated columns, Markdown, LaTeX, parquet."""

import io
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pandas as pd

from aniso_jax.report.files import write_result
from aniso_jax.report.frames import ABSTAIN
from aniso_jax.report.printing import to_latex, to_markdown
from aniso_jax.report.rounding import text_down
from aniso_jax.report.tables import proxy_summary, summary

Format = Literal["tsv", "markdown", "latex", "parquet"]
FIELD = ("index", "label", "prediction", "radius", "correct", "proxy_radius")
OURS = ("n0", "n", "hits", "p_lower", "gap", "log_volume", "status", "seed", "run", "law")
SETTINGS = ("n0", "n", "seed", "run", "law")  # attributes of the run, repeated on every line
DIGITS = 6  # decimals of a radius in tab-separated files


def export(
    df: pd.DataFrame,
    format: Format,
    path: str | Path,
    *,
    time: pd.Series | None = None,
    overwrite: bool = False,
) -> Path:
    """Write a run, whole or not at all, and return the path.

    tsv: one line per input, `idx label predict radius correct time` first, then
    `radius_proxy min_sigma`, then ours; an abstention is predict -1, radius 0.0, correct 0; radii
    are rounded down to six decimals, every other number is exact. parquet: every column, with the
    run's attributes. markdown, latex: the run's two summary tables.
    Args: time, seconds per input in the run's own index ('nan' is written without it).
    Raises `ValueError` for an unknown format, no inputs, or times of other inputs, and
    `FileExistsError` unless `overwrite`.
    """
    if format not in get_args(Format):
        raise ValueError(f"format must be one of {', '.join(get_args(Format))}, got {format!r}")
    if df.empty:
        raise ValueError("the run has no inputs; there is nothing to export")
    if time is not None and not time.index.equals(df.index):
        raise ValueError(f"time holds {len(time)} inputs, wanted the run's {len(df)} in its order")
    content = {"tsv": _tsv, "markdown": _markdown, "latex": _latex, "parquet": _parquet}[format]
    return write_result(path, content(_with_time(df, time)), overwrite=overwrite)


def _with_time(df: pd.DataFrame, time: pd.Series | None) -> pd.DataFrame:
    timed = df if time is None else df.assign(time=time)
    timed.attrs = dict(df.attrs)
    return timed


def _tsv(df: pd.DataFrame) -> bytes:
    _check_own(df)
    abstains = (df["prediction"] == ABSTAIN).to_numpy()
    size = len(df)
    columns = {
        "idx": df["index"],
        "label": df["label"],
        "predict": df["prediction"],
        "radius": _radii(df, "radius", abstains),
        "correct": (df["correct"].astype(bool) & ~abstains).astype(int),
        "time": df["time"] if "time" in df else np.full(size, np.nan),
        "radius_proxy": _radii(df, "proxy_radius", abstains),
    }
    for name in ("min_sigma", *OURS):
        columns[name] = [df.attrs[name]] * size if name in SETTINGS else df[name]
    lines = ["\t".join(columns)]
    lines += ["\t".join(map(_field, row)) for row in zip(*columns.values(), strict=True)]
    return ("\n".join(lines) + "\n").encode()


def _check_own(df: pd.DataFrame) -> None:
    wanted = {*FIELD, "min_sigma", *OURS} - {*SETTINGS}
    missing = sorted(wanted - {*df.columns}) + sorted({*SETTINGS} - {*df.attrs})
    if missing:
        lacks = ", ".join(missing)
        raise ValueError(f"the run lacks {lacks}; only this package's own runs export as tsv")


def _radii(df: pd.DataFrame, column: str, abstains: np.ndarray) -> list[str]:
    held = np.where(abstains, 0.0, df[column].to_numpy(np.float64))
    return [text_down(radius, DIGITS) if radius else "0.0" for radius in held.tolist()]


def _field(value: object) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    text = repr(value) if isinstance(value, float) else str(value)
    if any(mark in text for mark in "\t\r\n"):
        raise ValueError(f"a field holds a tab or a line break, got {text!r}; tsv cannot carry it")
    return text


def _tables(df: pd.DataFrame) -> list[pd.DataFrame]:
    return [summary([df]), proxy_summary([df])]


def _markdown(df: pd.DataFrame) -> bytes:
    return "\n".join(map(to_markdown, _tables(df))).encode()


def _latex(df: pd.DataFrame) -> bytes:
    return "\n".join(map(to_latex, _tables(df))).encode()


def _parquet(df: pd.DataFrame) -> bytes:
    out = io.BytesIO()
    df.to_parquet(out, index=False)
    return out.getvalue()
