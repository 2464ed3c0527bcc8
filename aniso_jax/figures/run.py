"""The whole command: each figure computed, drawn and written; then the page that holds them."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any

from aniso_jax.figures.caption import Drawing
from aniso_jax.figures.config import Figures, Part
from aniso_jax.figures.images.changes import changes
from aniso_jax.figures.images.curvature import sections
from aniso_jax.figures.images.parameters import maps
from aniso_jax.figures.images.runs import ImageRuns, image_runs
from aniso_jax.figures.plane.agreement import agreement
from aniso_jax.figures.plane.areas import area_table
from aniso_jax.figures.plane.concepts import concepts
from aniso_jax.figures.plane.sought import Effort
from aniso_jax.figures.write import write_areas, write_drawing, write_page
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.smoothing.laws import gaussian, uniform

_QUICK = {"images": 2, "picks": 1, "points": 3, "n": 200, "plane_n": 200}
_QUICK_STEPS, _STEPS = 5, 150


def figures_run(
    config: Figures,
    *,
    watch: Watch = silent,
    told: Callable[[str], None] = lambda name: None,
) -> dict[str, Any] | None:
    """Draw what is asked into OUT; returns the table of areas, if it was asked for.

    Pictures, captions.json, figures.html and areas.json are replaced where they are there; runs
    over images in OUT/runs are continued, and done again only where they are not finished.

    Args:
      told: the name of each figure before it is computed.

    Raises:
      ValueError: OUT is no directory, or what a run in it refuses; nothing is drawn then.
    """
    check_out(config.out)
    work = _Work(_quickened(config), watch)
    config.out.mkdir(parents=True, exist_ok=True)
    drawings = []
    for part in config.only:
        told(part)
        for drawing in work.drawn(part):
            write_drawing(config.out, drawing)
            drawings.append(drawing)
    table = work.areas() if "areas" in config.only else None
    if table is not None:
        write_areas(config.out, table)
    write_page(config.out, drawings, table)
    return table


def check_out(out: Path) -> None:
    """Refuse a path at which no directory is and none can be made."""
    if out.exists() and not out.is_dir():
        raise ValueError(f"--out {out} is a file: give a directory, or a name that is free.")
    if not out.exists() and not out.parent.is_dir():
        raise ValueError(f"--out {out} has no directory {out.parent} to lie in: make it first.")


def _quickened(config: Figures) -> Figures:
    """Less of everything, and never more than was asked for."""
    if not config.quick:
        return config
    less = {name: min(value, getattr(config, name)) for name, value in _QUICK.items()}
    return replace(config, **less)  # type: ignore[arg-type]


class _Work:
    """The computations; runs over images are opened once, when a figure first needs them."""

    def __init__(self, config: Figures, watch: Watch) -> None:
        self._config, self._watch = config, watch
        steps = _QUICK_STEPS if config.quick else _STEPS
        self._effort = Effort(n=config.plane_n, alpha=config.alpha, steps=steps, seed=config.seed)

    @cached_property
    def _runs(self) -> ImageRuns:
        return image_runs(self._config, self._watch)

    def areas(self) -> dict[str, Any]:
        return area_table(self._config.points, self._effort)

    def drawn(self, part: Part) -> Iterator[Drawing]:
        config, effort = self._config, self._effort
        if part == "landscapes":
            yield agreement(gaussian, effort)
            yield agreement(uniform, effort)
        elif part == "concepts":
            yield concepts(gaussian, effort)
        elif part == "sections":
            yield sections(self._runs, picks=config.picks, seed=config.seed)
        elif part == "changes":
            yield changes(self._runs, images=config.images, seed=config.seed)
        elif part == "maps":
            yield maps(self._runs, images=config.images)
