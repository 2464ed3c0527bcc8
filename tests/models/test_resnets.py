import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.signal
from flax import nnx

from aniso_jax.models import convolution, resnets
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.checkpoint import Model, load, save
from aniso_jax.models.convolution import Conv, max_pool_3x3
from aniso_jax.models.folding import fold_batch_norm
from aniso_jax.models.networks import build
from aniso_jax.models.resnets import ResNet
from aniso_jax.models.tensors import flatten, like

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
Tensors = dict[str, np.ndarray[Any, Any]]


def images(shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def correlated(
    x: np.ndarray[Any, Any], kernel: np.ndarray[Any, Any], stride: int
) -> np.ndarray[Any, Any]:
    """One image (H, W, cin) with a kernel, by scipy, in float64, zeros around it."""
    planes = [
        sum(
            scipy.signal.correlate2d(x[..., c], kernel[..., c, o], mode="same")
            for c in range(x.shape[-1])
        )
        for o in range(kernel.shape[-1])
    ]
    return np.stack(planes, axis=-1)[::stride, ::stride]


class Reference:
    """A residual network in float64, one image at a time, from a checkpoint's tensors."""

    def __init__(self, tensors: Tensors, *, pools: bool, mean: float, std: float) -> None:
        self.tensors = {name: value.astype(np.float64) for name, value in tensors.items()}
        self.pools, self.mean, self.std = pools, mean, std

    def __call__(self, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        y = (x.astype(np.float64) - self.mean) / self.std
        y = np.maximum(self.conv("stem", y, 2 if self.pools else 1), 0)
        if self.pools:
            y = self.pooled(y)
        count = sum(name.endswith("second.bias") for name in self.tensors)
        for number in range(count):
            y = self.block(f"blocks.{number}", y, halves=number > 0)
        return y.mean((0, 1)) @ self.tensors["logits.kernel"] + self.tensors["logits.bias"]

    def block(self, name: str, x: np.ndarray[Any, Any], *, halves: bool) -> np.ndarray[Any, Any]:
        changes = f"{name}.shortcut.bias" in self.tensors
        stride = 2 if changes and halves else 1
        inner = np.maximum(self.conv(f"{name}.first", x, stride), 0)
        skipped = self.conv(f"{name}.shortcut", x, stride) if changes else x
        return np.maximum(self.conv(f"{name}.second", inner, 1) + skipped, 0)

    def conv(self, name: str, x: np.ndarray[Any, Any], stride: int) -> np.ndarray[Any, Any]:
        kernel, bias = self.tensors[f"{name}.kernel"], self.tensors[f"{name}.bias"]
        return correlated(x, kernel, stride) + bias

    @staticmethod
    def pooled(x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        padded = np.pad(x, ((1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
        windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
        return windows.max((-2, -1))[::2, ::2]


@pytest.mark.parametrize(
    ("side", "stem"), [pytest.param(9, "3x3", marks=pytest.mark.slow), (33, "7x7")]
)
def test_logits_are_those_of_a_float64_reference(side: int, stem: str) -> None:
    """A side of 33 passes through maps of 2x2 and 1x1, and both through odd ones."""
    kwargs: dict[str, Any] = {"blocks": (1, 2, 1), "widths": (3, 4, 5), "stem": stem}
    net = ResNet((side, side, 2), 4, **kwargs, mean=0.3, std=0.7)
    apply_fn, params = from_nnx(net, example=jnp.zeros((side, side, 2)))
    rng = np.random.default_rng(0)
    tensors = {name: np.asarray(value) for name, value in flatten(params).items()}
    tensors |= {
        name: rng.standard_normal(value.shape).astype(np.float32)
        for name, value in tensors.items()
        if name.endswith("bias")
    }
    x = images((2, side, side, 2))
    logits = jax.jit(apply_fn)(like(params, tensors), jnp.asarray(x))
    reference = Reference(tensors, pools=stem == "7x7", mean=0.3, std=0.7)
    np.testing.assert_allclose(logits, np.stack([reference(one) for one in x]), atol=1e-4)


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 2)])
@pytest.mark.parametrize("stride", [1, 2])
def test_dense_path_is_the_convolution(
    size: tuple[int, int], stride: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    conv = Conv(3, 4, 3, stride, rngs=nnx.Rngs(0))

    def loss(x: jax.Array) -> tuple[jax.Array, jax.Array]:
        y = conv(x)
        return jnp.sum(y**2), y

    x = jnp.asarray(images((5, *size, 3)))
    gradient, y = jax.grad(loss, has_aux=True)(x)
    monkeypatch.setattr(convolution, "_TINY", 0)
    other_gradient, other_y = jax.grad(loss, has_aux=True)(x)
    np.testing.assert_allclose(y, other_y, atol=1e-5)
    np.testing.assert_allclose(gradient, other_gradient, atol=1e-4)


def test_folding_is_convolution_then_norm() -> None:
    rng = np.random.default_rng(2)
    kernel = rng.standard_normal((3, 3, 2, 4))
    weight, bias, mean = rng.standard_normal((3, 4))
    variance = rng.random(4) + 0.1
    folded, shift = fold_batch_norm(
        kernel, weight=weight, bias=bias, mean=mean, variance=variance, epsilon=1e-3
    )
    x = rng.standard_normal((6, 6, 2))
    plain = correlated(x, kernel, 1)
    wanted = (plain - mean) / np.sqrt(variance + 1e-3) * weight + bias
    np.testing.assert_allclose(correlated(x, folded, 1) + shift, wanted, atol=1e-5)


def test_pool_is_the_window_maximum() -> None:
    x = images((2, 7, 9, 3))
    pooled = jax.jit(max_pool_3x3)(jnp.asarray(x))
    np.testing.assert_array_equal(pooled, np.stack([Reference.pooled(one) for one in x]))


@pytest.mark.parametrize(
    ("arch", "blocks", "weights"),
    [("resnet20", 9, 272_474), ("resnet110", 54, 1_730_714), ("resnet18", 8, 11_173_962)],
)
def test_names_and_sizes(arch: str, blocks: int, weights: int) -> None:
    """With two weights a channel of every norm they have what the published networks have."""
    net = nnx.eval_shape(lambda: build(arch, shape=(32, 32, 3), classes=10))
    assert len(net.blocks) == blocks
    sizes = {name: value.size for name, value in flatten(nnx.to_pure_dict(nnx.state(net))).items()}
    channels = sum(n for name, n in sizes.items() if "bias" in name and "logits" not in name)
    assert sum(sizes.values()) + channels == weights


@pytest.mark.slow
def test_first_logits_are_tame_at_any_depth() -> None:
    net = build("resnet110", shape=(4, 4, 3), classes=10, widths=(4, 4, 4))
    logits = nnx.jit(lambda net, x: net(x))(net, jnp.asarray(images((16, 4, 4, 3))))
    assert 0.01 < float(jnp.std(logits)) < 10


def test_a_checkpoint_gives_the_same_logits(tmp_path: Path) -> None:
    kwargs = {"shape": [8, 8, 3], "classes": 4, "depth": 8, "widths": [4, 4, 4], "stem": "7x7"}
    apply_fn, params = from_nnx(build("resnet20", **kwargs), example=jnp.zeros((8, 8, 3)))
    save(tmp_path / "r", arch="resnet20", arch_kwargs=kwargs, params=params, provenance={})
    model = load(tmp_path / "r")
    assert model.apply_fn == apply_fn
    answer = jax.jit(apply_fn)
    x = jnp.asarray(images((3, 8, 8, 3)))
    np.testing.assert_array_equal(answer(model.params, x), answer(params, x))


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"shape": (32, 32, 3), "depth": 21}, "6 k [+] 2"),
        ({"shape": (32,)}, "use arch mlp"),
        ({"shape": (32, 32, 3), "widths": (4, 8)}, "give each stage one"),
        ({"shape": (32, 32, 3), "stem": "5x5"}, "'3x3' or '7x7'"),
    ],
)
def test_refused(kwargs: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        resnets.resnet(classes=10, **{"depth": 20, **kwargs})


def module_at(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("stem", ["3x3", "7x7"])
@pytest.mark.parametrize("direction", ["from torch", "to torch", "to torch, folded"])
def test_logits_are_those_of_torch(stem: str, direction: str) -> None:
    torch = pytest.importorskip("torch", reason="torch is no dependency; install it to compare")
    convert = module_at("convert", BENCHMARKS / "pipelines" / "convert.py")
    networks = module_at("networks", BENCHMARKS / "pipelines" / "torch_side" / "networks.py")
    kwargs = {"shape": (32, 32, 3), "classes": 10, "widths": (8, 8, 16, 16), "stem": stem}
    apply_fn, params = from_nnx(build("resnet18", **kwargs), example=jnp.zeros((32, 32, 3)))
    model = Model(
        apply_fn=apply_fn,
        params=params,
        arch="resnet18",
        arch_kwargs=kwargs,
        shape=(32, 32, 3),
        classes=10,
        provenance={},
        fingerprint="",
    )
    spec, state = convert.to_torch(model, folded="folded" in direction)
    net = networks.build(**spec)
    net.load_state_dict({name: torch.tensor(value) for name, value in state.items()})
    if direction == "from torch":
        params = from_torch(torch, convert, net, params, pools=stem == "7x7")
    x = images((4, 32, 32, 3))
    with torch.no_grad():
        wanted = net[:-1](torch.tensor(x.transpose(0, 3, 1, 2))).numpy()
    np.testing.assert_allclose(jax.jit(apply_fn)(params, jnp.asarray(x)), wanted, atol=1e-4)


def from_torch(torch: Any, convert: ModuleType, net: Any, params: Any, *, pools: bool) -> Any:
    """Random weights and running statistics, drawn in torch and folded into ours."""
    torch.manual_seed(0)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3)
            module.running_var.uniform_(0.5, 2.0)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.3)
    state = {name: value.numpy() for name, value in net.state_dict().items()}
    ours = {name: np.asarray(value) for name, value in flatten(params).items()}
    for name, place in convert.resnet_places(ours, pools):
        ours[f"{name}.kernel"], ours[f"{name}.bias"] = fold_batch_norm(
            state[f"{place}.0.weight"].transpose(2, 3, 1, 0),
            weight=state[f"{place}.1.weight"],
            bias=state[f"{place}.1.bias"],
            mean=state[f"{place}.1.running_mean"],
            variance=state[f"{place}.1.running_var"],
        )
    return like(params, ours)
