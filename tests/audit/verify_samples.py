"""Small runs to doubt, and records of them changed by one digit."""

import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))

from cli_samples import SHAPE, write_data, write_network

from aniso_jax.audit.verify.config import Verify
from aniso_jax.audit.verify.run import verify_run
from aniso_jax.records.directory import open_run, read_experiment
from aniso_jax.records.parts import present_parts, read_part, write_part
from aniso_jax.records.schema import run_schema
from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.config import Certify

BOUNDS = {
    "one-sided": {"n": 300},
    "looks": {"looks": (100, 300)},
    "two-class": {"bound": "two-class", "looks": (100, 300)},
    "anytime": {"bound": "anytime", "n": 300, "tolerance": 0.05},
    "curtailed": {"bound": "curtailed", "n": 2000, "target": 0.1},
}


class Sample:
    """A network, its data, and runs over them."""

    def __init__(self, root: Path):
        self.root = root
        self.network = write_network(root / "small.safetensors")
        self.data = write_data(root / "small.npz", self.network)
        self.names = {"data": f"npz:{self.data}", "model": str(self.network)}

    def run(self, name: str, **options) -> Path:
        out = self.root / name
        if not out.exists():
            asked = {"sigma": 0.25, "alpha": 0.01, "n0": 20, "n": 300, **options}
            if "looks" in options:
                asked["n"] = None
            certify_run(Certify(**self.names, out=out, **asked))
        return out

    def theta(self) -> Path:
        path = self.root / "one.npy"
        np.save(path, np.random.default_rng(1).uniform(0.2, 0.5, SHAPE).astype(np.float32))
        return path

    def verify(self, run: Path, **options):
        return verify_run(Verify(run=run, **{**self.names, **options}))


def copied(run: Path, to: Path) -> Path:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(run, to)
    return to


def records(run: Path, part: int = 0) -> list[dict]:
    return read_part(run, part, read_experiment(run)).to_pylist()


def rewrite(run: Path, rows: list[dict], part: int = 0) -> None:
    """The part with other records, and a content hash that fits them."""
    experiment = read_experiment(run)
    table = pa.Table.from_pylist(rows, schema=run_schema(experiment))
    write_part(run, part, table, experiment)


def named(result) -> set[tuple[str, str]]:
    return {(finding.where, finding.column) for finding in result.findings}


def unchecked(result) -> list[str]:
    """What was not checked, but for the batch: on some versions of XLA it moves these logits."""
    return [said for said in result.skipped if not said.startswith("that batches move no vote")]


def forge(run: Path, to: Path, **changes) -> Path:
    """A copy of a run under another experiment, every hash computed again to fit."""
    experiment = read_experiment(run)
    forged = replace(experiment, **changes)
    open_run(to, forged)
    for part in present_parts(run):
        rows = read_part(run, part, experiment).to_pylist()
        write_part(to, part, pa.Table.from_pylist(rows, schema=run_schema(forged)), forged)
    return to
