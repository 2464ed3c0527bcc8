"""The report: one HTML file that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from aniso_jax.report.curves import plot_curves
from aniso_jax.report.files import write_result
from aniso_jax.report.frames import box_proxy_radius, by_norm, correct_values, names
from aniso_jax.report.memory import memory_statement, memory_summary
from aniso_jax.report.palette import CSS_LINE, CSS_MARKER, colours, line_styles
from aniso_jax.report.pictures import to_svg
from aniso_jax.report.population import BETA, population_summary
from aniso_jax.report.printing import printed
from aniso_jax.report.statement import foreign_statement, own, statement
from aniso_jax.report.tables import RADII, proxy_summary, summary

FACTS = ("data", "model", "dtype", "dimension", "n0", "n", "alpha", "joint_alpha", "seed", "mode")
REGIONS = (
    "acr_proxy",
    "mean_log_volume",
    "mean_domain_log_volume",
    "contains_isotropic",
    "capped_share",
    "abstentions",
    "optimise_seconds",
    "certify_seconds",
)


def write_html(
    path: str | Path,
    runs: Sequence[pd.DataFrame],
    *,
    galleries: Mapping[str, Figure],
    title: str,
    radii: Sequence[float] = RADII,
    overwrite: bool = False,
) -> Path:
    """Write the report of `runs` as one self-contained file, whole or not at all.

    It says what is certified, then shows tables, curves (by radius and by proxy radius, one pair
    per norm), the galleries and every setting. No script, no request to anywhere (its content
    security policy forbids them), light and dark by the reader's preference.
    Args: galleries, a heading for each figure (a figure's own label is its text alternative).
    Raises `ValueError` for no runs or a run without inputs, `FileExistsError` unless `overwrite`.
    """
    page = _environment().get_template("report.html.j2")
    groups = [_group(i, norm, group, radii) for i, (norm, group) in enumerate(_split(runs))]
    text = page.render(
        title=title,
        facts=_common(runs, FACTS),
        statement=statement(runs),
        memory=memory_statement(runs),
        foreign=foreign_statement(runs),
        groups=groups,
        galleries=[_gallery(i, *item) for i, item in enumerate(galleries.items())],
        common=_common(runs, _fields(runs)),
        differing=_differing(runs),
    )
    return write_result(path, text.encode(), overwrite=overwrite)


def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("aniso_jax.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _split(runs: Sequence[pd.DataFrame]) -> list[tuple[str, list[pd.DataFrame]]]:
    if not runs:
        raise ValueError("a report needs at least one run, got none; name a run or a result file")
    return list(by_norm(runs).items())


def _group(
    number: int, norm: str, runs: Sequence[pd.DataFrame], radii: Sequence[float]
) -> dict[str, Any]:
    table, proxies = summary(runs, _reached(runs, radii)), proxy_summary(runs)
    inks = colours(runs)
    regions = table[list(REGIONS)]
    return {
        "norm": norm,
        "by_radius": _rows(table[["sigma", "unit", "inputs", *_at(table), "acr"]], inks),
        "by_proxy": _rows(proxies[[*_at(proxies), "acr_proxy"]], inks),
        "population": _population(runs, _reached(runs, radii), inks),
        "confidence": f"{1 - BETA:.0%}",
        "regions": _rows(regions.drop(columns="acr_proxy"), inks),
        "memory": _memory(runs, inks),
        "curves": _curves(number, norm, runs),
        "legend": _legend(runs),
        "boxes": sorted({f"{r:.3g}" for df in runs if (r := box_proxy_radius(df))}),
    }


def _population(
    runs: Sequence[pd.DataFrame], radii: Sequence[float], inks: Sequence[str]
) -> dict[str, Any] | None:
    """What the run's sample says of all inputs; None where no run is of this project."""
    drawn = [ink for df, ink in zip(runs, inks, strict=True) if own([df])]
    return _rows(population_summary(runs, radii), drawn) if drawn else None


def _memory(runs: Sequence[pd.DataFrame], inks: Sequence[str]) -> dict[str, Any] | None:
    """What memory changed; None where no run has one."""
    asked = [ink for df, ink in zip(runs, inks, strict=True) if "memory" in df]
    return _rows(memory_summary(runs), asked) if asked else None


def _reached(runs: Sequence[pd.DataFrame], radii: Sequence[float]) -> list[float]:
    """The radii up to the first one that no run reaches: more columns of zeros say nothing."""
    ascending = sorted(radii)
    best = max(correct_values(df, "radius").max(initial=0.0) for df in runs)
    return [
        rho for rho, before in zip(ascending, [0.0, *ascending], strict=False) if before <= best
    ]


def _at(table: pd.DataFrame) -> list[str]:
    return [name for name in table.columns if "@" in name]


def _rows(table: pd.DataFrame, inks: Sequence[str]) -> dict[str, Any]:
    """A table for the template; nothing where no run has any of its numbers."""
    kept = table.dropna(axis="columns", how="all")
    text = printed(kept)
    rows = [
        {"name": name, "ink": ink, "cells": list(row)}
        for (name, row), ink in zip(text.iterrows(), inks, strict=True)
    ]
    return {"heads": list(text.columns), "rows": rows}


def _curves(number: int, norm: str, runs: Sequence[pd.DataFrame]) -> list[dict[str, Any]]:
    drawn = []
    for column, words in (("radius", "radius"), ("proxy_radius", "proxy radius")):
        have = [df for df in runs if column in df]
        if have:
            alt = f"Certified accuracy over the {norm} {words}, one curve per run: "
            alt += ", ".join(names(have)) + "; the tables above hold the numbers"
            ax = plot_curves(have, column)
            ax.get_legend().remove()  # the page has one legend for both plots, names of any length
            name = f"curve-{number}-{column.replace('_', '-')}"
            drawn.append({"svg": to_svg(ax.figure, name=name, alt=alt), "words": words})
    return drawn


def _legend(runs: Sequence[pd.DataFrame]) -> list[dict[str, str]]:
    return [
        {
            "name": name,
            "ink": style["color"],
            "line": CSS_LINE[style["linestyle"]],
            "marker": CSS_MARKER[style["marker"]],
        }
        for name, style in zip(names(runs), line_styles(runs), strict=True)
    ]


def _gallery(number: int, heading: str, figure: Figure) -> dict[str, Any]:
    alt = f"{heading}: {figure.get_label() or 'a picture of inputs'}"
    return {"heading": heading, "svg": to_svg(figure, name=f"gallery-{number}", alt=alt)}


def _fields(runs: Sequence[pd.DataFrame]) -> list[str]:
    seen = dict.fromkeys(key for df in runs for key in df.attrs if key != "name")
    return [key for key in seen if not key.endswith("_seconds")]


def _common(runs: Sequence[pd.DataFrame], keys: Sequence[str]) -> dict[str, str]:
    """The settings that all runs state alike."""
    values = {key: {_said(df, key) for df in runs} for key in keys}
    return {key: said.pop() for key, said in values.items() if len(said) == 1 and "" not in said}


def _said(df: pd.DataFrame, key: str) -> str:
    value = df.attrs.get(key)
    if value is None:
        return ""
    return f"{value:,}" if key in ("n0", "n") else str(value)


def _differing(runs: Sequence[pd.DataFrame]) -> dict[str, Any]:
    common = _common(runs, _fields(runs))
    heads = [key for key in _fields(runs) if key not in common]
    inks = colours(runs)
    rows = [
        {"name": name, "ink": ink, "cells": [_said(df, key) or "–" for key in heads]}
        for name, ink, df in zip(names(runs), inks, runs, strict=True)
    ]
    return {"heads": heads, "rows": rows}
