"""What a command prints about its runs: tables that fit a terminal, then what they certify."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd
from rich.table import Table

from aniso_jax.report.frames import by_norm
from aniso_jax.report.memory import memory_statement, memory_summary
from aniso_jax.report.population import BETA, population_summary
from aniso_jax.report.printing import to_rich
from aniso_jax.report.statement import foreign_statement, own, statement
from aniso_jax.report.tables import proxy_summary, summary

_ACROSS = 3
"""Runs side by side: as many as 80 columns hold with their names whole."""


def printout(frames: Sequence[pd.DataFrame]) -> Iterator[Table | str]:
    """The tables of the runs, norm by norm, and the sentences that say what is certified."""
    for norm, runs in by_norm(frames).items():
        yield from _side_by_side(summary(runs), f"Certified accuracy, %, by radius ({norm})")
        if any("proxy_radius" in run for run in runs):
            title = f"Certified accuracy, %, by proxy radius ({norm})"
            yield from _side_by_side(proxy_summary(runs), title)
        if own(runs):
            title = f"If drawn at random: of all inputs, %, at least ({1 - BETA:.0%} each, {norm})"
            yield from _side_by_side(_said_of_some(population_summary(runs)), title)
        if len(asked := memory_summary(runs)):
            yield from _side_by_side(_said_of_some(asked), f"What memory changed ({norm})")
    said = statement(frames), memory_statement(frames), foreign_statement(frames)
    yield from filter(None, said)


def _said_of_some(table: pd.DataFrame) -> pd.DataFrame:
    """Without the columns in which no run has a number."""
    return table.dropna(axis="columns", how="all")


def _side_by_side(table: pd.DataFrame, title: str) -> Iterator[Table]:
    """As few tables as hold all runs, none much narrower than another."""
    tables = math.ceil(len(table) / _ACROSS)
    across = math.ceil(len(table) / max(tables, 1))
    for at in range(0, len(table), across or 1):
        yield to_rich(table.iloc[at : at + across], title=title)
