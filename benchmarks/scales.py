"""What a search for a scale costs: certified radii against model evaluations, ours and published.

`python benchmarks/scales.py --out benchmarks/results/scales.json` follows each search along its
steps. Where it stands at some of them is what it would return if it stopped there, and is certified
by fresh draws. A forward row counts as one evaluation, a backward row as two, both counted while
they happen; the search for the label, restarts and checks on fresh draws count too, save the check
that we add to the published searches, which have none. All anisotropic searches start from the
sigma of `golden_section` and count from there. Proxy radii are means of what counts at most as much
as the whole box. `--model` takes the demo network or a file that `aniso-jax train` wrote.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import tyro
from machine import keep
from pipelines.measures import Row, means, row_of
from pipelines.ours import Ours, common_batch
from pipelines.tracing import Array, Trace, follow
from rich.console import Console
from rich.table import Table

import aniso_jax as aj

STAGES: dict[str, dict[str, Any]] = {
    "isotropic": {"ours": aj.golden_section, "published": aj.published_isotropic},
    "anisotropic": {
        "ours": aj.default_anisotropic,
        "thorough": aj.thorough_anisotropic,
        "published": aj.published_anisotropic,
    },
}
KEPT = {"isotropic": 0.99, "anisotropic": 0.97}
"""Share of the published radius that a scale must keep to count as having reached it."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Searches for scales, followed step by step."""

    out: Path
    """The JSON file to write."""

    model: str = "demo"
    """The network."""

    data: str = "mnist5k"
    """The data set."""

    law: Literal["gaussian", "uniform", "laplace"] = "gaussian"
    """gaussian certifies in l2, the others in l1."""

    sigma: float = 0.25
    """Where the isotropic searches start, in the law's unit."""

    start: int = 0
    """The first test input."""

    inputs: int = 50
    """Test inputs."""

    stages: tuple[Literal["isotropic", "anisotropic"], ...] = ("isotropic", "anisotropic")
    """Which searches are followed."""

    points: int = 5
    """Steps of each search at which its scale is certified, the last among them."""

    n: int = 10_000
    """Estimation draws."""

    alpha: float = 0.001
    """Probability of a false certificate."""


def main(config: Config) -> None:
    """Measure, print and keep."""
    model, data = aj.load_model(config.model), aj.load_data(config.data)
    chosen = slice(config.start, config.start + config.inputs)
    x, y = data.x[chosen], data.y[chosen]
    law = getattr(aj, config.law)
    ours = Ours(
        apply_fn=model.apply_fn,
        params=model.params,
        plan=aj.plan(law, n=config.n, alpha=config.alpha),
        batch=common_batch(len(x), 10),
    )
    results = {}
    sigma = np.full(len(x), config.sigma, np.float32)
    for stage in config.stages:
        start = sigma if stage == "isotropic" else ours.isotropic(x, config.sigma)
        results[stage] = list(_stage(stage, ours, x, y, start, config.points))
        Console(width=110).print(_table(stage, config, results[stage]))
    said = {name: str(value) for name, value in vars(config).items()}
    content = {"config": said, "network": model.fingerprint, "stages": results}
    keep(config.out, "python " + " ".join(sys.argv), content)


def _stage(
    stage: str, ours: Ours, x: Array, y: Array, start: Array, points: int
) -> Iterator[dict[str, Any]]:
    """Every search at every point, with what it is worth and whether it reached the published."""
    traces = {
        name: follow(search, ours, x, start, points) for name, search in STAGES[stage].items()
    }
    rows = {
        name: [_rows(ours, x, y, scale) for scale in trace.scales] for name, trace in traces.items()
    }
    last = [at_points[-1] for at_points in rows.values()]
    certified = np.all([[row["label"] != aj.ABSTAIN for row in each] for each in last], axis=0)
    goal = means(rows["published"][-1], certified)
    for name, trace in traces.items():
        for number, each in enumerate(rows[name]):
            worth = _worth(each, certified)
            yield {
                "search": name,
                "settings": repr(STAGES[stage][name]),
                "steps": trace.steps[number],
                "evaluations": _evaluations(name, trace, number),
                "reached": _has_reached(stage, worth, goal),
                **worth,
            }


def _rows(ours: Ours, x: Array, y: Array, theta: Array) -> list[Row]:
    certified = ours.certify(x, theta)
    return [row_of(one, int(label)) for one, label in zip(certified, y, strict=True)]


def _worth(rows: list[Row], certified: Array) -> dict[str, Any]:
    """The means; no mean volume where an input is empty that the finished searches certify."""
    empty = any(
        row["label"] == aj.ABSTAIN for row, both in zip(rows, certified, strict=True) if both
    )
    return means(rows, np.zeros_like(certified) if empty else certified)


def _evaluations(name: str, trace: Trace, number: int) -> int:
    """Up to this point; the published searches are not charged for our check."""
    spent = trace.start + trace.steps[number] * trace.step
    return spent if name == "published" else trace.label + spent + trace.finish


def _has_reached(stage: str, worth: dict[str, Any], goal: dict[str, Any]) -> bool:
    keeps = worth["radius"] >= KEPT[stage] * goal["radius"]
    return keeps and (
        stage == "isotropic" or worth["proxy_radius_in_box"] >= goal["proxy_radius_in_box"]
    )


def _table(stage: str, config: Config, results: list[dict[str, Any]]) -> Table:
    title = f"{stage}, {config.law}, {config.data}, {config.inputs} inputs"
    table = Table(title=title)
    titles = ("search", "steps", "evaluations", "radius", "proxy radius", "log-volume", "reached")
    for name in titles:
        table.add_column(name, justify="left" if name == "search" else "right")
    for found in results:
        volume = found["log_volume_in_box"]
        table.add_row(
            found["search"],
            str(found["steps"]),
            f"{found['evaluations']:,}",
            f"{found['radius']:.4f}",
            f"{found['proxy_radius_in_box']:.3f}",
            "none" if volume is None else f"{volume:.1f}",
            "yes" if found["reached"] else "no",
        )
    return table


if __name__ == "__main__":
    main(tyro.cli(Config))
