"""The demo: six runs over real MNIST images, fixed, isotropic and anisotropic, in l2 and l1.

The anisotropic ones are then put through a memory each, which makes one classifier of them.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.config import Certify, Demo, LawName
from aniso_jax.runs.refold import refold_run
from aniso_jax.runs.watch import Watch, silent

_STD = 0.25
_SIGMAS: tuple[tuple[LawName, float], ...] = (("gaussian", _STD), ("uniform", _STD * 3**0.5))
"""The same standard deviation for both laws; the uniform law's unit is the half-width."""

_SCALES = ("fixed", "isotropic", "anisotropic")


def run_demo(
    config: Demo, *, watch: Watch = silent, title: Callable[[str], None] = lambda name: None
) -> None:
    """Make all runs, or what is missing of them; the memories last, which draw nothing.

    Args:
      config: the demo.
      watch: told after each input and part.
      title: told the name of each run before it begins.

    Raises:
      ValueError, Interrupted: as `certify_run`.
    """
    for run in demo_runs(config):
        title(run.out.name)
        certify_run(run, watch=watch)
    for run, finished in demo_memories(config):
        title(run.out.name)
        refold_run(run, finished, watch=watch)


def demo_directories(config: Demo) -> list[Path]:
    """Where the runs lie, norm by norm, each memory's beside the run that it was made from.

    >>> [path.name for path in demo_directories(Demo())][2:5]
    ['l2-anisotropic', 'l2-memory', 'l1-fixed']
    """
    after = {finished: run.out for run, finished in demo_memories(config)}
    every = [(run.out, after.get(run.out)) for run in demo_runs(config)]
    return [path for pair in every for path in pair if path is not None]


def demo_runs(config: Demo) -> list[Certify]:
    """The six runs, each in its own directory below `out`.

    >>> [run.out.name for run in demo_runs(Demo())][:3]
    ['l2-fixed', 'l2-isotropic', 'l2-anisotropic']
    """
    return [
        Certify(
            data="mnist5k",
            model="demo",
            law=law,
            sigma=sigma,
            scale=scale,
            limit=config.limit,
            n=config.n,
            seed=config.seed,
            out=_directory(config.out, law, scale),
        )
        for law, sigma in _SIGMAS
        for scale in _SCALES
    ]


class Refolded(NamedTuple):
    """A run with a memory, and the finished run whose votes and scales it takes."""

    run: Certify
    finished: Path


def demo_memories(config: Demo) -> list[Refolded]:
    """The anisotropic runs once more, each with a memory of its own beside it.

    >>> [(again.run.out.name, again.finished.name) for again in demo_memories(Demo())]
    [('l2-memory', 'l2-anisotropic'), ('l1-memory', 'l1-anisotropic')]
    """
    sought = [run for run in demo_runs(config) if run.scale == "anisotropic"]
    return [Refolded(run=_remembering(run, config.out), finished=run.out) for run in sought]


def _remembering(run: Certify, out: Path) -> Certify:
    path = _directory(out, run.law, "memory")
    return replace(run, out=path, memory=path.with_suffix(".sqlite"))


def _directory(out: Path, law: LawName, scale: str) -> Path:
    return out / f"{'l2' if law == 'gaussian' else 'l1'}-{scale}"
