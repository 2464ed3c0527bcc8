"""Readers of numpy and idx files."""

import gzip
import io
import struct
import zipfile

import numpy as np
import pytest

from aniso_jax.data import fashion_mnist
from aniso_jax.data.errors import DataError
from aniso_jax.data.load import load


def save(path, **arrays):
    np.savez(path, **arrays)
    return f"npz:{path}"


def test_npz_takes_bytes_and_floats(tmp_path):
    bytes_ = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    data = load(save(tmp_path / "a.npz", x=bytes_, y=np.array([1, 0])))
    assert (data.name, data.levels, data.x.shape) == ("npz:a.npz", 255, (2, 2, 2, 3))
    np.testing.assert_array_equal(np.rint(data.x * 255), bytes_)
    assert data.fingerprint == load(f"npz:{tmp_path}/a.npz").fingerprint
    floats = load(save(tmp_path / "b.npz", x=np.array([[0.25, 1.0]]), y=np.array([0])))
    assert (floats.x.tolist(), floats.levels) == ([[0.25, 1.0]], None)


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": np.zeros((1, 2))}, "holds no array 'y': give npz:FILE"),
        ({"images": np.zeros((1, 2)), "y": [0]}, "holds no array 'x'"),
        ({"x": np.array([[{}]]), "y": [0]}, "holds pickled objects, which could run code"),
        ({"x": np.full((1, 2), 255.0), "y": [0]}, r"x\[0, 0\] is 255.0: values must lie in"),
        ({"x": np.full((1, 2), np.nan), "y": [0]}, r"x\[0, 0\] is nan"),
        ({"x": np.zeros((1, 2)), "y": [-1]}, r"y\[0\] is -1"),
        (
            {"x": np.zeros((1, 2)), "y": [100_001]},
            "the label 100001: labels are the numbers",
        ),
        (
            {"x": np.zeros((1, 2)), "y": np.array([2**63], np.uint64)},
            "label 9223372036854775808",
        ),
    ],
)
def test_npz_that_are_refused(tmp_path, arrays, sentence):
    with pytest.raises(DataError, match=sentence):
        load(save(tmp_path / "a.npz", **arrays))


def test_npz_entries_that_are_not_what_they_say(tmp_path):
    header = io.BytesIO()
    promise = {"descr": "<f8", "fortran_order": False, "shape": (2**40, 784)}
    np.lib.format.write_array_header_1_0(header, promise)
    for name, raw, sentence in (
        ("x.npy", header.getvalue() + bytes(8), "holds 'x.npy' with 136 bytes where its header"),
        ("x.npy", b"hello", "holds 'x.npy', which is no array in NumPy's format: give npz:FILE"),
        ("x", b"hello", "holds 'x', which is no array in NumPy's format: give npz:FILE"),
        ("x.npy", header.getvalue()[:20], "is damaged"),
    ):
        with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
            archive.writestr(name, raw)
        with pytest.raises(DataError, match=sentence):
            load(f"npz:{tmp_path / 'a.npz'}")


def test_npz_larger_than_the_memory(tmp_path, monkeypatch):
    spec = save(tmp_path / "a.npz", x=np.zeros((2, 3)), y=np.zeros(2, int))

    def full(*_, **__):
        raise MemoryError("Unable to allocate 28.0 GiB")

    monkeypatch.setattr(np.lib.format, "read_array", full)
    with pytest.raises(DataError, match=r"does not fit into memory \(Unable .*of fewer inputs"):
        load(spec)


def test_damaged_npz(tmp_path):
    whole = save(
        tmp_path / "a.npz", x=np.random.default_rng(0).random((50, 4)), y=np.zeros(50, int)
    )
    raw = (tmp_path / "a.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(raw[: len(raw) // 2])
    flipped = bytearray(raw)
    flipped[400] ^= 255
    (tmp_path / "flipped.npz").write_bytes(flipped)
    np.save(tmp_path / "array.npy", np.zeros(3))
    assert len(load(whole)) == 50
    for name, sentence in {
        "cut.npz": "damaged or not an .npz file",
        "flipped.npz": "is damaged",
        "array.npy": "not an .npz file",
    }.items():
        with pytest.raises(DataError, match=sentence):
            load(f"npz:{tmp_path / name}")


def idx_bytes(array, code=0x08):
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, code, array.ndim, *array.shape)
    return header + array.tobytes()


def write_idx(folder, images, labels, pack=lambda raw: raw):
    (folder / "i").write_bytes(pack(images))
    (folder / "l").write_bytes(pack(labels))
    return f"idx:{folder / 'i'},{folder / 'l'}"


PIXELS = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
LABELS = np.array([3, 1], np.uint8)


@pytest.mark.parametrize("pack", [lambda raw: raw, gzip.compress])
def test_idx_plain_and_gzip(tmp_path, pack):
    data = load(write_idx(tmp_path, idx_bytes(PIXELS), idx_bytes(LABELS), pack))
    assert (data.name, data.x.shape, data.levels) == ("idx:i,l", (2, 3, 3, 1), 255)
    np.testing.assert_array_equal(np.rint(data.x[..., 0] * 255), PIXELS)
    assert data.y.tolist() == [3, 1] and len(data.classes) == 4


def test_idx_of_big_endian_floats_and_ints(tmp_path):
    images, labels = np.full((2, 4), 0.25, ">f4"), np.array([0, 1], ">i4")
    data = load(write_idx(tmp_path, idx_bytes(images, 0x0D), idx_bytes(labels, 0x0C)))
    assert data.x.tolist() == images.tolist() and data.y.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("images", "sentence"),
    [
        (idx_bytes(PIXELS)[:-1], "holds 17 bytes of data where its header promises 18"),
        (idx_bytes(PIXELS) + b"x", "holds 19 bytes of data where its header promises 18"),
        (idx_bytes(PIXELS)[:10], "truncated inside its header"),
        (b"\x89PNG", "is not an idx file: give idx:IMAGES,LABELS"),
        (b"", "is not an idx file"),
        (idx_bytes(PIXELS[None, None]), "has 5 axes, an idx file of data has at most 4: give idx"),
        (idx_bytes(PIXELS[:0]), r"holds no data, its shape is \(0, 3, 3\)"),
        (
            gzip.compress(idx_bytes(PIXELS), mtime=0)[:-9],
            "is damaged or truncated .*: get it again",
        ),
        (idx_bytes(PIXELS[:1]), r"x has shape \(1, 3, 3, 1\) and y has shape \(2,\)"),
    ],
)
def test_idx_that_are_refused(tmp_path, images, sentence):
    with pytest.raises(DataError, match=sentence):
        load(write_idx(tmp_path, images, idx_bytes(LABELS)))


def test_a_folder_is_not_a_file(tmp_path):
    with pytest.raises(DataError, match="cannot be read"):
        load(f"idx:{tmp_path},{tmp_path}")


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_fashion_mnist_takes_the_files_of_the_split(tmp_path, suffix):
    pack = gzip.compress if suffix else bytes
    for stem, shift in (("train", 0), ("t10k", 1)):
        (tmp_path / f"{stem}-images-idx3-ubyte{suffix}").write_bytes(
            pack(idx_bytes(PIXELS + shift))
        )
        (tmp_path / f"{stem}-labels-idx1-ubyte{suffix}").write_bytes(
            pack(idx_bytes(LABELS + shift))
        )
    test = load(f"fashion-mnist:{tmp_path}")
    train = load(f"fashion-mnist:{tmp_path}", split="train")
    assert test.y.tolist() == [4, 2] and train.y.tolist() == [3, 1]
    assert test.classes[9] == "Ankle boot" and test.name == "fashion-mnist"


def test_fashion_mnist_where_the_system_has_it():
    if not fashion_mnist.FOLDER.is_dir():
        pytest.skip("the Debian package dataset-fashion-mnist is not installed")
    data = load("fashion-mnist")
    assert data.x.shape == (10000, 28, 28, 1)
    assert np.bincount(data.y).tolist() == [1000] * 10
    assert data.fingerprint.startswith("202a7f9597f6")
