"""What directions of its own are worth to a region: rotated against diagonal and isotropic scales.

`python benchmarks/rotated.py --out benchmarks/results/rotated_mnist_l2.json` certifies the same
inputs, by the same fresh draws, under each scale. Two pairs cost alike: `diagonal` and `rotated at
once` (one ascent from the isotropic scale), `diagonal, longer` and `rotated` (two). A forward row
counts as one evaluation, a backward row as two, of all searches that a scale rests on, counted on
one input while they happen. Seconds are an input's share of a batch in its last search, the first
batch of all left out, which compiles.

Proxy radii are means of what counts at most as much as the whole box. The radius is the one that
`Region.radius` proves; `radius_of_matrix` is what the dense matrix has. The volume in the box is an
upper bound, for a rotated region that of an aligned one around it, unless its own is less: what it
gains over a diagonal one may be bound, not volume. `parts` says where the mean of log(proxy radius)
comes from, against the scale that the search began with: the gap, theta, the stretches t.
"""

import sys
import time
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from machine import keep
from pipelines.measures import Row, means, row_of, spread
from pipelines.ours import Ours, common_batch, counted
from pipelines.turned import log_parts, matrix_radius
from rich.console import Console
from rich.table import Table

import aniso_jax as aj
from aniso_jax.certification.certify import Certification
from aniso_jax.data.ids import input_id
from aniso_jax.runs.inputs import keys_of
from aniso_jax.runs.search import search_batch

SEARCHES: dict[str, tuple[str | None, Any]] = {
    "isotropic": (None, aj.golden_section),
    "diagonal": ("isotropic", aj.default_anisotropic),
    "rotated at once": ("isotropic", aj.default_rotated),
    "diagonal, longer": ("isotropic", replace(aj.default_anisotropic, steps=76)),
    "rotated": ("diagonal", aj.default_rotated),
    "rotated, curvature": ("diagonal", replace(aj.default_rotated, source="gauss-newton")),
}
"""Every search, and the one whose scales it begins with."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Rotated, diagonal and isotropic scales of the same inputs."""

    out: Path
    """The JSON file to write."""

    model: str = "demo"
    """The network."""

    data: str = "mnist5k"
    """The data set."""

    sigma: float = 0.25
    """Where the isotropic search starts."""

    inputs: int = 50
    """Test inputs, the first ones."""

    n: int = 10_000
    """Estimation draws."""

    alpha: float = 0.001
    """Probability of a false certificate."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """The scales of all inputs, what they are worth and what they cost.

    Attributes:
      scale: a batch.
      evaluations: of this search alone, for one input.
      seconds: for one input, batch by batch.
    """

    scale: Any
    rows: list[Row]
    certified: list[Certification]
    evaluations: int
    seconds: list[float]

    @cached_property
    def logs(self) -> np.ndarray:
        """(log gap, mean log theta, sum log t / d) of every input."""
        return np.stack([log_parts(one) for one in self.certified])


def main(config: Config) -> None:
    """Measure, print and keep."""
    model, data = aj.load_model(config.model), aj.load_data(config.data)
    x, y = data.x[: config.inputs], data.y[: config.inputs]
    ours = Ours(
        apply_fn=model.apply_fn,
        params=model.params,
        plan=aj.plan(aj.gaussian, n=config.n, alpha=config.alpha),
        batch=common_batch(len(x), 10),
    )
    found: dict[str, Found] = {}
    for name, (start, search) in SEARCHES.items():
        found[name] = _found(ours, x, y, search, _start(found, start, config))
        print(name, means(found[name].rows, np.zeros(len(x), bool)), flush=True)
    both = np.all([[row["label"] >= 0 for row in each.rows] for each in found.values()], axis=0)
    results = [_result(name, found, both) for name in found]
    Console(width=110).print(_table(config, results))
    said = {name: str(value) for name, value in vars(config).items()}
    content = {"config": said, "network": model.fingerprint, "scales": results}
    keep(config.out, "python " + " ".join(sys.argv), content)


def _start(found: dict[str, Found], start: str | None, config: Config) -> Any:
    if start is None:
        return aj.Isotropic(sigma=jnp.full(config.inputs, config.sigma, jnp.float32))
    return found[start].scale


def _found(ours: Ours, x: Any, y: Any, search: Any, start: Any) -> Found:
    scales, seconds = [], []
    for at in range(0, len(x), ours.batch):
        one = slice(at, at + ours.batch)
        begun = time.perf_counter()
        scales.append(_searched(ours, x, search, start, one))
        seconds.append((time.perf_counter() - begun) / ours.batch)
    scale = jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *scales)
    certified = ours.certify_scales(x, scale)
    metered, meter = counted(ours)
    _searched(metered, x, search, start, slice(0, 1))
    jax.effects_barrier()
    return Found(
        scale=scale,
        rows=[row_of(one, int(label)) for one, label in zip(certified, y, strict=True)],
        certified=certified,
        evaluations=meter.rows,
        seconds=seconds[1:] or seconds,
    )


def _searched(ours: Ours, x: Any, search: Any, start: Any, one: slice) -> Any:
    """The scales of a batch."""
    keys = keys_of(ours.seed, [input_id(each) for each in x[one]])
    init = jax.tree.map(lambda leaf: leaf[one], start)
    network = ours.apply_fn, ours.params
    best = search_batch(search, *network, jnp.asarray(x[one]), keys, law=ours.plan.law, init=init)
    return jax.block_until_ready(best.scale)


def _result(name: str, found: dict[str, Found], both: np.ndarray) -> dict[str, Any]:
    own, start = found[name], SEARCHES[name][0]
    result = {
        "scale": name,
        "settings": repr(SEARCHES[name][1]),
        "evaluations": _evaluations(name, found),
        "seconds_an_input": spread(own.seconds),
        **means(own.rows, both),
        "radius_of_matrix": float(np.mean([matrix_radius(one) for one in own.certified])),
    }
    if start is None:
        return result
    gains = np.mean(own.logs[both] - found[start].logs[both], axis=0)
    result["parts"] = dict(zip(("gap", "theta", "stretches"), gains.tolist(), strict=True))
    if isinstance(own.scale, aj.Rotated):
        result["stretches"] = spread(np.ravel(own.scale.stretch).tolist())
    return result


def _evaluations(name: str | None, found: dict[str, Found]) -> int:
    """Of a search and of all that it rests on."""
    return 0 if name is None else found[name].evaluations + _evaluations(SEARCHES[name][0], found)


def _table(config: Config, results: list[dict[str, Any]]) -> Table:
    table = Table(title=f"gaussian, {config.data}, {config.inputs} inputs")
    for title in ("scale", "evaluations", "s/input", "radius", "proxy radius", "log-volume"):
        table.add_column(title, justify="left" if title == "scale" else "right")
    for one in results:
        volume = one["log_volume_in_box"]
        table.add_row(
            one["scale"],
            f"{one['evaluations']:,}",
            f"{one['seconds_an_input']['median']:.2f}",
            f"{one['radius']:.4f}",
            f"{one['proxy_radius_in_box']:.3f}",
            "none" if volume is None else f"<= {volume:.1f}",
        )
    return table


if __name__ == "__main__":
    main(tyro.cli(Config))
