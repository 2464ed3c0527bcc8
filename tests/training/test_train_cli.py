"""The command `aniso-jax train`: every method, its help, and what several devices make."""

import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))

from cli_samples import aniso_jax

from aniso_jax.models.checkpoint import load
from aniso_jax.models.tensors import flatten
from aniso_jax.training.methods.table import METHODS

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "small.npz"
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.random((16, 4, 4, 1), np.float32), y=np.arange(16) % 3)
    return path


# the laws differ in their noise alone, which other tests look at
LONG = {name: pytest.param(name, marks=pytest.mark.slow) for name in ("uniform", "laplace")}


@pytest.mark.parametrize("method", [LONG.get(name, name) for name in METHODS])
def test_every_method_trains(method, data, tmp_path, capsys):
    out = tmp_path / "n.safetensors"
    words = ("train", "--data", f"npz:{data}", "--arch", "mlp", "--out", out, "--method", method)
    small = ("--smoothadv.steps", 2, "--smoothadv.copies", 2, "--macer.copies", 3)
    assert aniso_jax(*words, *small, "--batch", 8, "--epochs", 1, "--sigma", 0.5) == 0
    told = capsys.readouterr()
    assert re.search(r"epoch 1/1  loss \d.*  soft radius \d", told.out)
    assert re.search(r"16/16 inputs, .* 0 s left", told.err)
    provenance = load(out).provenance
    assert provenance["method"] == method
    assert f"--method {method} --law" in provenance["command"]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            ("--method", "macer", "--law", "laplace"),
            "--method macer is defined for gaussian noise only, got --law laplace; choose",
        ),
        (("--consistency.copies", 1), "--consistency.copies must be finite and at least 2, got 1"),
    ],
)
def test_options_that_no_training_can_have(data, tmp_path, capsys, options, says):
    words = ("train", "--data", f"npz:{data}", "--arch", "mlp", "--out", tmp_path / "n.safetensors")
    assert aniso_jax(*words, *options) == 2
    printed = capsys.readouterr().err
    assert says in re.sub(r"[\s│]+", " ", printed)
    assert "Traceback" not in printed
    assert list(tmp_path.iterdir()) == []


def test_the_help_groups_each_methods_settings(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert aniso_jax("train", "--help") == 0
    said = capsys.readouterr().out
    for option in ("--consistency.weight", "--smoothadv.epsilon", "--macer.gamma", "--flip"):
        assert option in said
    for method in ("stability", "consistency", "smoothadv", "macer"):
        assert f"{method} options" in said


def trained_on(devices: int, method: str, out: Path) -> dict[str, np.ndarray]:
    """Weights after two epochs in a process with that many devices."""
    options = ["--data", "digits", "--arch", "small-cnn", "--method", method, "--out", str(out)]
    sizes = ["--epochs", "2", "--batch", "432", "--sigma", "0.5", "--shift", "1", "--flip"]
    small = ["--smoothadv.steps", "2", "--macer.copies", "4", "--optimizer", "sgd", "--lr", "0.02"]
    count = f"--xla_force_host_platform_device_count={devices}"
    code = f"""
import jax
assert jax.local_device_count() == {devices}
from aniso_jax.cli import main
main({["train", *options, *sizes, *small]!r})
"""
    environment = {**os.environ, "XLA_FLAGS": count, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, capture_output=True)
    return {name: np.asarray(leaf) for name, leaf in flatten(load(out).params).items()}


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gaussian", "consistency", "smoothadv", "macer"])
def test_one_and_four_devices_agree_to_rounding(method, tmp_path):
    one, four = (trained_on(count, method, tmp_path / f"{count}.safetensors") for count in (1, 4))
    for name, weights in one.items():
        np.testing.assert_allclose(four[name], weights, rtol=1e-3, atol=2e-5, err_msg=name)
