"""Reader of the field's tab-separated result files: idx label predict radius correct time."""

import csv
import math
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from aniso_jax.report.frames import ABSTAIN, ORDER

NEEDED = ("idx", "label", "predict", "radius", "correct", "time")
RENAMED = MappingProxyType(
    {"idx": "index", "predict": "prediction", "radius_proxy": "proxy_radius"}
)
SETTINGS = ("n0", "n", "seed", "run", "law")  # one value per run: they belong to its attributes


def read_tsv(path: str | Path, *, law: str | None = None) -> pd.DataFrame:
    """Read another tool's result file into the columns that reports draw.

    Columns that the file lacks are absent; columns beyond the field's stay, as text. Our own
    export says its law in the column `law`; most files do not say their norm, and `law`
    ('gaussian', 'uniform', 'laplace') states it for those, where you know it.
    The radii are taken as they stand (many tools print them rounded to nearest).

    Raises `ValueError`, with file and line, for a missing column, a wrong number of fields, a
    field that is not such a number, an index that comes twice, and for rows that contradict
    themselves (correct although the prediction is not the label, a radius on an abstention).
    """
    if law is not None and law not in ORDER:
        raise ValueError(f"law must be one of {', '.join(ORDER)}, got {law!r}")
    source = Path(path)
    header, rows = _split(source)
    fields = {name: [row[j] for row in rows] for j, name in enumerate(header)}
    read = {name: _column(source, name, texts) for name, texts in fields.items()}
    df = pd.DataFrame({RENAMED.get(name, name): values for name, values in read.items()})
    _check_rows(source, df)
    df["correct"] = df["correct"].astype(bool)
    return _with_attributes(df, source, law)


def _split(source: Path) -> tuple[list[str], list[list[str]]]:
    header, *rows = _lines(source) or [[]]
    missing = [name for name in NEEDED if name not in header]
    if missing:
        wanted = " ".join(NEEDED)
        raise ValueError(f"{source}: no column {missing[0]!r}; the first line must name {wanted}")
    if len(set(header)) != len(header):
        raise ValueError(f"{source}: a column is named twice in {' '.join(header)}")
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise ValueError(f"{source}, line {line}: {len(row)} fields, wanted {len(header)}")
    if not rows:
        raise ValueError(f"{source}: no inputs below the first line; nothing to report")
    return header, rows


def _lines(source: Path) -> list[list[str]]:
    try:
        with source.open(newline="", encoding="utf-8") as lines:
            return list(csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{source} is no tab-separated text ({error}); give a run or a result file"
        raise ValueError(message) from error


def _column(source: Path, name: str, texts: list[str]) -> list[Any]:
    parse, wanted = PARSERS.get(name, (str, "text"))
    values = []
    for line, text in enumerate(texts, start=2):
        try:
            values.append(parse(text))
        except (ValueError, KeyError):
            message = f"{source}, line {line}: {name} is {text!r}, wanted {wanted}"
            raise ValueError(message) from None
    return values


def _size(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and value >= 0):
        raise ValueError
    return value


def _seconds(text: str) -> float:
    """Seconds, the h:mm:ss that Python prints for a time difference, or nan: not measured."""
    if text == "nan":
        return math.nan
    return float(pd.Timedelta(text).total_seconds()) if ":" in text else _size(text)


_flag = {"0": False, "1": True}.__getitem__


PARSERS: MappingProxyType[str, tuple[Callable[[str], Any], str]] = MappingProxyType(
    {
        "idx": (int, "a whole number"),
        "label": (int, "a whole number"),
        "predict": (int, "a whole number (-1 for an abstention)"),
        "radius": (_size, "a finite number >= 0"),
        "correct": (_flag, "0 or 1"),
        "time": (_seconds, "seconds or h:mm:ss"),
        "radius_proxy": (_size, "a finite number >= 0"),
        "min_sigma": (_size, "a finite number >= 0"),
        "n0": (int, "a whole number"),
        "n": (int, "a whole number"),
        "seed": (int, "a whole number"),
        "hits": (int, "a whole number"),
        "p_lower": (float, "a number"),
        "gap": (_size, "a finite number >= 0"),
        "log_volume": (float, "a number"),
        "law": ({name: name for name in ORDER}.__getitem__, f"one of {', '.join(ORDER)}"),
    }
)


def _check_rows(source: Path, df: pd.DataFrame) -> None:
    abstains = df["prediction"] == ABSTAIN
    problems = {
        "the index comes twice; keep one run per file": df["index"].duplicated(),
        "correct must be 1 exactly where predict is the label": df["correct"]
        != (df["prediction"] == df["label"]),
        "predict -1 is an abstention, which has radius 0": abstains & (df["radius"] > 0),
        "predict must be -1 or a class": df["prediction"] < ABSTAIN,
    }
    if "law" in df:
        problems["the law changes; keep one run per file"] = df["law"] != df["law"].iloc[0]
    for sentence, wrong in problems.items():
        if wrong.any():
            raise ValueError(f"{source}, line {int(wrong.to_numpy().argmax()) + 2}: {sentence}")


def _with_attributes(df: pd.DataFrame, source: Path, law: str | None) -> pd.DataFrame:
    constant = [name for name in SETTINGS if name in df and df[name].nunique() == 1]
    attrs: dict[str, Any] = {"name": source.stem, "source": "result file of another tool"}
    attrs |= {name: df[name].tolist()[0] for name in constant}
    if df["time"].notna().all():
        attrs["certify_seconds"] = math.fsum(df["time"]) / len(df)
    if law is not None:
        attrs.setdefault("law", law)
    df = df.drop(columns=constant)
    df.attrs = attrs
    return df
