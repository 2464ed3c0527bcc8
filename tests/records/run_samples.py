"""A small experiment and made-up records for it, shared by the tests of records and runs."""

import dataclasses
from collections.abc import Iterator

import numpy as np

from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.records.table import part_table
from aniso_jax.runs.runner import PartResult, split_parts

CLASSES, SHAPE = 3, (2, 2, 1)


def sample_experiment(inputs: int = 10, part_size: int = 4, **changes) -> Experiment:
    experiment = Experiment(
        data="toy2d",
        data_fingerprint="d0",
        model="small",
        model_fingerprint="m0",
        law="gaussian",
        scale="anisotropic",
        scale_source="published, one theta per input",
        sigma=0.25,
        n0=100,
        n=1000,
        looks=(500, 1000),
        alpha=0.001,
        seed=7,
        shape=SHAPE,
        skip=3,
        inputs=inputs,
        indices_hash=hash_indices(sample_indices(inputs)),
        part_size=part_size,
        batch=4,
        matmul_precision="highest",
        versions={"aniso_jax": "0.1.0", "jax": "0.10.0", "jaxlib": "0.10.0"},
    )
    return dataclasses.replace(experiment, **changes)


def sample_indices(inputs: int) -> np.ndarray:
    return np.arange(inputs) * 3


def sample_parts(experiment: Experiment) -> list[np.ndarray]:
    return split_parts(sample_indices(experiment.inputs), experiment.part_size)


def sample_columns(indices: np.ndarray) -> dict:
    rows = len(indices)
    rng = np.random.default_rng(indices)
    column = rng.random(rows)
    return {
        "index": indices,
        "input_id": [f"id-{index}" for index in indices],
        "label": np.zeros(rows, np.int32),
        "prediction": np.full(rows, -1, np.int32),
        "correct": np.zeros(rows, bool),
        "clean_prediction": np.ones(rows, np.int32),
        "status": ["ok"] * rows,
        "selection_votes": rng.integers(0, 100, (rows, CLASSES)),
        "votes": rng.integers(0, 1000, (rows, 2, CLASSES)),
        "hits": rng.integers(0, 1000, rows),
        "p_lower": column,
        "gap": column.astype(np.float32),
        "radius": column,
        "proxy_radius": column,
        "log_volume": np.full(rows, -np.inf),
        "domain_log_volume": None,
        "sigma": np.full(rows, 0.25, np.float32),
        "theta": rng.random((rows, *SHAPE), np.float32),
        "min_sigma": column,
        "capped_share": [None] * (rows - 1) + [0.5],
    }


def sample_table(indices: np.ndarray):
    return part_table(sample_columns(indices))


def sample_compute(indices: np.ndarray) -> PartResult:
    timings = {"optimise_seconds": 2.0, "certify_seconds": 1.0, "device": "cpu"}
    return PartResult(sample_table(indices), timings)


def sample_results(parts) -> Iterator[tuple[int, PartResult]]:
    """Last part first: the order is the computer's own."""
    return ((at, sample_compute(parts[at])) for at in reversed(range(len(parts))))
