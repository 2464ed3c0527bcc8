"""Tables on paper: headings, rounding with a direction, terminal, Markdown and LaTeX."""

from collections.abc import Callable
from types import MappingProxyType

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from aniso_jax.report.rounding import percent_down, percent_up, significant_up, text_down, text_up

MISSING = "–"
HEADING = MappingProxyType(
    {
        "inputs": "inputs",
        "sigma": "σ",
        "acr": "ACR",
        "acr_proxy": "ACR-proxy",
        "certified": "certified",
        "abstentions": "abstained",
        "mean_log_volume": "mean log volume",
        "mean_domain_log_volume": "… inside the box",
        "contains_isotropic": "contains isotropic",
        "capped_share": "axes capped",
        "expected_false": "false certificates expected",
        "expected_false_regions": "false own regions expected",
        "optimise_seconds": "optimise, s/input",
        "certify_seconds": "certify, s/input",
        "kept": "kept",
        "shrunk": "shrunk",
        "adopted": "adopted",
        "memory_abstained": "abstained",
        "other_class": "another class",
        "acr_alone": "ACR alone",
        "acr_proxy_alone": "ACR-proxy alone",
        "nats_lost": "log volume lost",
        "fold_seconds": "memory, s/input",
    }
)
_LATEX = MappingProxyType(
    {
        "σ": r"$\sigma$",
        "≥": r"$\geq$",
        "≤": r"$\leq$",
        "ℓ₂": r"$\ell_2$",
        "ℓ₁": r"$\ell_1$",
        "–": "--",
        "−": "$-$",
        "…": r"\dots",
    }
)


def _count(value: float) -> str:
    return f"{int(value):,}"


def _seconds(value: float) -> str:
    """Three digits, never an exponent; below a millisecond a clock says little."""
    if value < 0.001:
        return "< 0.001"
    return f"{value:.3g}" if value < 100 else f"{value:,.0f}"


FORMAT: MappingProxyType[str, Callable[[float], str]] = MappingProxyType(
    {
        "inputs": _count,
        "certified": _count,
        "abstentions": _count,
        "sigma": lambda value: f"{value:g}",
        "acr": lambda value: text_down(value, 3),
        "acr_proxy": lambda value: text_down(value, 3),
        "mean_log_volume": lambda value: text_down(value, 1),
        "mean_domain_log_volume": lambda value: f"≤ {text_up(value, 1)}",
        "contains_isotropic": lambda value: f"{percent_down(value)} %",
        "capped_share": lambda value: f"{percent_up(value)} %",
        "expected_false": lambda value: f"≤ {significant_up(value, 2)}",
        "expected_false_regions": lambda value: f"≤ {significant_up(value, 2)}",
        "optimise_seconds": _seconds,
        "certify_seconds": _seconds,
        **dict.fromkeys(("kept", "shrunk", "adopted", "memory_abstained", "other_class"), _count),
        "acr_alone": lambda value: text_down(value, 3),
        "acr_proxy_alone": lambda value: text_down(value, 3),
        "nats_lost": lambda value: text_up(value, 1),
        "fold_seconds": _seconds,
    }
)


def printed(table: pd.DataFrame) -> pd.DataFrame:
    """The table as text, with headings for people.

    Guarantee: shares, radii and volumes are rounded down; the share of capped axes and the upper
    bound on the volume inside the box are rounded up. Missing numbers print as a dash.
    """
    columns = {name: _texts(name, table[name]) for name in table.columns if name != "unit"}
    if "sigma" in columns and "unit" in table:
        pairs = zip(columns["sigma"], table["unit"], strict=True)
        columns["sigma"] = [f"{s} {u}" if isinstance(u, str) else s for s, u in pairs]
    text = pd.DataFrame(columns, index=table.index, dtype=str)
    return text.rename(columns=_heading)


def to_rich(table: pd.DataFrame, title: str | None = None) -> Table:
    """The table for a terminal, one column a run; what says nothing about any run is left out.

    Where the terminal is narrow, long names and cells fold; nothing is cut off.
    """
    text = printed(table.dropna(axis="columns", how="all")).T
    drawn = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False)
    drawn.add_column("", no_wrap=True)
    for name in text.columns:
        drawn.add_column(Text(str(name)), justify="right", overflow="fold")
    for heading, row in text.iterrows():
        drawn.add_row(str(heading), *row)
    return drawn


def to_markdown(table: pd.DataFrame) -> str:
    """The table in GitHub's Markdown."""
    text = printed(table.dropna(axis="columns", how="all"))
    text.index = text.index.str.replace("|", r"\|", regex=False)
    align = ("left", *("right" for _ in text.columns))
    return str(text.to_markdown(colalign=align, disable_numparse=True)) + "\n"


def to_latex(table: pd.DataFrame) -> str:
    r"""The table in LaTeX; the document needs `\usepackage{booktabs}`."""
    text = printed(table.dropna(axis="columns", how="all")).rename_axis(index=None)
    source = str(text.to_latex(escape=True, column_format="l" + "r" * text.shape[1]))
    for sign, command in _LATEX.items():
        source = source.replace(sign, command)
    return source


def _heading(name: str) -> str:
    if "@" in name:
        kind, rho = name.split("@")
        return f"{'proxy' if kind.startswith('proxy') else 'r'} ≥ {rho}"
    return HEADING[name]


def _texts(name: str, values: pd.Series) -> list[str]:
    write = percent_down if "@" in name else FORMAT[name]
    return [MISSING if pd.isna(value) else write(value).replace("-", "−") for value in values]
