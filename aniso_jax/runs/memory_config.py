"""What a user asks of `aniso-jax memory`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from aniso_jax.runs.selection_config import Selection

_Number = Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: all)")]


@dataclass(frozen=True, kw_only=True)
class MemoryCommand:
    """Look into a memory file: show what it holds, check all of it, or query it."""

    action: Annotated[Positional[Literal["show", "check", "query", "copy"]], arg(metavar="ACTION")]
    """show: counts and costs; check: pages and digests, and every pair of regions again in float64,
    about 10 microseconds a pair of 784 dimensions (5 seconds for 1,000 regions, 10 minutes for
    10,000); query: what the stored regions answer for inputs of --data; copy: all of it to a new
    file, also while a process has it open. The memory itself is not changed."""

    file: Annotated[Positional[Path], arg(metavar="FILE")]
    """The memory, as certify --memory makes it."""

    data: Annotated[
        str | None, arg(metavar="STR", help_behavior_hint="(for query; no default)")
    ] = None
    """Data by name or path, for query, as certify takes them."""

    split: Literal["train", "test"] = "test"
    """Which split, where the data have two."""

    start: int = 0
    """First index."""

    limit: _Number = None
    """Query at most so many inputs."""

    to: Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="(for copy; no default)")] = (
        None
    )
    """The file that copy makes."""

    def __post_init__(self) -> None:
        if (self.action == "copy") != (self.to is not None):
            raise ValueError("--to goes with copy, and copy needs it: name the file to be made.")
        if (self.action == "query") != (self.data is not None):
            raise ValueError("--data goes with query, and query needs it: name the data to ask.")

    @property
    def selection(self) -> Selection:
        """The inputs to query."""
        return Selection(data=str(self.data), split=self.split, start=self.start, limit=self.limit)
