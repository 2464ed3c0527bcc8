"""One small data set, one small network, and the ten runs over them that the tests look at."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[1] / "records"))

from cli_samples import SHAPE, SIGMAS, aniso_jax, write_data, write_network
from run_samples import sample_experiment, sample_parts, sample_results


@pytest.fixture(scope="session")
def network(tmp_path_factory):
    return write_network(tmp_path_factory.mktemp("network") / "small.safetensors")


@pytest.fixture(scope="session")
def data(tmp_path_factory, network):
    return write_data(tmp_path_factory.mktemp("data") / "small.npz", network)


@pytest.fixture(scope="session")
def asked(network, data):
    """The options that all runs share; the same n, batch and chunk, so that little is compiled."""
    common = ("--data", f"npz:{data}", "--model", network, "--seed", 7)

    def options(law: str = "gaussian", scale: object = "fixed") -> tuple[object, ...]:
        return (*common, "--law", law, "--scale", scale, "--sigma", SIGMAS[law])

    return options


@pytest.fixture(scope="session")
def plan():
    return ("--n0", 20, "--n", 300, "--alpha", 0.01)


@pytest.fixture(scope="session")
def certified(tmp_path_factory, asked, plan):
    """The run of a law and a kind of scale; computed when it is first asked for."""
    root, runs = tmp_path_factory.mktemp("runs"), {}

    def run(law: str, kind: str) -> Path:
        if (law, kind) not in runs:
            runs[law, kind] = root / f"{law}-{kind}"
            scale = _scale(root, law, kind, asked)
            words = ("certify", *asked(law, scale), *plan, "--out", runs[law, kind])
            assert aniso_jax(*words) == 0
        return runs[law, kind]

    return run


def _scale(root: Path, law: str, kind: str, asked) -> object:
    """One theta for all inputs, the output of `optimize`, or the kind's own name."""
    if kind == "one":
        theta = np.random.default_rng(1).uniform(0.2, 0.5, SHAPE)
        np.save(root / "one.npy", theta)
        return root / "one.npy"
    if kind == "each":
        out = root / f"{law}.npz"
        assert aniso_jax("optimize", *asked(law, "anisotropic"), "--out", out) == 0
        return out
    return kind


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount command, so no really small disk can be made")
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.fixture
def sample_run():
    """Three parts of made-up records, as (experiment, parts, compute)."""
    experiment = sample_experiment()
    return experiment, sample_parts(experiment), sample_results
