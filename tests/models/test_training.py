from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.steps import add_noise, shifted
from aniso_jax.training.train import EpochMetrics, train


def config(path: Path, **changes: object) -> TrainConfig:
    return TrainConfig(**{"data": "digits", "arch": "mlp", "epochs": 2, "out": path, **changes})


def test_two_epochs_lower_the_loss_and_repeat_bit_for_bit(tmp_path: Path) -> None:
    path, seen = tmp_path / "net.safetensors", list[EpochMetrics]()
    model = train(config(path), on_epoch=seen.append)
    assert [m.epoch for m in seen] == [1, 2]
    assert seen[1].loss < 0.8 * seen[0].loss
    assert seen[1].clean_accuracy > 0.7
    first = path.read_bytes()
    train(config(path))
    assert path.read_bytes() == first
    assert model.fingerprint != train(config(path, seed=1)).fingerprint


@pytest.mark.slow
def test_provenance_says_how_to_repeat(tmp_path: Path) -> None:
    path = tmp_path / "with space.safetensors"
    model = train(config(path, epochs=1, law="uniform", sigma=0.4, arch="small-cnn", shift=1))
    command = model.provenance["command"]
    assert f"--out '{path}'" in command
    assert "--law uniform --sigma 0.4 --epochs 1" in command
    assert {"jax", "flax", "optax"} <= model.provenance["versions"].keys()
    assert len(model.provenance["data"]["train"]) == 64


@pytest.mark.parametrize("name", LAWS)
def test_noise_has_the_laws_scale(name: str) -> None:
    law = LAWS[name]
    noise = add_noise(law, 0.5, jnp.zeros((200, 100)), jax.random.key(0))
    assert float(noise.std()) == pytest.approx(0.5 * law.std, rel=0.02)


def test_shifts_move_by_whole_pixels() -> None:
    x = jax.random.normal(jax.random.key(0), (1, 6, 6, 1))
    moved = np.asarray(shifted(jnp.repeat(x, 200, axis=0), jax.random.key(1), 1))
    assert len(np.unique(moved.reshape(200, -1), axis=0)) == 9
    assert (moved == np.asarray(x)).all(axis=(1, 2, 3)).any()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"sigma": -0.1}, "sigma must be at least 0"),
        ({"sigma": float("nan")}, "sigma must be at least 0"),
        ({"epochs": 0}, "epochs must be at least 1"),
        ({"lr": 0.0}, "lr must be positive"),
        ({"out": Path("nowhere/net.safetensors")}, "no directory nowhere"),
        ({"batch": 5000}, "give a smaller batch"),
        ({"data": "toy2d", "arch": "small-cnn"}, "use arch mlp"),
        ({"data": "toy2d", "shift": 1}, "only images"),
        ({"law": "cauchy"}, "choose one of gaussian, uniform, laplace"),
    ],
)
def test_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        train(config(tmp_path / "net.safetensors", **changes))
    assert list(tmp_path.iterdir()) == []


def test_diverged_training_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="NaN or infinite"):
        train(config(tmp_path / "net.safetensors", lr=1e20))
    assert list(tmp_path.iterdir()) == []
