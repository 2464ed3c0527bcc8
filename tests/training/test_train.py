"""A training from its options to its file."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from aniso_jax.models.checkpoint import load
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.training.augment import flipped, shifted
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.descent import Descent
from aniso_jax.training.methods.consistency import Consistency
from aniso_jax.training.methods.macer import Macer
from aniso_jax.training.metrics import EpochMetrics
from aniso_jax.training.steps import add_noise
from aniso_jax.training.train import train


def config(path: Path, **changes: object) -> TrainConfig:
    return TrainConfig(**{"data": "digits", "arch": "mlp", "epochs": 2, "out": path, **changes})


def test_two_epochs_lower_the_loss_and_repeat_bit_for_bit(tmp_path: Path) -> None:
    path, seen = tmp_path / "net.safetensors", list[EpochMetrics]()
    model = train(config(path), on_epoch=seen.append)
    assert [m.epoch for m in seen] == [1, 2]
    assert seen[1].loss < 0.8 * seen[0].loss
    assert seen[1].clean_accuracy > 0.7
    assert 0.05 < seen[1].soft_radius < 1
    first = path.read_bytes()
    train(config(path))
    assert path.read_bytes() == first
    assert model.fingerprint != train(config(path, seed=1)).fingerprint


def test_what_is_left_is_the_network_and_a_line_an_epoch(tmp_path: Path) -> None:
    path, seen = tmp_path / "net.safetensors", list[EpochMetrics]()
    train(config(path, method="consistency"), on_epoch=seen.append)
    lines = tmp_path / "net.safetensors.metrics.jsonl"
    assert set(tmp_path.iterdir()) == {path, lines}
    said = [json.loads(line) for line in lines.read_text().splitlines()]
    assert [EpochMetrics(**each) for each in said] == seen
    assert said[0]["parts"].keys() == {"cross_entropy", "divergence", "entropy"}
    loss = said[0]["parts"]
    whole = loss["cross_entropy"] + 10 * loss["divergence"] + 0.5 * loss["entropy"]
    assert whole == pytest.approx(said[0]["loss"], rel=1e-5)


@pytest.mark.slow
def test_provenance_says_how_to_repeat(tmp_path: Path) -> None:
    path = tmp_path / "with space.safetensors"
    settings = Consistency(copies=3, weight=5.0)
    asked = config(
        path, epochs=1, method="consistency", law="uniform", sigma=0.4, consistency=settings
    )
    provenance = train(asked).provenance
    command = provenance["command"]
    assert f"--out '{path}'" in command
    assert "--method consistency --law uniform --sigma 0.4 --epochs 1" in command
    assert "--consistency.copies 3 --consistency.weight 5.0 --consistency.eta 0.5" in command
    assert "macer" not in command and "--flip" not in command and "None" not in command
    assert (provenance["method"], provenance["law"]) == ("consistency", "uniform")
    assert provenance["settings"] == {"copies": 3, "weight": 5.0, "eta": 0.5}
    assert {"jax", "flax", "optax"} <= provenance["versions"].keys()
    assert len(provenance["data"]["train"]) == 64


@pytest.mark.parametrize("name", LAWS)
def test_a_laws_name_is_a_method(tmp_path: Path, name: str) -> None:
    out = tmp_path / "net.safetensors"
    one, other = config(out, law=name), config(out, method=name)
    assert one.command == other.command
    assert (one.chosen_method, one.chosen_law) == (name, name)


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


def test_flips_mirror_left_to_right() -> None:
    x = jax.random.normal(jax.random.key(0), (1, 6, 6, 1))
    moved = np.asarray(flipped(jnp.repeat(x, 50, axis=0), jax.random.key(1)))
    as_it_was = (moved == np.asarray(x)).all(axis=(1, 2, 3))
    mirrored = (moved == np.asarray(x)[:, :, ::-1]).all(axis=(1, 2, 3))
    assert (as_it_was ^ mirrored).all() and 10 < mirrored.sum() < 40


@pytest.mark.parametrize(
    ("schedule", "optimizer"), [("cosine", "adamw"), ("step", "sgd"), ("constant", "adamw")]
)
def test_schedules_rise_then_fall(schedule: str, optimizer: str) -> None:
    descent = Descent(
        optimizer=optimizer,
        schedule=schedule,
        lr=0.4,
        momentum=0.9,
        weight_decay=0.1,
        warmup=4,
        decay_every=10,
        decay_factor=0.5,
        steps=24,
    )
    rates = [float(descent.learning_rate(i)) for i in range(25)]
    assert rates[:5] == pytest.approx([0.0, 0.1, 0.2, 0.3, 0.4])
    at = {"cosine": (0.2, 0.0), "step": (0.2, 0.1), "constant": (0.4, 0.4)}[schedule]
    assert (rates[14], rates[24]) == pytest.approx(at, abs=1e-6)
    weights = {"w": jnp.ones(2)}
    update, _ = descent.transformation.update(
        {"w": jnp.zeros(2)}, descent.transformation.init(weights), weights
    )
    assert isinstance(update, dict) and float(jnp.abs(update["w"]).max()) == 0  # the rate is 0 yet


def test_sgd_adds_weight_decay_to_the_gradient() -> None:
    settings = {"warmup": 0, "decay_every": 1, "decay_factor": 1.0, "steps": 9}
    descent = Descent(
        optimizer="sgd", schedule="constant", lr=0.5, momentum=0.9, weight_decay=0.1, **settings
    )
    weights, gradient = {"w": jnp.array([2.0])}, {"w": jnp.array([1.0])}
    state = descent.transformation.init(weights)
    velocity, by_hand = 0.0, 2.0
    for _ in range(3):
        update, state = descent.transformation.update(gradient, state, weights)
        weights = optax.apply_updates(weights, update)
        velocity = 0.9 * velocity + 1.0 + 0.1 * by_hand
        by_hand -= 0.5 * velocity
    assert float(weights["w"][0]) == pytest.approx(by_hand, rel=1e-5)


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
        ({"data": "toy2d", "flip": True}, "only images"),
        ({"law": "cauchy"}, "choose one of gaussian, uniform, laplace"),
        ({"method": "adversarial"}, "choose one of gaussian, uniform, laplace, stability"),
        ({"method": "macer", "law": "uniform"}, "macer is defined for gaussian noise only, got"),
        ({"method": "smoothadv", "law": "laplace"}, "for gaussian noise only, got --law laplace"),
        ({"method": "gaussian", "law": "uniform"}, "leave one of them out"),
        ({"warmup": 3}, "warmup is 3 of 2 epochs"),
        ({"devices": 99}, "devices is 99, but there are"),
    ],
)
def test_refused(tmp_path: Path, changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        train(config(tmp_path / "net.safetensors", **changes))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (lambda: Consistency(copies=1), "--consistency.copies must be finite and at least 2"),
        (lambda: Macer(beta=float("nan")), "--macer.beta must be finite and at least 0, got nan"),
    ],
)
def test_settings_refused(settings: object, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        settings()  # type: ignore[operator]


def test_diverged_training_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="diverged in epoch 1"):
        train(config(tmp_path / "net.safetensors", lr=1e20))
    assert list(tmp_path.iterdir()) == []


def test_bfloat16_learns_and_leaves_float32_weights(tmp_path: Path) -> None:
    path, seen = tmp_path / "net.safetensors", list[EpochMetrics]()
    model = train(config(path, dtype="bfloat16"), on_epoch=seen.append)
    assert seen[1].loss < 0.8 * seen[0].loss and seen[1].clean_accuracy > 0.7
    assert {leaf.dtype for leaf in jax.tree.leaves(model.params)} == {jnp.dtype("float32")}
    exact = train(config(tmp_path / "other.safetensors"), on_epoch=seen.append)
    assert seen[1].loss == pytest.approx(seen[3].loss, rel=0.05)
    assert load(path).fingerprint == model.fingerprint != exact.fingerprint
