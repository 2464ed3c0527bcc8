"""Plain networks in ONNX, against a float64 evaluation of the same operations."""

from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.models.checkpoint import CheckpointError, load, save

onnx = pytest.importorskip("onnx", reason="onnx is an extra: pip install 'aniso-jax[onnx]'")
from onnx import helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

RNG = np.random.default_rng(0)


def numbers(*shape: int) -> np.ndarray[Any, Any]:
    return RNG.standard_normal(shape).astype(np.float32)


def written(
    path: Path,
    nodes: list[Any],
    arrays: dict[str, np.ndarray[Any, Any]],
    shape: tuple[Any, ...] = (1, 2, 9, 8),
) -> Path:
    float32 = onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        nodes,
        "net",
        [helper.make_tensor_value_info("x", float32, shape)],
        [helper.make_tensor_value_info(nodes[-1].output[0], float32, None)],
        [numpy_helper.from_array(value, name) for name, value in arrays.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)])
    path.write_bytes(model.SerializeToString())
    return path


def chained(*steps: tuple[Any, ...]) -> list[Any]:
    """Nodes one after another: (op, constants, attributes)."""
    names = ["x", *(f"y{i}" for i in range(len(steps)))]
    return [
        helper.make_node(op, [names[i], *constants], [names[i + 1]], **attributes)
        for i, (op, constants, attributes) in enumerate(steps)
    ]


def assert_same(path: Path, shape: tuple[int, ...] = (2, 9, 8), **arguments: Any) -> Any:
    model = aj.import_checkpoint(path, arch="sequential", **arguments)
    x = RNG.standard_normal((1, *shape)).astype(np.float32)
    wanted = ReferenceEvaluator(str(path)).run(None, {"x": x})[0]
    turned = x.transpose(0, 2, 3, 1) if len(shape) == 3 else x
    ours = jax.jit(model.apply_fn)(model.params, jnp.asarray(turned))
    np.testing.assert_allclose(ours, wanted, rtol=1e-4, atol=1e-4)
    return model


def test_lenet(tmp_path: Path) -> None:
    arrays = {"k": numbers(4, 2, 5, 5), "b": numbers(4), "w": numbers(3, 16), "c": numbers(3)}
    steps = [
        ("Conv", ["k", "b"], {"kernel_shape": [5, 5]}),
        ("Relu", [], {}),
        ("MaxPool", [], {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Dropout", [], {}),
        ("Flatten", [], {}),
        ("Gemm", ["w", "c"], {"transB": 1}),
    ]
    model = assert_same(written(tmp_path / "n.onnx", chained(*steps), arrays), normalize="none")
    kinds = [layer["kind"] for layer in model.arch_kwargs["layers"]]
    assert kinds == ["conv", "relu", "max-pool", "flatten", "dense"]


@pytest.mark.parametrize("auto", ["SAME_UPPER", "SAME_LOWER", "VALID", "NOTSET"])
@pytest.mark.parametrize("groups", [1, 2])
def test_strides_padding_groups_and_norms(auto: str, groups: int, tmp_path: Path) -> None:
    arrays = {"k": numbers(4, 2 // groups, 4, 3), "m": numbers(4), "v": RNG.random(4, np.float32)}
    arrays |= {"s": numbers(4), "t": numbers(4), "w": numbers(4, 3), "c": numbers(1, 3)}
    pads = {"pads": [1, 0, 2, 1]} if auto == "NOTSET" else {}
    steps = [
        ("Conv", ["k"], {"strides": [2, 1], "group": groups, "auto_pad": auto, **pads}),
        ("BatchNormalization", ["s", "t", "m", "v"], {"epsilon": 1e-3}),
        ("Tanh", [], {}),
        ("AveragePool", [], {"kernel_shape": [2, 2]}),
        ("GlobalAveragePool", [], {}),
        ("Flatten", [], {}),
        ("MatMul", ["w"], {}),
        ("Add", ["c"], {}),
    ]
    model = assert_same(written(tmp_path / "n.onnx", chained(*steps), arrays), normalize="none")
    assert len(model.arch_kwargs["layers"]) == 5  # norm and sum went into their neighbours


def test_normalisation_in_the_file_and_softmax_at_its_end(tmp_path: Path) -> None:
    arrays = {"mean": numbers(2, 1, 1), "std": 1 + RNG.random((1, 2, 1, 1), np.float32)}
    arrays |= {"w": numbers(144, 3), "lo": np.float32(0), "hi": np.float32(6)}
    arrays = {name: np.asarray(value) for name, value in arrays.items()}
    before = [("Sub", ["mean"], {}), ("Div", ["std"], {}), ("Clip", ["lo", "hi"], {})]
    steps = [*before, ("Flatten", [], {}), ("MatMul", ["w"], {})]
    logits = assert_same(written(tmp_path / "a.onnx", chained(*steps), arrays))
    how = logits.provenance["imported"]["normalization"]
    assert how["kind"] == "in the file, as its first layers"
    steps.append(("Softmax", [], {"axis": 1}))
    path = written(tmp_path / "b.onnx", chained(*steps), arrays)
    model = aj.import_checkpoint(path, arch="sequential")
    assert "ends in Softmax 'y5', which is left off" in model.provenance["imported"]["notes"][0]
    assert model.fingerprint == logits.fingerprint


def test_what_is_imported_is_kept(tmp_path: Path) -> None:
    arrays = {"w": numbers(6, 3)}
    path = written(tmp_path / "n.onnx", chained(("MatMul", ["w"], {})), arrays, (1, 6))
    model = assert_same(path, (6,), normalize="none")
    save(
        tmp_path / "m",
        arch=model.arch,
        arch_kwargs=model.arch_kwargs,
        params=model.params,
        provenance=model.provenance,
    )
    again = load(tmp_path / "m")
    assert again.fingerprint == model.fingerprint
    assert hash(again.apply_fn) == hash(model.apply_fn) and again.apply_fn == model.apply_fn


def refusal(path: Path, arch: str = "sequential", **arguments: Any) -> str:
    with pytest.raises(CheckpointError) as error:
        aj.import_checkpoint(path, arch=arch, **arguments)
    return str(error.value)


def test_refused(tmp_path: Path) -> None:
    dense = chained(("Flatten", [], {}), ("MatMul", ["w"], {}))
    arrays = {"w": numbers(144, 3), "k": numbers(2, 2, 3, 3), "row": numbers(8), "p": numbers(2)}
    plain = written(tmp_path / "a.onnx", dense, arrays)
    assert "does not hold the normalisation" in refusal(plain)
    assert "give --arch sequential" in refusal(plain, arch="mlp")
    assert "There is no file" in refusal(tmp_path / "none.onnx")
    branch = [helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Add", ["x", "y"], ["z"])]
    said = refusal(written(tmp_path / "b.onnx", branch, {}), normalize="none")
    assert "no plain chain of layers (Add 'z')" in said and "from_nnx" in said
    for step in (
        ("Conv", ["k"], {"dilations": [2, 2]}),
        ("Elu", [], {}),
        ("Add", ["row"], {}),
        ("AveragePool", [], {"kernel_shape": [2, 2], "pads": [1, 1, 1, 1]}),
        ("MaxPool", [], {"kernel_shape": [2, 2], "ceil_mode": 1}),
        ("BatchNormalization", ["p", "p", "p", "p"], {"training_mode": 1}),
        ("Relu", [], {}),
    ):
        path = written(tmp_path / "c.onnx", chained(step), arrays)
        assert "no plain chain of layers" in refusal(path, normalize="none")
    plain.write_bytes(plain.read_bytes()[:100])
    assert "damaged or truncated" in refusal(plain, normalize="none")


def test_weights_in_other_files_are_refused(tmp_path: Path) -> None:
    path = written(
        tmp_path / "n.onnx", chained(("MatMul", ["w"], {})), {"w": numbers(6, 3)}, (1, 6)
    )
    onnx.save(onnx.load(path), path, save_as_external_data=True, size_threshold=0)
    assert "keeps its weights (w, ...) in other files" in refusal(path, normalize="none")


def test_without_onnx_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    assert "pip install 'aniso-jax[onnx]'" in refusal(tmp_path / "n.onnx")
