"""What a user asks of `aniso-jax verify`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

_Data = Annotated[str | None, arg(metavar="STR", help_behavior_hint="(default: what RUN names)")]
_Model = Annotated[str | None, arg(metavar="FILE", help_behavior_hint="(default: what RUN names)")]
_Memory = Annotated[Path | None, arg(metavar="FILE", help_behavior_hint="(default: none)")]


@dataclass(frozen=True, kw_only=True)
class Verify:
    """Doubt a run: derive every number again from its votes, and draw votes again."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """The run's directory."""

    replay: int = 0
    """Draw the votes of so many inputs again from their seeds, spread evenly over the run."""

    data: _Data = None
    """The run's data, by name or path as certify takes them."""

    model: _Model = None
    """The run's network: its safetensors file, or demo."""

    memory: _Memory = None
    """The run's memory file: its copies of the run's regions, and the regions of other runs that
    answers rest on; all pairs of its regions, as memory check does."""

    partial: bool = False
    """Accept a run that is not finished."""

    def __post_init__(self) -> None:
        if self.replay < 0:
            raise ValueError(f"--replay must be at least 0, got {self.replay}.")
