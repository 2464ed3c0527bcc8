"""Streams of overlapping regions into a memory file, and processes that write them."""

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from quick import ENVIRONMENT

import aniso_jax as aj

HERE, ROOT = Path(__file__).parent, Path(__file__).parents[2]
PATHS = f"{ROOT}{os.pathsep}{HERE.parent}"
BOUND = {"weights": "abc", "law": aj.gaussian, "shape": (2,)}

# Acknowledged answers go to standard output, one line each, flushed after the store has answered.
WRITER = f"""
import sys
sys.path.insert(0, {str(HERE)!r})
import store_samples as s, aniso_jax as aj
path, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with aj.memory_open(path, **s.BOUND) as memory:
    for region, label in s.stream(seed, count):
        answer, logged = memory.ask(region, label, draws="d")
        print(logged.verdict, int(answer.index), int(answer.label), *s.numbers(answer), flush=True)
"""


def ball(center, gap=1.0, theta=(1.0, 1.0), order=2) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32),
        scale=aj.Diagonal(theta=jnp.asarray(theta, jnp.float32)),
        gap=jnp.float32(gap),
        order=order,
    )


def stream(seed: int, count: int):
    """Regions that overlap all the time, of three classes."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        center, theta = rng.uniform(0, 40, 2), rng.uniform(0.2, 3, 2)
        yield ball(center, rng.uniform(0.3, 1.5), theta), int(rng.integers(3))


def numbers(answer) -> list[str]:
    """The claim, exactly."""
    values = np.concatenate(
        [np.ravel(answer.region.gap), answer.region.center, answer.region.scale.theta]
    )
    return [float(value).hex() for value in values]


def writer(path, seed: int, count: int) -> subprocess.Popen:
    words = [sys.executable, "-c", WRITER, str(path), str(seed), str(count)]
    environment = {**os.environ, "PYTHONPATH": PATHS, **ENVIRONMENT}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env=environment, **pipes)


def stored(memory: aj.MemoryFile) -> list[tuple]:
    """Every stored region as (center, theta, gap, label), in the order of insertion."""
    rows = []
    for block in memory.blocks():
        for index in range(int(block.count)):
            values = block.centers[index], block.thetas[index], block.gaps[index]
            rows.append((*map(np.asarray, values), int(block.labels[index])))
    return rows
