"""A training that was stopped goes on from its last epoch, and ends with the same bytes."""

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from aniso_jax.training.config import TrainConfig
from aniso_jax.training.fit import Stopped
from aniso_jax.training.methods.consistency import Consistency
from aniso_jax.training.metrics import EpochMetrics
from aniso_jax.training.train import train

EPOCHS = 4
ROOT = Path(__file__).parents[2]


def config(directory: Path, **changes: object) -> TrainConfig:
    given = {
        "data": "digits",
        "arch": "mlp",
        "out": directory / "net.safetensors",
        "epochs": EPOCHS,
        "batch": 256,
        "method": "consistency",
        "shift": 1,
        "warmup": 1,
    }
    return TrainConfig(**{**given, **changes})


def stopped_after(config: TrainConfig, epoch: int) -> str:
    """Interrupt a training, as Ctrl-C would, when an epoch is done; what it says."""

    def stop(metrics: EpochMetrics) -> None:
        if metrics.epoch == epoch:
            raise KeyboardInterrupt

    with pytest.raises(Stopped) as said:
        train(config, on_epoch=stop)
    assert not config.out.exists()
    return str(said.value)


def made(config: TrainConfig) -> tuple[bytes, str]:
    return config.out.read_bytes(), config.metrics_file.read_text()


@pytest.mark.parametrize("optimizer", ["adamw", pytest.param("sgd", marks=pytest.mark.slow)])
def test_stopped_twice_it_ends_with_the_same_bytes(tmp_path, optimizer):
    asked = config(tmp_path, optimizer=optimizer)
    train(asked)
    whole = made(asked)
    asked.out.unlink()
    assert f"Stopped: 1 of {EPOCHS} epochs are done and kept in" in stopped_after(asked, 1)
    assert "run the same command again" in stopped_after(asked, 3)
    seen: list[EpochMetrics] = []
    train(asked, on_epoch=seen.append)
    assert [metrics.epoch for metrics in seen] == [4]
    assert made(asked) == whole
    assert not asked.checkpoint_directory.exists()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"lr": 0.01}, "lr is 0.002 there and 0.01 here"),
        ({"method": "gaussian"}, "method is consistency there and gaussian here"),
        ({"consistency": Consistency(eta=0.1)}, "consistency.eta is 0.5 there and 0.1 here"),
    ],
)
def test_other_options_are_refused_by_name(kept_after_one, changes, says):
    with pytest.raises(ValueError, match="holds the training of another run: ") as said:
        train(replace(kept_after_one, **changes))
    assert says in str(said.value) and "give the same options to go on" in str(said.value)
    assert kept_after_one.checkpoint_directory.is_dir()


@pytest.fixture(scope="module")
def kept_after_one(tmp_path_factory: pytest.TempPathFactory) -> TrainConfig:
    asked = config(tmp_path_factory.mktemp("kept"))
    stopped_after(asked, 1)
    return asked


def test_settings_of_methods_that_are_not_used_do_not_matter(kept_after_one, tmp_path):
    other = replace(kept_after_one, stability=replace(kept_after_one.stability, weight=9.0))
    assert other.command == kept_after_one.command


def test_a_damaged_checkpoint_is_refused_in_one_sentence(tmp_path):
    asked = config(tmp_path, checkpoint=tmp_path / "kept")
    stopped_after(asked, 1)
    for path in (tmp_path / "kept").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    with pytest.raises(ValueError, match="holds no checkpoint that can be read") as said:
        train(asked)
    assert "remove it to start again" in str(said.value) and "\n" not in str(said.value)


def test_a_directory_with_other_files_keeps_them(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    (home / "letter.txt").write_text("mine")
    train(config(tmp_path, checkpoint=home, epochs=1))
    assert [path.name for path in home.iterdir()] == ["letter.txt"]


def test_stopped_before_an_epoch_was_done_nothing_is_left(tmp_path):
    asked = config(tmp_path)

    class Impatient:
        def start(self, inputs: int) -> None:
            assert inputs == EPOCHS * (1297 // 256) * 256

        def inputs(self, count: int) -> None:
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match="before the first epoch was done"):
        train(asked, watch=Impatient())
    assert list(tmp_path.iterdir()) == []


def test_what_is_left_to_see_counts_the_missing_epochs_only(tmp_path):
    asked = config(tmp_path)
    stopped_after(asked, 3)
    told = np.zeros(2, int)

    class Counting:
        def start(self, inputs: int) -> None:
            told[0] = inputs

        def inputs(self, count: int) -> None:
            told[1] += count

    train(asked, watch=Counting())
    assert told[0] == told[1] == (1297 // 256) * 256


def started(directory: Path) -> subprocess.Popen:
    """The command in a process and a directory of its own."""
    words = ["train", "--data", "digits", "--arch", "mlp", "--epochs", "12", "--method", "macer"]
    code = f"from aniso_jax.cli import main; main({[*words, '--out', 'net.safetensors']!r})"
    directory.mkdir(exist_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", code], cwd=directory, env=environment)


@pytest.mark.slow
def test_killed_it_ends_with_the_same_bytes(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert started(whole).wait() == 0
    process = started(killed)
    lines = killed / "net.safetensors.metrics.jsonl"
    while not lines.exists() or len(lines.read_text().splitlines()) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert not (killed / "net.safetensors").exists()
    assert started(killed).wait() == 0
    for name in ("net.safetensors", lines.name):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
    assert {path.name for path in killed.iterdir()} == {"net.safetensors", lines.name}
