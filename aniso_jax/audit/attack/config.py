"""What a user asks of an attack."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from aniso_jax.runs.limits import check_draws, check_seed


@dataclass(frozen=True, kw_only=True)
class Attack:
    """Search the regions of a run for a point whose smoothed class is not the certified one."""

    run: Annotated[Positional[Path], arg(metavar="RUN")]
    """The run's directory."""

    limit: Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: all)")] = None
    """Attack at most so many certified inputs."""

    n: int = 10_000
    """Fresh draws that confirm a candidate."""

    alpha: float = 0.001
    """Probability that the whole attack refutes any true certificate."""

    seed: int = 0
    """Seed of the attack's own noise; it never meets the run's, whatever the run's seed."""

    data: Annotated[
        str | None, arg(metavar="STR", help_behavior_hint="(default: what the run names)")
    ] = None
    """The run's data, by name or path."""

    model: Annotated[
        str | None, arg(metavar="STR", help_behavior_hint="(default: what the run names)")
    ] = None
    """The run's network: its safetensors file, or demo."""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_draws(self.n)
        if self.n < 1:
            raise ValueError(f"--n must be at least 1, got {self.n}.")
        if self.limit is not None and self.limit < 1:
            raise ValueError(f"--limit must be at least 1, got {self.limit}.")
        if not 0 < self.alpha < 1:
            raise ValueError(f"--alpha must lie between 0 and 1, got {self.alpha}.")
