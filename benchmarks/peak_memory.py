"""Peak resident memory: `python benchmarks/peak_memory.py --network small-cnn --n 1000`.

The process does nothing else, so that its peak is that of the count. `votes.py` asks for several n.
"""

import json
import re
import resource
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import tyro
from flax import nnx

import aniso_jax as aj
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.networks import build

NETWORKS: dict[str, tuple[int, ...]] = {
    "small-cnn": (28, 28, 1),
    "strided-cnn": (28, 28, 1),
    "resnet20": (32, 32, 3),
    "resnet18": (32, 32, 3),
    "resnet50": (224, 224, 3),
}
SMALL = ("small-cnn", "strided-cnn", "resnet20")
"""Those that a CPU has done with in minutes."""

_CLASSES = {"resnet50": 1000}  # as ImageNet; the others have ten


@dataclass(frozen=True, kw_only=True)
class Config:
    """Count votes once and print the peak memory as JSON."""

    network: str
    """With random weights: small-cnn, strided-cnn at 28x28, resnet20, resnet18 at 32x32, resnet50
    at 224x224."""

    n: int
    """Draws of one input."""


def main(config: Config) -> None:
    """Count and print."""
    apply_fn, params = random_network(config.network, "float32")
    x, key = jnp.zeros(NETWORKS[config.network]), jax.random.key(0)
    scale = aj.Isotropic(sigma=0.25)
    count = jax.jit(partial(aj.count_votes, apply_fn, law=aj.gaussian, scale=scale, n=config.n))
    jax.block_until_ready(count(params, x, key))
    print(json.dumps({"network": config.network, "n": config.n, "peak_mib": peak_mib()}))


def measure_apart(network: str, n: int) -> dict[str, Any]:
    """The same in a process of its own."""
    asked = [sys.executable, __file__, "--network", network, "--n", str(n)]
    told = subprocess.run(asked, stdout=subprocess.PIPE, text=True, check=True)
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    print(f"{network}: {n:,} draws, {found['peak_mib']:.0f} MiB", flush=True)
    return found


def random_network(name: str, dtype: str) -> tuple[Any, Any]:
    """A network with random weights, which do not change what a pass costs."""
    classes = _CLASSES.get(name, 10)
    model = build(name, shape=NETWORKS[name], classes=classes, rngs=nnx.Rngs(0))
    apply_fn, params = from_nnx(model, example=jnp.zeros(NETWORKS[name]))
    if dtype == "float32":
        return apply_fn, params
    low = jax.tree.map(lambda leaf: leaf.astype(dtype), params)
    return lambda p, rows: apply_fn(p, rows.astype(dtype)).astype(jnp.float32), low


def peak_mib() -> float:
    """Of this program alone: `ru_maxrss` on Linux remembers the process that started it."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(re.search(r"VmHWM:\s+(\d+) kB", status.read_text())[1]) / 1024
    unit = 1024**2 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


if __name__ == "__main__":
    main(tyro.cli(Config))
