"""What training for certification is worth: certified radii of each method's networks.

`python benchmarks/training.py --out benchmarks/results/training.json` trains a network with each
method and seed, under the same noise, optimiser and number of epochs, and certifies the same test
inputs with each. Networks and rows are kept in `--networks`, so that the command goes on where it
was stopped; there is a row for each network, and each method's mean and spread over its seeds.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
import tyro
from machine import keep
from pipelines.ours import Ours, common_batch
from rich.console import Console
from rich.table import Table

import aniso_jax as aj
from aniso_jax.models.checkpoint import Model
from aniso_jax.storage.atomic import write_atomically
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.methods.consistency import Consistency
from aniso_jax.training.methods.macer import Macer
from aniso_jax.training.methods.smoothadv import SmoothAdv
from aniso_jax.training.methods.table import Methods
from aniso_jax.training.metrics import EpochMetrics
from aniso_jax.training.train import train

RADII = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75)
MethodName = Literal["gaussian", "stability", "consistency", "smoothadv", "macer"]
Row = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Config(Methods):
    """Methods of training, compared by what they certify; their settings are options too."""

    out: Path
    """The JSON file to write."""

    networks: Path = Path("aniso-training")
    """The directory where networks and rows are kept."""

    methods: tuple[MethodName, ...] = ("gaussian", "consistency", "smoothadv", "macer")
    """What is compared."""

    data: str = "mnist5k"
    """The data set."""

    arch: str = "strided-cnn"
    """The network."""

    sigma: float = 0.5
    """The noise of training and certification."""

    seeds: int = 3
    """Networks of each method, with the seeds 0, 1, ..."""

    epochs: int = 60
    """How often a network sees the training split."""

    images: int = 500
    """Test inputs, the first ones."""

    n: int = 1_000
    """Estimation draws."""

    alpha: float = 0.001
    """Probability of a false certificate."""

    consistency: Consistency = field(default_factory=lambda: Consistency(weight=5.0))
    smoothadv: SmoothAdv = field(default_factory=SmoothAdv)
    macer: Macer = field(default_factory=lambda: Macer(weight=16.0, deferred=20))


def main(config: Config) -> None:
    """Train, certify, print and keep."""
    config.networks.mkdir(parents=True, exist_ok=True)
    pairs = [(method, seed) for method in config.methods for seed in range(config.seeds)]
    rows = []
    for number, (method, seed) in enumerate(pairs, start=1):
        rows.append(_row(config, method, seed))
        found = rows[-1]
        print(f"{number}/{len(pairs)}: {method}, seed {seed}: ACR {found['acr']:.3f}", flush=True)
    summary = [_summary(method, rows) for method in config.methods]
    Console(width=110).print(_table(config, summary))
    said = {name: str(value) for name, value in vars(config).items()}
    content = {"config": said, "networks": rows, "methods": summary}
    keep(config.out, "python " + " ".join(sys.argv), content)


def _row(config: Config, method: str, seed: int) -> Row:
    """One network's numbers; those of an earlier run of the same training and plan are read."""
    asked = _training(config, method, seed)
    path = config.networks / f"{method}-{seed}.json"
    plan = {"images": config.images, "n": config.n, "alpha": config.alpha}
    made = {"command": asked.command, "plan": plan}
    if path.exists():
        row: Row = json.loads(path.read_text())
        if {name: row[name] for name in made} == made:
            return row
    model, seconds = _trained(asked)
    certified = _certified(config, model)
    clean = model.provenance["metrics"]["clean_accuracy"]
    row = {"method": method, "seed": seed, **made, **certified}
    row |= {"clean_accuracy": clean, "seconds_an_epoch": seconds, "network": model.fingerprint}
    write_atomically(path, json.dumps(row, indent=1).encode())
    return row


def _training(config: Config, method: str, seed: int) -> TrainConfig:
    return TrainConfig(
        data=config.data,
        out=config.networks / f"{method}-{seed}.safetensors",
        arch=config.arch,
        method=method,  # type: ignore[arg-type]
        sigma=config.sigma,
        epochs=config.epochs,
        seed=seed,
        stability=config.stability,
        consistency=config.consistency,
        smoothadv=config.smoothadv,
        macer=config.macer,
    )


def _trained(asked: TrainConfig) -> tuple[Model, float]:
    """The network, and the median seconds of an epoch, its evaluation included."""
    times = [time.monotonic()]

    def tell(metrics: EpochMetrics) -> None:
        times.append(time.monotonic())
        print(f"{asked.chosen_method}, seed {asked.seed}: {metrics.line()}", flush=True)

    return train(asked, on_epoch=tell), float(np.median(np.diff(times)))


def _certified(config: Config, model: Model) -> Row:
    """Radii of the first test inputs, 0 where the answer is wrong or none."""
    test = aj.load_data(config.data)
    x, y = test.x[: config.images], test.y[: config.images]
    ours = Ours(
        apply_fn=model.apply_fn,
        params=model.params,
        plan=aj.plan(aj.gaussian, n=config.n, alpha=config.alpha),
        batch=common_batch(len(x), 10),
    )
    scales = aj.Isotropic(sigma=jnp.full(len(x), config.sigma, jnp.float32))
    found = ours.certify_scales(x, scales)
    right = np.array([int(one.label) for one in found]) == y
    radii = np.where(right, [float(one.region.radius()) for one in found], 0.0)
    at = {f"{radius:g}": float(np.mean(right & (radii >= radius))) for radius in RADII}
    return {"acr": float(np.mean(radii)), "certified_accuracy": at, "inputs": len(x)}


def _summary(method: str, rows: Sequence[Row]) -> Row:
    """Mean and standard deviation over the seeds of a method."""
    own = [row for row in rows if row["method"] == method]
    at = {
        radius: _mean([row["certified_accuracy"][radius] for row in own])
        for radius in own[0]["certified_accuracy"]
    }
    return {
        "method": method,
        "networks": len(own),
        "acr": _mean([row["acr"] for row in own]),
        "acr_std": _std([row["acr"] for row in own]),
        "certified_accuracy": at,
        "clean_accuracy": _mean([row["clean_accuracy"] for row in own]),
        "seconds_an_epoch": _mean([row["seconds_an_epoch"] for row in own]),
    }


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _std(values: Sequence[float]) -> float | None:
    """Of the networks, not of their mean; one network has none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def _table(config: Config, summary: Sequence[Row]) -> Table:
    table = Table(title=f"{config.data}, sigma {config.sigma:g}, {config.epochs} epochs")
    shown = [f"{radius:g}" for radius in RADII[::2]]
    titles = ("method", "ACR", *(f">= {radius}" for radius in shown), "clean", "s an epoch")
    for name in titles:
        table.add_column(name, justify="left" if name == "method" else "right")
    for found in summary:
        spread = "" if found["acr_std"] is None else f" ± {found['acr_std']:.3f}"
        at = [f"{found['certified_accuracy'][radius]:.3f}" for radius in shown]
        clean, seconds = f"{found['clean_accuracy']:.3f}", f"{found['seconds_an_epoch']:.1f}"
        table.add_row(found["method"], f"{found['acr']:.3f}{spread}", *at, clean, seconds)
    return table


if __name__ == "__main__":
    main(tyro.cli(Config))
