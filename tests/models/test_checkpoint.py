import os
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from safetensors.numpy import load_file, save_file

from aniso_jax.models import checkpoint
from aniso_jax.models.adapters import split
from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.networks import build
from aniso_jax.storage import atomic

KWARGS = {"shape": (4, 4, 1), "classes": 3, "channels": (2, 3), "hidden": 5, "mean": (0.5,)}
X = jax.random.normal(jax.random.key(0), (2, 4, 4, 1))


def write(path: Path, *, seed: int = 0, spoil: float | None = None) -> object:
    apply_fn, params = split(build("small-cnn", **KWARGS, rngs=nnx.Rngs(seed)))
    if spoil is not None:
        params["logits"]["bias"] = params["logits"]["bias"].at[0].set(spoil)
    checkpoint.save(
        path, arch="small-cnn", arch_kwargs=KWARGS, params=params, provenance={"seed": seed}
    )
    return jax.jit(apply_fn)(params, X)


def test_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    logits = write(path)
    model = checkpoint.load(path)
    np.testing.assert_array_equal(jax.jit(model.apply_fn)(model.params, X), logits)
    assert (model.arch, model.shape, model.classes) == ("small-cnn", (4, 4, 1), 3)
    assert model.provenance == {"seed": 0}
    assert [file.name for file in tmp_path.iterdir()] == ["net.safetensors"]


def test_same_network_same_bytes_and_fingerprint(tmp_path: Path) -> None:
    a, b, c = (tmp_path / name for name in "abc")
    for path, seed in ((a, 0), (b, 0), (c, 1)):
        write(path, seed=seed)
    assert a.read_bytes() == b.read_bytes()
    prints = [checkpoint.load(path).fingerprint for path in (a, b, c)]
    assert prints[0] == prints[1] != prints[2]
    assert checkpoint.load(a).apply_fn == checkpoint.load(c).apply_fn


def test_shipped_network() -> None:
    model = checkpoint.load("demo")
    assert model.provenance["command"].startswith("aniso-jax train --data mnist5k ")
    assert model.provenance["metrics"]["noisy_accuracy"] >= 0.945
    images = jax.ShapeDtypeStruct((1, 28, 28, 1), jnp.float32)
    assert jax.eval_shape(model.apply_fn, model.params, images).shape == (1, 10)


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"There is no file .*none"):
        checkpoint.load(tmp_path / "none")


@pytest.mark.parametrize("keep", [0, 5, 100, -4])
def test_truncated(tmp_path: Path, keep: int) -> None:
    path = tmp_path / "net.safetensors"
    write(path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match="not a safetensors file, or is damaged"):
        checkpoint.load(path)


def test_foreign(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    for metadata in (None, {"format": "pt"}, {"aniso-jax": "{"}, {"aniso-jax": '{"version": 2}'}):
        save_file({"w": np.ones(2, np.float32)}, path, metadata)
        with pytest.raises(CheckpointError, match="does not say as aniso-jax does"):
            checkpoint.load(path)


def test_weights_of_another_network_are_listed(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    write(path)
    metadata = header(path)
    tensors = load_file(path)
    tensors["extra"] = tensors.pop("hidden.bias")
    tensors["logits.bias"] = np.zeros(4, np.float32)
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError) as error:
        checkpoint.load(path)
    assert "extra is float32(5,), wanted none" in str(error.value)
    assert "hidden.bias is missing, wanted float32(5,)" in str(error.value)
    assert "logits.bias is float32(4,), wanted float32(3,)" in str(error.value)


def test_unknown_network(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    write(path)
    metadata = {"aniso-jax": header(path)["aniso-jax"].replace("small-cnn", "big-cnn")}
    save_file(load_file(path), path, metadata)
    with pytest.raises(CheckpointError, match="cannot be built: big-cnn"):
        checkpoint.load(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_not_finite(tmp_path: Path, value: float) -> None:
    path = tmp_path / "net.safetensors"
    with pytest.raises(CheckpointError, match=r"NaN or infinite in logits\.bias"):
        write(path, spoil=value)
    assert not path.exists()
    write(path)
    metadata, tensors = header(path), load_file(path)
    tensors["logits.bias"][0] = value
    save_file(tensors, path, metadata)
    with pytest.raises(CheckpointError, match=r"NaN or infinite in logits\.bias"):
        checkpoint.load(path)


def test_full_disk_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full)
    with pytest.raises(CheckpointError, match="the disk is full"):
        write(tmp_path / "net.safetensors")
    assert os.listdir(tmp_path) == []


def test_missing_directory(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="cannot be written"):
        write(tmp_path / "none" / "net.safetensors")


def header(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        return dict(file.metadata())
