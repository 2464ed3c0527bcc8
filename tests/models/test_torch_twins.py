"""Our networks against torch's, random weights carried over by the import; not without torch."""

import importlib
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.networks import build
from aniso_jax.models.tensors import flatten

torch = pytest.importorskip("torch", reason="torch is no dependency; install it to compare")
import torch_twins as twins  # noqa: E402  # it imports torch

MEAN, STD = [0.4914, 0.4822, 0.4465], [0.2023, 0.1994, 0.2010]

NARROW: dict[str, Any] = {
    "resnet20": lambda: twins.ResNet((3, 3, 3), (4, 8, 16)),
    "resnet20 option A": lambda: twins.ResNet((3, 3, 3), (4, 8, 16), option="A", last="linear"),
    "resnet18 of ANCER": lambda: twins.ResNet((2, 2, 2, 2), (4, 8, 8, 16), stem=7, norm=False),
    "resnet18 of kuangliu": lambda: twins.ResNet(
        (2, 2, 2, 2), (4, 8, 16, 32), option="shortcut", last="linear"
    ),
    "resnet50": lambda: twins.ResNet((3, 4, 6, 3), (4, 4, 8, 8), deep=True, stem=7),
    "wrn-40-2": lambda: twins.WideResNet(6, (4, 8, 12, 16)),
    "efficientnet-lite0": lambda: twins.EfficientNetLite((8, 4, 6, 8, 12, 16, 20, 24, 40)),
}
WIDE: dict[str, Any] = {
    "resnet110": lambda: twins.ResNet((18, 18, 18), (16, 32, 64)),
    "resnet50": lambda: twins.ResNet(
        (3, 4, 6, 3), (64, 128, 256, 512), deep=True, stem=7, classes=1000
    ),
    "wrn-40-2": lambda: twins.WideResNet(6, (16, 32, 64, 128)),
    "efficientnet-lite0": lambda: twins.EfficientNetLite(
        (32, 16, 24, 40, 80, 112, 192, 320, 1280), 1000
    ),
}


def largest_difference(net: Any, arch: str, path: Path, side: int) -> float:
    """Between torch's logits of a saved network and ours of it imported, relative to their size."""
    whole = torch.nn.Sequential(twins.Normalize(MEAN, STD), net)
    torch.save({"arch": arch, "state_dict": whole.state_dict(), "epoch": 3}, path)
    model = aj.import_checkpoint(path, arch=arch, normalize="cifar10", shape=(side, side, 3))
    x = np.random.default_rng(1).random((3, side, side, 3), np.float32)
    with torch.no_grad():
        wanted = whole(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
    ours = np.asarray(jax.jit(model.apply_fn)(model.params, jnp.asarray(x)))
    size = float(abs(wanted).max())
    assert wanted.std(axis=0).max() > 1e-2 * size  # the logits are about the input
    return float(abs(ours - wanted).max()) / max(size, 1.0)


@pytest.mark.parametrize("name", NARROW)
def test_logits_are_those_of_torch(name: str, tmp_path: Path) -> None:
    net = twins.randomized(NARROW[name]())
    assert largest_difference(net, name.split()[0], tmp_path / "net.pth", 32) < 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("name", WIDE)
def test_logits_are_those_of_torch_at_full_width(name: str, tmp_path: Path) -> None:
    net = twins.randomized(WIDE[name]())
    side = 64 if name in ("resnet50", "efficientnet-lite0") else 32
    assert largest_difference(net, name, tmp_path / "net.pth", side) < 1e-4


@pytest.mark.slow
def test_logits_are_those_of_the_published_efficientnet(tmp_path: Path) -> None:
    published = pytest.importorskip(
        "efficientnet_lite_pytorch", reason="efficientnet-lite-pytorch is not installed"
    )
    net = published.EfficientNet.from_name("efficientnet-lite0", num_classes=10)
    net = twins.randomized(net)
    assert largest_difference(net, "efficientnet-lite0", tmp_path / "net.pth", 224) < 1e-4


def test_the_narrow_and_the_wide_networks_have_the_published_sizes() -> None:
    sizes = {name: sum(p.numel() for p in make().parameters()) for name, make in WIDE.items()}
    assert sizes == {
        "resnet110": 1_730_714,
        "resnet50": 25_557_032,
        "wrn-40-2": 2_243_546,
        "efficientnet-lite0": 4_652_008,
    }


def test_multilayer_perceptron(tmp_path: Path) -> None:
    """Torch flattens (C, H, W), we flatten (H, W, C)."""
    layers = torch.nn.Linear(75, 8), torch.nn.ReLU(), torch.nn.Linear(8, 4)
    net = torch.nn.Sequential(torch.nn.Flatten(), *layers)
    torch.save(net.state_dict(), tmp_path / "net.pth")
    model = aj.import_checkpoint(
        tmp_path / "net.pth", arch="mlp", normalize="none", shape=(5, 5, 3)
    )
    x = np.random.default_rng(1).random((3, 5, 5, 3), np.float32)
    with torch.no_grad():
        wanted = net(torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(model.apply_fn(model.params, jnp.asarray(x)), wanted, atol=1e-5)


@pytest.mark.parametrize("arch", ["small-cnn", "strided-cnn"])
def test_small_networks(arch: str) -> None:
    bench = Path(__file__).parents[2] / "benchmarks" / "pipelines"
    convert, networks = (_module(bench / name) for name in ("convert.py", "torch_side/networks.py"))
    kwargs = {"shape": (28, 28, 1), "classes": 10, "mean": [0.13], "std": [0.3]}
    apply_fn, params = from_nnx(build(arch, **kwargs), example=jnp.zeros((28, 28, 1)))
    assert all("kernel" in name or "bias" in name for name in flatten(params))
    spec, state = convert.to_torch(_model(apply_fn, params, arch, kwargs))
    net = networks.build(**spec)
    net.load_state_dict({name: torch.tensor(np.ascontiguousarray(v)) for name, v in state.items()})
    x = np.random.default_rng(1).random((3, 28, 28, 1), np.float32)
    with torch.no_grad():
        wanted = net[:-1](torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(jax.jit(apply_fn)(params, jnp.asarray(x)), wanted, atol=1e-4)


def _model(apply_fn: Any, params: Any, arch: str, kwargs: dict[str, Any]) -> Any:
    from aniso_jax.models.checkpoint import Model

    return Model(
        apply_fn=apply_fn,
        params=params,
        arch=arch,
        arch_kwargs=kwargs,
        shape=kwargs["shape"],
        classes=10,
        provenance={},
        fingerprint="",
    )


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
