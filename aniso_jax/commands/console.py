"""Where commands print."""

import pandas as pd
from rich.console import Console

from aniso_jax.report.terminal import printout

console = Console()


def print_tables(frames: list[pd.DataFrame]) -> None:
    """The tables of some runs, side by side."""
    for printed in printout(frames):
        console.print(printed)
