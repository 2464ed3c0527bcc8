"""One step of the search for a scale against the bare forward and backward pass of its rows.

`python benchmarks/steps.py --out benchmarks/results/steps.json` times `VolumeAscent.step` as a run
calls it (inputs side by side, each with the draws of a step) and, in turn with it, the same network
forward and backward on as many rows that are already there, all in one batch. What a step takes
more is the noise, the objective and Adam. Weights get no gradient on either side.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from machine import keep
from peak_memory import NETWORKS, SMALL, random_network
from pipelines.measures import spread
from timing import compiled, in_turn, ratio

import aniso_jax as aj
from aniso_jax.optimize.problem import Problem, pose

SEARCHES = {
    "ours": aj.default_anisotropic,
    "published": aj.published_anisotropic,
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """A search's step, timed beside the passes that it cannot do without."""

    out: Path
    """The JSON file to write."""

    networks: tuple[str, ...] = SMALL
    """With random weights: small-cnn, strided-cnn at 28x28, resnet20, resnet18 at 32x32, resnet50
    at 224x224 (for an accelerator, or a few rows)."""

    batches: tuple[int, ...] = (1, 4, 10)
    """Inputs side by side."""

    repeats: int = 31
    """Timed calls of each kind, in turn."""


def main(config: Config) -> None:
    """Measure, print and keep."""
    keep(config.out, "python " + " ".join(sys.argv), list(_results(config)))


def _results(config: Config) -> Iterator[dict[str, Any]]:
    for name in config.networks:
        for settings, search in SEARCHES.items():
            for batch in config.batches:
                found = _compared(name, search, batch, config.repeats)
                times = found["step_to_bare"]
                print(
                    f"{name}, {settings}, {batch} x {search.n} rows: {times['median']:.2f} x the "
                    f"bare passes ({times['least']:.2f} to {times['most']:.2f})",
                    flush=True,
                )
                yield {"network": name, "search": settings, "batch": batch, **found}


def _compared(name: str, search: aj.VolumeAscent, batch: int, repeats: int) -> dict[str, Any]:
    apply_fn, params = random_network(name, "float32")
    random = np.random.default_rng(0)
    x = jnp.asarray(random.random((batch, *NETWORKS[name]), np.float32))
    rows = jnp.asarray(random.random((batch * search.n, *NETWORKS[name]), np.float32))
    keys = jax.random.split(jax.random.key(0), batch)
    kinds = {
        "step": partial(_steps, search, apply_fn, x, keys),
        "bare": partial(_bare, apply_fn, rows),
    }
    ready = {kind: compiled(call, params) for kind, call in kinds.items()}
    seconds = in_turn({kind: call for kind, (call, _) in ready.items()}, repeats)
    return {
        "rows": len(rows),
        "compile_s": {kind: took for kind, (_, took) in ready.items()},
        "ms": {kind: spread([1000 * s for s in taken]) for kind, taken in seconds.items()},
        "step_to_bare": ratio(seconds, "step", "bare"),
    }


def _steps(
    search: aj.VolumeAscent, apply_fn: Any, x: jax.Array, keys: jax.Array, params: Any
) -> Any:
    """One step for every input, from the start."""

    def one(x: jax.Array, key: jax.Array) -> Any:
        init = aj.Isotropic(sigma=0.25)
        problem: Problem = pose(apply_fn, params, x, key, law=aj.gaussian, init=init, label=0)
        return search.step(problem, search.init(problem))

    return jax.vmap(one)(x, keys)


def _bare(apply_fn: Any, rows: jax.Array, params: Any) -> jax.Array:
    """The gradient of the mean probability of one class in every row."""

    def soft(rows: jax.Array) -> jax.Array:
        return jnp.mean(jax.nn.softmax(apply_fn(params, rows), axis=-1)[:, 0])

    return jax.grad(soft)(rows)


if __name__ == "__main__":
    main(tyro.cli(Config))
