"""What a user asks of finished runs: one frozen dataclass per command, as in `config`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from aniso_jax.runs.config import LawName


@dataclass(frozen=True, kw_only=True)
class Report:
    """Draw one report over runs and over other people's tab-separated result files."""

    runs: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]", help_behavior_hint="(required)")
    ]
    """Run directories and .tsv files."""

    out: Path = Path("report.html")
    """The HTML file to write."""

    data: Annotated[str | None, arg(metavar="STR", help_behavior_hint="(default: no gallery)")] = (
        None
    )
    """The runs' data, by name or path: adds a gallery of inputs and their A^-1 maps."""

    split: Literal["train", "test"] = "test"
    """The runs' split, where the data have two."""

    law: Annotated[
        LawName | None,
        arg(metavar="{gaussian,uniform,laplace}", help_behavior_hint="(default: not stated)"),
    ] = None
    """The law of the tab-separated files, where they do not say."""

    partial: bool = False
    """Accept runs that are not finished."""

    overwrite: bool = False
    """Replace an HTML file that is there."""


@dataclass(frozen=True, kw_only=True)
class Export:
    """Write a run as a table: the field's tab-separated columns, Markdown, LaTeX or parquet."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """The run's directory."""

    out: Path
    """The file to write."""

    format: Literal["tsv", "markdown", "latex", "parquet"] = "tsv"
    """The table's format."""

    partial: bool = False
    """Accept a run that is not finished."""

    overwrite: bool = False
    """Replace a file that is there."""


@dataclass(frozen=True, kw_only=True)
class Status:
    """Say how far a run is: done, running, missing, rate and time left. Writes nothing."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """The run's directory."""


@dataclass(frozen=True, kw_only=True)
class Merge:
    """Bring the parts of one run that lie in several directories into one, each part checked."""

    runs: Annotated[
        Positional[tuple[Path, ...]], arg(metavar="RUN [RUN ...]", help_behavior_hint="(required)")
    ]
    """Run directories of one configuration, such as shards that wrote apart."""

    out: Path
    """The run directory to write; it may be one of them."""

    partial: bool = False
    """Merge although parts are missing."""

    def __post_init__(self) -> None:
        if not self.runs:
            raise ValueError("merge needs at least one run directory: name them.")
