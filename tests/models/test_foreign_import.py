"""Checkpoints of the smoothing literature: what they become, and what is refused, without torch."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx
from foreign_samples import Arrays, state_of, write_legacy, write_tar, write_zip
from safetensors.numpy import save_file

import aniso_jax as aj
from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.folding import fold_batch_norm
from aniso_jax.models.networks import build

CIFAR = {"shape": (8, 8, 3), "classes": 10}
NARROW: dict[str, dict[str, Any]] = {
    "resnet20": {**CIFAR, "widths": (2, 3, 4)},
    "resnet110": {**CIFAR, "widths": (2, 3, 4)},
    "resnet18": {**CIFAR, "widths": (2, 3, 4, 5), "stem": "3x3"},
    "resnet50": {**CIFAR, "widths": (2, 3, 4, 5)},
    "wrn-40-2": {**CIFAR, "widths": (2, 3, 4, 5)},
    "efficientnet-lite0": {**CIFAR, "widths": (2, 3, 4, 5, 6, 7, 8, 9, 10)},
    "mlp": {**CIFAR, "hidden": (5, 4)},
}


def mlp_state() -> Arrays:
    rng, sizes = np.random.default_rng(0), [(5, 192), (4, 5), (10, 4)]
    made = {f"{2 * i}.weight": rng.standard_normal(size) for i, size in enumerate(sizes)}
    made |= {f"{2 * i}.bias": rng.standard_normal(size[:1]) for i, size in enumerate(sizes)}
    return {name: made[name].astype("<f4") for name in sorted(made)}


def state(arch: str, *, prefix: str = "") -> Arrays:
    if arch == "mlp":
        return {prefix + name: value for name, value in mlp_state().items()}
    return state_of(arch, prefix=prefix, **NARROW[arch])


@pytest.mark.parametrize("arch", NARROW)
def test_every_architecture_fits_and_has_the_right_sizes(arch: str, tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", {"state_dict": state(arch)})
    model = aj.import_checkpoint(path, arch=arch, normalize="none", shape=(8, 8, 3))
    wanted = nnx.eval_shape(lambda: build(arch, **NARROW[arch]))
    sizes = jax.tree.map(lambda leaf: leaf.shape, nnx.to_pure_dict(nnx.state(wanted)))
    assert jax.tree.map(lambda leaf: leaf.shape, model.params) == sizes
    assert (model.arch, model.shape, model.classes) == (arch, (8, 8, 3), 10)


def test_a_folded_layer_by_hand(tmp_path: Path) -> None:
    tensors = state("resnet20")
    path = write_zip(tmp_path / "net.pth", tensors)
    ours = aj.import_checkpoint(path, arch="resnet20", normalize="none").params
    block = "layer2.0.downsample"
    kernel, bias = fold_batch_norm(
        tensors[f"{block}.0.weight"].transpose(2, 3, 1, 0),
        weight=tensors[f"{block}.1.weight"],
        bias=tensors[f"{block}.1.bias"],
        mean=tensors[f"{block}.1.running_mean"],
        variance=tensors[f"{block}.1.running_var"],
    )
    np.testing.assert_allclose(ours["blocks"][3]["shortcut"]["kernel"], kernel, rtol=1e-6)
    np.testing.assert_allclose(ours["blocks"][3]["shortcut"]["bias"], bias, rtol=1e-6)
    np.testing.assert_array_equal(ours["logits"]["kernel"], tensors["fc.weight"].T)


def test_all_wrappings_and_formats_are_one_network(tmp_path: Path) -> None:
    """DataParallel, Sequential behind a normalisation, both, rs4a's attribute; old and new."""
    prints = set()
    for number, prefix in enumerate(
        ("", "module.", "1.", "1.module.", "module.1.", "model.module.")
    ):
        tree = {
            "arch": "cifar_resnet20",
            "epoch": 90,
            "state_dict": state("resnet20", prefix=prefix),
        }
        for write in (write_zip, write_legacy, write_tar):
            path = write(tmp_path / f"{number}.pth.tar", tree)
            model = aj.import_checkpoint(path, arch="resnet20", normalize="cifar10")
            prints.add(model.fingerprint)
    save_file(state("resnet20", prefix="1."), tmp_path / "net.safetensors")
    model = aj.import_checkpoint(tmp_path / "net.safetensors", arch="resnet20", normalize="cifar10")
    assert prints == {model.fingerprint}


def test_what_is_recorded(tmp_path: Path) -> None:
    tree = {"net": state("resnet20", prefix="module.") | {"module.extra.weight": np.ones(2, "<f4")}}
    path = write_legacy(tmp_path / "net.pth.tar", tree)
    model = aj.import_checkpoint(
        path, arch="resnet20", normalize="cifar10-centre", without=["module.extra"]
    )
    told = model.provenance["imported"]
    assert told["normalization"] == {
        "kind": "cifar10-centre",
        "mean": [0.4914, 0.4822, 0.4465],
        "std": [1.0],
    }
    assert (told["file"], told["format"], told["entry"]) == ("net.pth.tar", "torch legacy", "net")
    assert told["left_out"] == ["module.extra.weight"]
    assert told["notes"] == ["the names begin with 'module.'"]
    assert len(told["sha256"]) == 64


@pytest.mark.parametrize(
    ("beside", "mean", "std", "kind"),
    [
        ({"0.means": [0.4, 0.5, 0.6], "0.sds": [0.2, 0.3, 0.4]}, 3, 3, "in the file"),
        ({"0.mean": [0.4, 0.5, 0.6]}, 3, 1, "in the file, centred only"),
        ({"norm.module.mu": [0.4] * 3, "norm.module.log_sig": [-1.5] * 3}, 3, 3, "in the file"),
    ],
)
def test_a_normalisation_in_the_file(
    beside: dict[str, Any], mean: int, std: int, kind: str, tmp_path: Path
) -> None:
    extra = {name: np.array(value, "<f4").reshape(-1, 1, 1) for name, value in beside.items()}
    path = write_zip(tmp_path / "net.pth", state("resnet20", prefix="1.") | extra)
    model = aj.import_checkpoint(path, arch="resnet20")
    how = model.provenance["imported"]["normalization"]
    assert (how["kind"], len(how["mean"]), len(how["std"])) == (kind, mean, std)
    assert how["mean"][0] == 0.4
    if "log_sig" in str(beside):
        assert how["std"][0] == pytest.approx(np.exp(-1.5))
    again = aj.import_checkpoint(path, arch="resnet20", mean=how["mean"], std=how["std"])
    assert again.fingerprint == model.fingerprint
    with pytest.raises(CheckpointError, match=r"but mean .* were asked for; leave these out"):
        aj.import_checkpoint(path, arch="resnet20", normalize="imagenet")


def test_normalisation_is_what_the_first_layer_does(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", state("mlp"))
    x = jnp.asarray(np.random.default_rng(1).random((2, 8, 8, 3), np.float32))
    plain, inside = (
        aj.import_checkpoint(path, arch="mlp", shape=(8, 8, 3), normalize=kind)
        for kind in ("none", "cifar10")
    )
    outside = (x - np.array([0.4914, 0.4822, 0.4465])) / np.array([0.2023, 0.1994, 0.2010])
    wanted = plain.apply_fn(plain.params, outside.astype(jnp.float32))
    np.testing.assert_allclose(inside.apply_fn(inside.params, x), wanted, rtol=1e-4, atol=1e-4)


def refusal(path: Path, **arguments: Any) -> str:
    with pytest.raises(CheckpointError) as error:
        aj.import_checkpoint(path, **arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_missing_normalisation_is_refused(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", state("resnet20"))
    said = refusal(path, arch="resnet20")
    assert "does not hold the normalisation" in said
    assert "--normalize" in said and "cifar10-centre" in said
    assert "There is no normalisation 'cifar'" in refusal(path, arch="resnet20", normalize="cifar")
    assert "leave --mean" in refusal(path, arch="resnet20", normalize="none", mean=[0.5])


def test_another_architecture_is_named(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", state("resnet110", prefix="1.module."))
    said = refusal(path, arch="resnet20", normalize="none")
    assert "does not fit resnet20 (not used: layer1.10.bn1.bias" in said
    assert "give --arch resnet110" in said
    said = refusal(path, arch="wrn-40-2", normalize="none")
    assert "missing: block1.layer.0.bn1.bias" in said and "give --arch resnet110" in said
    said = refusal(path, arch="efficientnet-lite0", normalize="none")
    assert "missing: _blocks.0._bn1.bias" in said and "and" in said
    assert "choose one of resnet18" in refusal(path, arch="vgg16", normalize="none")
    assert "wants .onnx" in refusal(path, arch="sequential", normalize="none")


def test_missing_and_unused_names_are_listed(tmp_path: Path) -> None:
    tensors = state("resnet20")
    tensors["aux.weight"] = tensors.pop("layer1.0.conv2.weight")
    path = write_zip(tmp_path / "a", tensors)
    said = refusal(path, arch="resnet20", normalize="none")
    assert "(missing: layer1.0.conv2.weight; not used: aux.weight)" in said
    path = write_zip(tmp_path / "b", state("resnet20") | {"aux.weight": np.ones(2, "<f4")})
    said = refusal(path, arch="resnet20", normalize="none")
    assert "(not used: aux.weight)" in said and "--without" in said
    aj.import_checkpoint(path, arch="resnet20", normalize="none", without=["aux."])


def test_shapes_and_values_are_checked(tmp_path: Path) -> None:
    tensors = state("resnet20")
    tensors["layer1.1.bn1.weight"] = np.ones(5, "<f4")
    said = refusal(write_zip(tmp_path / "a", tensors), arch="resnet20", normalize="none")
    assert "shapes that do not go together" in said
    tensors = state("resnet20")
    tensors["layer1.1.conv1.weight"] = np.ones((2, 2, 5, 5), "<f4")
    said = refusal(write_zip(tmp_path / "b", tensors), arch="resnet20", normalize="none")
    assert "blocks.1.first.kernel is float32(5, 5, 2, 2), wanted float32(3, 3, 2, 2)" in said
    tensors = state("resnet20")
    tensors["fc.bias"][0] = np.nan
    said = refusal(write_zip(tmp_path / "c", tensors), arch="resnet20", normalize="none")
    assert "NaN or infinite in logits.bias" in said


def test_a_network_without_first_norm_or_shortcut_weights_is_noted(tmp_path: Path) -> None:
    tensors = {k: v for k, v in state("resnet18").items() if not k.startswith("bn1.")}
    model = aj.import_checkpoint(
        write_zip(tmp_path / "a", tensors), arch="resnet18", normalize="none"
    )
    assert model.provenance["imported"]["notes"] == [
        "there is no norm behind the first convolution"
    ]
    tensors = {k: v for k, v in state("resnet20").items() if "downsample" not in k}
    model = aj.import_checkpoint(
        write_zip(tmp_path / "b", tensors), arch="resnet20", normalize="none"
    )
    assert "padded by zeros" in model.provenance["imported"]["notes"][0]
    kernel = model.params["blocks"][6]["shortcut"]["kernel"]
    np.testing.assert_array_equal(kernel[0, 0], np.eye(3, 4))
