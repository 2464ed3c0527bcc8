"""The formats of torch.save, read without torch; the files are written by hand, as torch does."""

import contextlib
import os
import pickle
import zipfile
from pathlib import Path
from typing import Any

import foreign_samples
import ml_dtypes
import numpy as np
import pytest
from foreign_samples import (
    Call,
    Global,
    Pointer,
    contents,
    pickled,
    write_legacy,
    write_tar,
    write_zip,
)
from safetensors.numpy import save_file

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.read import read

WRITERS = {"torch zip": write_zip, "torch legacy": write_legacy, "torch tar": write_tar}
ARRAYS = {
    "conv1.weight": np.arange(24, dtype="<f4").reshape(2, 3, 2, 2),
    "bn1.bias": np.arange(3, dtype="<f4"),
    "bn1.count": np.array(7, "<i8"),
}
TREE = {"arch": "cifar_resnet110", "epoch": 90, "state_dict": ARRAYS}


def assert_read(path: Path, kind: str, entry: str = "state_dict") -> None:
    found = read(path)
    assert (found.format, found.entry) == (kind, entry)
    assert found.tensors.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found.tensors[name], array)
        assert found.tensors[name].dtype == array.dtype


@pytest.mark.parametrize("kind", WRITERS)
def test_the_three_formats(kind: str, tmp_path: Path) -> None:
    assert_read(WRITERS[kind](tmp_path / "net.pth.tar", TREE), kind)


@pytest.mark.parametrize("kind", ["torch zip", "torch legacy"])
def test_a_bare_state_dict(kind: str, tmp_path: Path) -> None:
    assert_read(WRITERS[kind](tmp_path / "net.pth", ARRAYS), kind, entry="")


def test_names_written_by_python_2(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its pickles hold short strings of bytes."""
    new = foreign_samples.opcodes

    def old(value: Any) -> bytes:
        if not isinstance(value, str):
            return new(value)
        return b"U" + bytes([len(value)]) + value.encode()

    monkeypatch.setattr(foreign_samples, "opcodes", old)
    assert_read(write_legacy(tmp_path / "net.pth.tar", TREE), "torch legacy")


def test_what_stands_beside_weights_is_passed_over(tmp_path: Path) -> None:
    """Settings, the optimiser's state and numbers of numpy, as training scripts leave them."""
    momentum = {"state": {0: {"momentum_buffer": np.ones(3, "<f4")}}, "param_groups": [{"lr": 0.1}]}
    settings = Call(Global("argparse", "Namespace"), (), {"lr": 0.1, "out": "x"})
    scalar = Global("numpy.core.multiarray", "scalar")
    best = Call(scalar, (Call(Global("numpy", "dtype"), ("f8", False, True)), "x"))
    group = Call(Global("collections", "defaultdict"), (Global("__builtin__", "dict"),))
    beside = {"args": settings, "best": best, "optimizer": momentum, "state": group}
    assert_read(write_zip(tmp_path / "a", {**TREE, **beside}), "torch zip")
    assert_read(write_legacy(tmp_path / "b", {**TREE, **beside}), "torch legacy")


def test_several_networks_in_one_file(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", {"student": ARRAYS, "teacher": {"w": np.ones(2, "<f4")}})
    with pytest.raises(CheckpointError, match=r"'student', 'teacher'; give one by --entry"):
        read(path)
    assert read(path, entry="teacher").tensors.keys() == {"w"}
    with pytest.raises(CheckpointError, match="'pupil' is not one of them"):
        read(path, entry="pupil")


def test_no_network(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", {"epoch": 3, "accuracy": 0.5})
    with pytest.raises(CheckpointError, match=r"none; give a file with model\.state_dict"):
        read(path)


CALLS: dict[str, Any] = {
    "os.system": Call(Global("os", "system"), ("touch {}",)),
    "posix.system": Call(Global("posix", "system"), ("touch {}",)),
    "builtins.eval": Call(Global("builtins", "eval"), ("open({!r}, 'w')",)),
    "builtins.getattr": Call(Global("builtins", "getattr"), ("", "format")),
    "subprocess.Popen": Call(Global("subprocess", "Popen"), (["touch", "{}"],)),
    "torch.storage._load_from_bytes": Call(Global("torch.storage", "_load_from_bytes"), ("",)),
    "archs.cifar_resnet.ResNet": Call(Global("archs.cifar_resnet", "ResNet"), ()),
    "numpy.load": Call(Global("numpy", "load"), ("x",)),
}


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("name", CALLS)
def test_a_pickle_with_code_is_refused(kind: str, name: str, tmp_path: Path) -> None:
    witness = tmp_path / "ran"
    call = CALLS[name]
    aimed = tuple(a.format(str(witness)) if isinstance(a, str) else a for a in call.arguments)
    tree = {**TREE, "epoch": Call(call.function, aimed)}
    path = WRITERS[kind](tmp_path / "net.pth", tree)
    with pytest.raises(CheckpointError, match=f"asks for {name}, and running what a file names"):
        read(path)
    assert os.listdir(tmp_path) == ["net.pth"]


def test_code_where_a_header_stands_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    bad = pickled(Call(Global("os", "system"), ("true",)))
    path.write_bytes(write_legacy(path, TREE).read_bytes()[:20].rstrip(b".") + b"." + bad)
    with pytest.raises(CheckpointError, match=r"os\.system"):
        read(path)


def test_stand_ins_keep_nothing(tmp_path: Path) -> None:
    """State set on a stand-in, or on what makes it, is not there for the next file."""
    ordered = Global("collections", "OrderedDict")
    spoilt = Call(ordered, (), {"_metadata": 1, "update": 2})
    twice = {**TREE, "a": spoilt, "b": Call(Global("torch", "Size"), ([1, 2],))}
    assert_read(write_zip(tmp_path / "a", twice), "torch zip")
    assert_read(write_zip(tmp_path / "b", TREE), "torch zip")


@pytest.mark.parametrize("kind", WRITERS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_truncated(kind: str, share: float, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / "net.pth", TREE)
    raw = path.read_bytes()
    raw = raw.rstrip(b"\0") if kind == "torch tar" else raw
    path.write_bytes(raw[: int(len(raw) * share)])
    with pytest.raises(CheckpointError, match=r"damaged or truncated|is no checkpoint of torch"):
        read(path)


def test_flipped_bytes_are_noticed(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "net.pth", TREE)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(ARRAYS["bn1.bias"].tobytes(), b"\x01" * 12))
    with pytest.raises(CheckpointError, match="damaged or truncated"):
        read(path)


@pytest.mark.parametrize("kind", WRITERS)
def test_whatever_is_changed_is_read_or_refused(kind: str, tmp_path: Path) -> None:
    path = WRITERS[kind](tmp_path / "net.pth", TREE)
    raw, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(300):
        spoilt = bytearray(raw)
        for place in rng.integers(0, len(raw), 3):
            spoilt[place] = rng.integers(256)
        path.write_bytes(spoilt)
        with contextlib.suppress(CheckpointError):
            read(path)


def test_a_pickle_that_would_fill_memory_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", b"\x80\x02}r\xff\xff\xff\xff.")
    with pytest.raises(CheckpointError, match="kept in place 4294967295"):
        read(path)
    packed = zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED)
    with packed as archive:
        archive.writestr("net/data.pkl", bytes(10**6))
    with pytest.raises(CheckpointError, match="unpacks to more than the whole file"):
        read(path)


@pytest.mark.parametrize(
    "arguments",
    [(0, (4, 4), (4, 1)), (5, (2,), (1,)), (0, (10**9,), (0,)), (-1, (2,), (1,)), (0, (2,), (-1,))],
)
def test_tensors_beyond_their_storage_are_refused(arguments: Any, tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    pointer = Pointer(("storage", Global("torch", "FloatStorage"), "0", "cpu", 6))
    tensor = Call(Global("torch._utils", "_rebuild_tensor_v2"), (pointer, *arguments, False, None))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("net/data.pkl", pickled({"w": tensor}))
        archive.writestr("net/data/0", bytes(24))
    with pytest.raises(CheckpointError, match="damaged or truncated"):
        read(path)


def test_compiled_big_endian_and_foreign_files(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "a", TREE, extra={"constants.pkl": b""})
    with pytest.raises(CheckpointError, match="TorchScript"):
        read(path)
    with pytest.raises(CheckpointError, match="big-endian"):
        read(write_zip(tmp_path / "b", TREE, extra={"byteorder": b"big"}))
    for content in (b"<!DOCTYPE html>" * 99, pickle.dumps({"w": 1}), b"\x80", b""):
        (tmp_path / "c").write_bytes(content)
        with pytest.raises(CheckpointError, match=r"is no checkpoint of torch|damaged or trunc"):
            read(tmp_path / "c")
    with pytest.raises(CheckpointError, match="There is no file"):
        read(tmp_path / "d")


def test_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    save_file(ARRAYS, path)
    assert_read(path, "safetensors", entry="")
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(CheckpointError, match="damaged or truncated"):
        read(path)
    brain = {"w": np.ones(3, ml_dtypes.bfloat16), "layer.10": np.ones(2), "layer.9": np.ones(1)}
    save_file(brain, path)
    assert read(path).tensors["w"].dtype == ml_dtypes.bfloat16
    assert [len(value) for value in read(path).tensors.values()] == [1, 2, 3]
    save_file(ARRAYS, path, {"aniso-jax": "{}"})
    with pytest.raises(CheckpointError, match="a network of aniso-jax already"):
        read(path)


@pytest.mark.parametrize("kind", WRITERS)
def test_torch_reads_what_we_write(kind: str, tmp_path: Path) -> None:
    """So that the other tests are about torch's formats, and not about ours."""
    torch = pytest.importorskip("torch", reason="torch is no dependency; install it to compare")
    path = WRITERS[kind](tmp_path / "net.pth", TREE)
    found = torch.load(path, map_location="cpu", weights_only=kind != "torch tar")
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found["state_dict"][name].numpy(), array)


@pytest.mark.parametrize("is_zip", [True, False])
def test_we_read_what_torch_writes(is_zip: bool, tmp_path: Path) -> None:
    torch = pytest.importorskip("torch", reason="torch is no dependency; install it to compare")
    whole = torch.arange(24.0).reshape(2, 3, 2, 2)
    state = {
        "plain": whole,
        "turned": whole.permute(3, 0, 2, 1),
        "part": whole[1, 1:],
        "half": whole.half(),
        "brain": whole.bfloat16(),
        "parameter": torch.nn.Parameter(whole),
        "empty": torch.zeros(0, 3),
    }
    path = tmp_path / "net.pth"
    content = {"state_dict": state, "size": whole.shape, "device": torch.device("cpu")}
    torch.save(content, path, _use_new_zipfile_serialization=is_zip)
    found = read(path).tensors
    assert found.keys() == state.keys()
    for name, tensor in state.items():
        wanted = tensor.detach().float().numpy()
        np.testing.assert_array_equal(found[name].astype(np.float32), wanted)


def test_sample_pickles_are_pickles() -> None:
    assert pickle.loads(pickled(contents({"a": (1, [2.5, "x", None, True])}, None))) == {
        "a": (1, [2.5, "x", None, True])
    }
