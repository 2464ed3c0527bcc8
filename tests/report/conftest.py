"""Plausible runs, made up: the report floor draws what it is given."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

# a busy machine may take long over one example; that says nothing about the code
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")

SETTINGS = {
    "gaussian": {"norm": "l2", "unit": "std", "sigma": 0.25, "order": 2},
    "uniform": {"norm": "l1", "unit": "half-width", "sigma": 0.433, "order": 1},
    "laplace": {"norm": "l1", "unit": "b", "sigma": 0.177, "order": 1},
}
STRETCH = {"fixed": 1.0, "isotropic": 1.6, "anisotropic": 3.4}


def make_run(law: str = "gaussian", scale: str = "fixed", size: int = 60, seed: int = 0):
    rng = np.random.default_rng(seed)
    setting = SETTINGS[law]
    label = rng.integers(0, 10, size)
    strength = np.clip(rng.normal(0.62, 0.35, size), -1, 1)
    abstains = strength < 0
    prediction = np.where(rng.random(size) < 0.04, (label + 1) % 10, label)
    prediction = np.where(abstains, -1, prediction)
    unit_radius = setting["sigma"] * (2.9 if law == "gaussian" else 0.98)
    stretch = min(STRETCH[scale], 1.4)
    radius = np.where(abstains, 0.0, strength.clip(0) * unit_radius * stretch)
    proxy = radius * STRETCH[scale] / stretch * (40 if law != "gaussian" and stretch > 1.3 else 1)
    proxy = proxy * (3.0 if law == "gaussian" and scale == "anisotropic" else 1.0)
    log_volume = 784 * np.log(np.maximum(proxy, 1e-300)) - 950.25
    optimised = scale != "fixed"
    df = pd.DataFrame(
        {
            "index": np.arange(size) * 20,
            "input_id": [f"{value:016x}" for value in rng.integers(0, 2**60, size)],
            "label": label,
            "prediction": prediction,
            "correct": prediction == label,
            "clean_prediction": label,
            "hits": np.where(abstains, 5012, 9000 + (999 * strength.clip(0)).astype(int)),
            "p_lower": np.where(abstains, 0.49, 0.89 + 0.1 * strength.clip(0)),
            "gap": np.where(abstains, 0.0, radius / setting["sigma"]),
            "radius": radius,
            "proxy_radius": proxy,
            "log_volume": np.where(abstains, -np.inf, log_volume),
            "domain_log_volume": np.where(abstains, np.nan, np.minimum(0.0, log_volume / 3)),
            "min_sigma": setting["sigma"],
            "capped_share": rng.random(size) * 0.2 if scale == "anisotropic" else np.nan,
            "contains_isotropic": pd.array(
                rng.random(size) < 0.9 if scale == "anisotropic" else [None] * size, "boolean"
            ),
            "status": np.where(abstains, "abstain", "certified"),
        }
    )
    df.attrs = {
        "name": f"{setting['norm']} {scale}",
        "law": law,
        "scale": scale,
        "unit": setting["unit"],
        "sigma": setting["sigma"],
        "n0": 100,
        "n": 10_000,
        "alpha": 0.001,
        "seed": 7,
        "data": "mnist5k (test)",
        "model": "small-cnn, sha256 5f0c9e1b",
        "dimension": 784,
        "run": f"{law[:4]}{scale[:4]}",
        "mode": "float",
        "certify_seconds": 0.4123,
    }
    if optimised:
        df.attrs["optimise_seconds"] = 1.234 if scale == "isotropic" else 2.345
    return df


@pytest.fixture
def run() -> Callable[..., pd.DataFrame]:
    return make_run


@pytest.fixture
def runs() -> list[pd.DataFrame]:
    return [make_run(law, scale) for law in ("gaussian", "uniform") for scale in STRETCH]


@pytest.fixture
def published() -> Path:
    return Path(__file__).parent / "published"
