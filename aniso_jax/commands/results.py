"""Commands that read finished runs, and put runs together."""

from pathlib import Path

import pandas as pd

from aniso_jax.commands.console import console, print_tables
from aniso_jax.data.load import load as load_data
from aniso_jax.records.directory import read_experiment
from aniso_jax.records.load import load_frame
from aniso_jax.records.merge import merge_runs
from aniso_jax.records.sidecar import seconds_by_row
from aniso_jax.report.compare import galleries_of, with_containment
from aniso_jax.report.export import export as write_export
from aniso_jax.report.foreign import read_tsv
from aniso_jax.report.html import write_html
from aniso_jax.runs.results_config import Export, Merge, Report, Status
from aniso_jax.runs.status import status_of


def report(config: Report) -> None:
    """Print tables of runs and write a page of them."""
    frames = with_containment([_frame(path, config) for path in config.runs])
    data = load_data(config.data, split=config.split) if config.data else None
    galleries = galleries_of(frames, data) if data else {}
    print_tables(frames)
    title = "Certified accuracy"
    write_html(config.out, frames, galleries=galleries, title=title, overwrite=config.overwrite)
    console.print(f"\nThe report is in [bold]{config.out}[/bold].")


def export(config: Export) -> None:
    """Write a run for other tools."""
    frame = load_frame(config.run, partial=config.partial)
    seconds = seconds_by_row(config.run, read_experiment(config.run))
    time = pd.Series(seconds, index=frame.index)
    write_export(frame, config.format, config.out, time=time, overwrite=config.overwrite)
    console.print(f"{len(frame)} inputs are in [bold]{config.out}[/bold].")


def status(config: Status) -> None:
    """Say where a run stands."""
    print("\n".join(status_of(config.run).lines()))


def merge(config: Merge) -> None:
    """Put the parts of several directories into one."""
    inputs = merge_runs(config.runs, config.out, partial=config.partial)
    console.print(f"{inputs:,} inputs are in [bold]{config.out}[/bold].")


def _frame(path: Path, config: Report) -> pd.DataFrame:
    if path.is_dir():
        return load_frame(path, partial=config.partial)
    return read_tsv(path, law=config.law)
