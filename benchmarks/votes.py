"""Counting votes against the bare forward pass: draws a second, share of the noise, memory.

`python benchmarks/votes.py --out benchmarks/results/votes.json` counts votes as a run does (inputs
side by side, each with a chunk of draws, in a scan), by draws of their own and by one draw for all
of them (`shared_draws`), and, in turn with it, runs the same network on as many rows that are
already there, in a scan of the same length. What counting takes more is the noise, the argmax and
the counts; noise alone is timed too. Compilation is apart. The peak resident memory is that of
processes which count 1,000 to 1,000,000 draws and nothing else.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from machine import keep
from others import watched
from peak_memory import NETWORKS, SMALL, measure_apart, random_network
from pipelines.measures import spread
from timing import compiled, in_turn, ratio

import aniso_jax as aj
from aniso_jax.smoothing.noise import BLOCK, Phase, Window, noisy, standard_noise

SCALE = aj.Isotropic(sigma=0.25)


@dataclass(frozen=True, kw_only=True)
class Config:
    """Counting votes, timed beside the forward pass."""

    out: Path
    """The JSON file to write."""

    networks: tuple[str, ...] = SMALL
    """With random weights: small-cnn, strided-cnn at 28x28, resnet20, resnet18 at 32x32, resnet50
    at 224x224 (for an accelerator, or a few rows)."""

    dtypes: tuple[Literal["float32", "bfloat16"], ...] = ("float32", "bfloat16")
    """What the network computes in; noise is made and added in float32."""

    batch: int = 4
    """Inputs side by side."""

    chunks: tuple[int, ...] = (64, 128, 256, 512, 1024)
    """Draws of an input held at once; multiples of 64."""

    windows: int = 16
    """Chunks in one timed call."""

    repeats: int = 11
    """Timed calls of each kind, in turn."""

    memory_draws: tuple[int, ...] = (1_000, 10_000, 100_000, 1_000_000)
    """Draws of one input whose memory is measured."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What one comparison is about: a network, and the rows of it in flight."""

    apply_fn: Any
    params: Any
    x: jax.Array
    chunk: int
    windows: int

    @property
    def draws(self) -> int:
        """Of one call."""
        return len(self.x) * self.chunk * self.windows


def main(config: Config) -> None:
    """Measure, print and keep."""
    others = watched()
    results = {"speed": list(_speeds(config)), "cores_of_others": others()}
    memory = [measure_apart(name, n) for name in config.networks for n in config.memory_draws]
    keep(config.out, "python " + " ".join(sys.argv), {**results, "memory": memory})


def _speeds(config: Config) -> Iterator[dict[str, Any]]:
    for name in config.networks:
        for dtype in config.dtypes:
            for chunk in config.chunks:
                setting = _setting(name, dtype, config.batch, chunk, config.windows)
                found = _compared(setting, config.repeats)
                print(_line(f"{name}, {dtype}, {config.batch} x {chunk}", found), flush=True)
                yield {"network": name, "dtype": dtype, "batch": config.batch, **found}


def _setting(name: str, dtype: str, batch: int, chunk: int, windows: int) -> Setting:
    apply_fn, params = random_network(name, dtype)
    pixels = np.random.default_rng(0).random((batch, *NETWORKS[name]), np.float32)
    x = jnp.asarray(pixels)
    return Setting(apply_fn=apply_fn, params=params, x=x, chunk=chunk, windows=windows)


def _compared(setting: Setting, repeats: int) -> dict[str, Any]:
    """Counting by own and by shared draws, the forward pass and the noise alone, in turn."""
    keys = jax.random.split(jax.random.key(0), len(setting.x))
    shape = (len(setting.x) * setting.chunk, *setting.x.shape[1:])
    rows = jax.random.uniform(jax.random.key(1), shape)
    params = setting.params
    kinds = {
        "counting": (partial(_count, setting), (params, setting.x, keys)),
        "shared": (partial(_count, setting), (params, setting.x, keys[0])),
        "forward": (partial(_forward, setting), (params, rows)),
        "noise": (partial(_noise, setting), (setting.x, keys)),
    }
    ready = {kind: compiled(call, *given) for kind, (call, given) in kinds.items()}
    seconds = in_turn({kind: call for kind, (call, _) in ready.items()}, repeats)
    rates = {kind: spread([setting.draws / s for s in taken]) for kind, taken in seconds.items()}
    return {
        "chunk": setting.chunk,
        "compile_s": {kind: took for kind, (_, took) in ready.items()},
        "draws_per_s": rates,
        "counting_to_forward": ratio(seconds, "counting", "forward"),
        "shared_to_forward": ratio(seconds, "shared", "forward"),
        "noise_to_counting": ratio(seconds, "noise", "counting"),
    }


def _count(setting: Setting, params: Any, x: jax.Array, keys: jax.Array) -> jax.Array:
    """The votes of every input, by keys of their own or by one for all."""
    n, chunk = setting.chunk * setting.windows, setting.chunk
    options: dict[str, Any] = {"law": aj.gaussian, "scale": SCALE, "n": n, "chunk": chunk}
    count = partial(aj.count_votes, setting.apply_fn, params, **options)
    return jax.vmap(count, in_axes=(0, 0 if keys.ndim else None))(x, keys)


def _forward(setting: Setting, params: Any, rows: jax.Array) -> jax.Array:
    """As many passes over rows that are there; each adds the last's sum, or it would run once."""

    def one(total: jax.Array, _: None) -> tuple[jax.Array, None]:
        return jnp.sum(setting.apply_fn(params, rows + 1e-30 * total)), None

    return jax.lax.scan(one, jnp.float32(0), length=setting.windows)[0]


def _noise(setting: Setting, x: jax.Array, keys: jax.Array) -> jax.Array:
    """The same noisy inputs, only summed up."""
    blocks = setting.chunk // BLOCK

    def one(total: jax.Array, index: jax.Array) -> tuple[jax.Array, None]:
        def drawn(x: jax.Array, key: jax.Array) -> jax.Array:
            first = index * blocks
            window = Window(key=key, phase=Phase.ESTIMATE, first=first, blocks=blocks)
            return jnp.sum(noisy(x, SCALE, standard_noise(aj.gaussian, window, x.shape)))

        return total + jnp.sum(jax.vmap(drawn)(x, keys)), None

    return jax.lax.scan(one, jnp.float32(0), jnp.arange(setting.windows))[0]


def _line(what: str, found: dict[str, Any]) -> str:
    rates, own, shared = (
        found[kind] for kind in ("draws_per_s", "counting_to_forward", "shared_to_forward")
    )
    return (
        f"{what}: {rates['counting']['median']:,.0f} draws/s, {own['median']:.2f} x the forward "
        f"pass ({own['least']:.2f} to {own['most']:.2f}), by shared draws {shared['median']:.2f}, "
        f"noise {found['noise_to_counting']['median']:.0%}"
    )


if __name__ == "__main__":
    main(tyro.cli(Config))
