"""What a user asks of `aniso-jax figures`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from aniso_jax.runs.config import LawName
from aniso_jax.runs.limits import check_draws, check_seed

Part = Literal["landscapes", "concepts", "sections", "changes", "maps", "areas"]
PARTS: tuple[Part, ...] = ("landscapes", "concepts", "sections", "changes", "maps", "areas")

_Data = Annotated[
    str | None, arg(metavar="STR", help_behavior_hint="(default: the run's, or mnist5k)")
]
_Model = Annotated[
    str | None, arg(metavar="FILE", help_behavior_hint="(default: the run's, or demo)")
]
_Runs = Annotated[
    tuple[Path, ...], arg(metavar="RUN [RUN ...]", help_behavior_hint="(default: made in OUT/runs)")
]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Draw the figures that explain regions, from real computations, and measure areas in 2-D."""

    out: Path
    """Directory of the pictures, of captions.json, figures.html and areas.json; pictures of the
    same names are replaced, and runs in OUT/runs are continued."""

    only: tuple[Part, ...] = PARTS
    """Which of them."""

    run: _Runs = ()
    """Finished runs over images, one of a kind: isotropic, anisotropic, rotated. The isotropic one
    is made where it is missing."""

    data: _Data = None
    """Images, by name or path as certify takes them."""

    model: _Model = None
    """Their network: its safetensors file, or demo."""

    law: LawName = "gaussian"
    """Law of the noise of runs over images that are made here."""

    sigma: float = 0.25
    """Where their searches start: std (gaussian), half-width (uniform), b (laplace)."""

    images: int = 4
    """Images in the figures that show several."""

    picks: int = 3
    """Directions without curvature that the sections are shown along."""

    points: int = 100
    """Points whose areas are measured."""

    n: int = 10_000
    """Estimation draws of an image."""

    plane_n: int = 100_000
    """Estimation draws of a point of the plane."""

    alpha: float = 0.001
    """Probability of a false certificate, per region."""

    seed: int = 0
    """Seed of all noise and of all directions that are picked."""

    quick: bool = False
    """Few points, images and draws: to see what there will be."""

    def __post_init__(self) -> None:
        check_seed(self.seed)
        check_draws(self.n)
        check_draws(self.plane_n, option="--plane-n")
        for name in ("images", "picks", "points"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1, got {getattr(self, name)}.")
