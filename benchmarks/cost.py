"""What data sets cost: hours on 1, 8 and 64 devices, from the measured rate of one.

    seconds = inputs of the busiest device * evaluations an input / (rate * efficiency)

A forward row is one evaluation, a backward row two, as long as two draws. The rate is in the JSON
that `python benchmarks/votes.py --networks resnet50 --out benchmarks/results/resnet50.json` wrote
on the device in question, or is given: `python benchmarks/cost.py --rate 3000`. Devices take whole
parts of a run, so that few inputs leave many devices idle. Starting, compiling and reading are left
out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pandas as pd
import tyro
from flax import nnx
from pipelines.ours import Ours, counted

import aniso_jax as aj
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.networks import build
from aniso_jax.runs.durations import duration
from aniso_jax.runs.layout import PART

INPUTS, DRAWS, DEVICES = (500, 50_000), (10_000, 100_000), (1, 8, 64)
SELECTION = 100  # n0
EFFICIENCY = 0.9  # of each of several devices against one alone


@dataclass(frozen=True, kw_only=True)
class Config:
    """Print what data sets cost."""

    measured: Path = Path(__file__).parent / "results" / "resnet50.json"
    """What votes.py wrote on the device."""

    rate: float | None = None
    """Draws a second of one device, instead of those measured."""

    efficiency: float = EFFICIENCY
    """Assumed of each of several devices against one alone."""


def main(config: Config) -> None:
    """Print a table for each kind of network that was measured."""
    given = {"the given rate": config.rate} if config.rate else rates(_read(config.measured))
    for name, rate in given.items():
        print(f"{name}: {rate:,.3g} draws/s, efficiency {config.efficiency:g} assumed")
        rows = list(costs(rate, efficiency=config.efficiency))
        print(pd.DataFrame(rows).to_markdown(index=False, disable_numparse=True), end="\n\n")


def rates(content: dict[str, Any]) -> dict[str, float]:
    """Draws a second by network, type and device: of the quickest chunk, in what votes.py wrote."""
    best: dict[str, float] = {}
    for found in content["results"]["speed"]:
        name = f"{found['network']}, {found['dtype']}, {content['machine']['device']}"
        best[name] = max(found["draws_per_s"]["counting"]["median"], best.get(name, 0.0))
    return best


def costs(
    rate: float, *, efficiency: float = EFFICIENCY, devices: Sequence[int] = DEVICES
) -> Iterator[dict[str, str]]:
    """One row a number of inputs and draws, without and with our default search for theta."""
    for inputs in INPUTS:
        for n in DRAWS:
            for scale, search in (("fixed", 0), ("anisotropic", search_evaluations())):
                each = SELECTION + n + search
                times = {
                    f"{many} device{'s' * (many != 1)}": duration(
                        seconds(inputs, each, rate, devices=many, efficiency=efficiency)
                    )
                    for many in devices
                }
                yield {
                    "inputs": f"{inputs:,}",
                    "n": f"{n:,}",
                    "scale": scale,
                    "evaluations": f"{inputs * each / 1e6:,.0f} million",
                    **times,
                }


def seconds(inputs: int, each: int, rate: float, *, devices: int, efficiency: float) -> float:
    """That the busiest of so many devices takes, with `each` evaluations an input.

    >>> seconds(500, 10_000, 1000.0, devices=1, efficiency=0.5)  # one has nobody to wait for
    5000.0
    >>> seconds(500, 10_000, 1000.0, devices=64, efficiency=0.5)  # 32 parts: half of them are idle
    320.0
    """
    parts = -(-inputs // PART)
    busiest = min(PART * -(-parts // devices), inputs)
    return busiest * each / (rate * (efficiency if devices > 1 else 1.0))


@cache
def search_evaluations() -> int:
    """Of one input, counted while our default searches run: sigma first, then theta from there.

    They ask for equally many of any network and any input.
    """
    shape = (2,)
    model = build("mlp", shape=shape, classes=2, hidden=(4,), rngs=nnx.Rngs(0))
    apply_fn, params = from_nnx(model, example=jnp.zeros(shape))
    plan = aj.plan(aj.gaussian, n=100)
    ours, meter = counted(Ours(apply_fn=apply_fn, params=params, plan=plan, batch=1))
    x = np.full((1, *shape), 0.5, np.float32)
    jax.block_until_ready(ours.anisotropic(x, ours.isotropic(x, 0.25)))
    jax.effects_barrier()
    return meter.rows


def _read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


if __name__ == "__main__":
    main(tyro.cli(Config))
