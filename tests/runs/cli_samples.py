"""Small images, a small network that knows them, and the command line called in this process."""

import os
import subprocess
import sys
from pathlib import Path

import jax.numpy as jnp
import numpy as np
from flax import nnx

from aniso_jax import cli
from aniso_jax.models import checkpoint
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.networks import build

ROOT = Path(__file__).parents[2]
SHAPE, CLASSES, INPUTS = (4, 4, 1), 3, 20
SIGMAS = {"gaussian": "0.25", "uniform": "0.4330127"}


def write_network(path: Path) -> Path:
    """A small random network, sure of what it says."""
    kwargs = {"shape": list(SHAPE), "classes": CLASSES, "hidden": [8], "mean": [0.5]}
    model = build("mlp", **kwargs, rngs=nnx.Rngs(5))
    _, params = from_nnx(model, example=jnp.zeros(SHAPE))
    params["logits"]["kernel"] *= 8
    checkpoint.save(path, arch="mlp", arch_kwargs=kwargs, params=params, provenance={})
    return path


def write_data(path: Path, network: Path, inputs: int = INPUTS) -> Path:
    """Images that the network labels; every tenth label is another one."""
    model = checkpoint.load(network)
    x = np.random.default_rng(3).random((inputs, *SHAPE), np.float32)
    logits = np.array(model.apply_fn(model.params, jnp.asarray(x)))
    y = (logits.argmax(-1) + (np.arange(inputs) % 10 == 9)) % CLASSES
    np.savez(path, x=x, y=y)
    return path


def short_run(folder: Path, network: Path, inputs: int) -> tuple:
    """The words that certify so many inputs by few draws; the run's directory comes last."""
    data = write_data(folder / "d.npz", network, inputs)
    plan = ("--n0", 20, "--n", 300, "--alpha", 0.01)
    return ("certify", "--data", f"npz:{data}", "--model", network, *plan, "--out")


def aniso_jax(*words: object) -> int:
    """Run a command here; returns its exit status."""
    try:
        cli.main([str(word) for word in words])
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def start(*words: object, code: str = "", **environment: str) -> subprocess.Popen:
    """Run a command in a process of its own; `code` runs before it."""
    # Ctrl-C is ignored by what a shell starts in the background, and by what that starts in turn
    heard = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    call = f"{code}\nfrom aniso_jax.cli import main\nmain({[str(word) for word in words]!r})"
    return subprocess.Popen(
        [sys.executable, "-c", f"{heard}\n{call}"],
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "80", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def records_of(directory: Path) -> dict[str, bytes]:
    """The bytes that a run promises: not the times, not the locks."""
    beside = (".lock", "timings")
    every = {path.name: path for path in directory.iterdir()}
    return {name: path.read_bytes() for name, path in every.items() if not name.startswith(beside)}


def tree(directory: Path) -> dict[str, bytes | None]:
    """Every path below a directory, with what the files hold."""
    return {
        str(path.relative_to(directory)): path.read_bytes() if path.is_file() else None
        for path in sorted(directory.rglob("*"))
    }
