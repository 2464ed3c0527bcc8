"""Options that may be left out: the help says what then happens, not "None"."""

from pathlib import Path
from typing import Annotated

from tyro.conf import arg

Index = Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: the end)")]
Most = Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: all)")]
Draws = Annotated[
    int | None,
    arg(metavar="INT", help_behavior_hint="(default: 100,000, or the last look)"),
]
Looks = Annotated[
    tuple[int, ...] | None,
    arg(metavar="INT [INT ...]", help_behavior_hint="(default: one, at n)"),
]
Goal = Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint="(default: none)")]
Steps = Annotated[
    int | None, arg(metavar="INT", help_behavior_hint="(default: none, noise in floating point)")
]
File = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")]
Share = Annotated[str | None, arg(metavar="I/K", help_behavior_hint="(default: the whole run)")]
Auto = Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: auto)")]
