"""CIFAR-10: pickled batches read without running them, and binary batches."""

import os
import pickle
import struct

import numpy as np
import pytest

from aniso_jax.data.cifar10 import CLASSES
from aniso_jax.data.errors import DataError
from aniso_jax.data.load import load

RNG = np.random.default_rng(0)
PLANES = RNG.integers(0, 256, (4, 3, 32, 32), dtype=np.uint8)
LABELS = [3, 9, 0, 3]


def python2_pickle(rows, labels):
    """The bytes that Python 2 wrote: byte strings, and NumPy's old module names."""

    def text(value):
        return b"T" + struct.pack("<I", len(value)) + value

    def number(value):
        return b"J" + struct.pack("<i", value)

    array = (
        b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(K\x00t" + text(b"b") + b"\x87R"
        + b"(K\x01(" + b"".join(map(number, rows.shape)) + b"t"
        + b"cnumpy\ndtype\n(" + text(b"u1") + b"K\x00K\x01tR(K\x03" + text(b"|") + b"NNN"
        + number(-1) + number(-1) + b"K\x00tb"
        + b"\x89" + text(rows.tobytes()) + b"tb"
    )  # fmt: skip
    numbers = b"](" + b"".join(map(number, labels)) + b"e"
    pairs = text(b"data") + array + text(b"labels") + numbers + text(b"batch_label") + text(b"b")
    return b"\x80\x02}(" + pairs + b"u."


def content(planes, labels):
    return {b"data": planes.reshape(len(planes), -1), b"labels": labels}


WRITERS = {
    "python 2": lambda planes, labels: python2_pickle(planes.reshape(len(planes), -1), labels),
    **{
        f"protocol {p}": lambda planes, labels, p=p: pickle.dumps(content(planes, labels), p)
        for p in range(2, 6)
    },
}


def test_the_python_2_bytes_are_a_real_pickle():
    read = pickle.loads(WRITERS["python 2"](PLANES, LABELS), encoding="bytes")
    np.testing.assert_array_equal(read[b"data"], PLANES.reshape(4, -1))
    assert read[b"labels"] == LABELS


@pytest.mark.parametrize("writer", WRITERS)
def test_pickled_batches(tmp_path, writer):
    (tmp_path / "test_batch").write_bytes(WRITERS[writer](PLANES, LABELS))
    data = load(f"cifar10:{tmp_path}")
    assert (data.name, data.classes, data.levels) == ("cifar10", CLASSES, 255)
    np.testing.assert_array_equal(np.rint(data.x * 255), PLANES.transpose(0, 2, 3, 1))
    assert data.y.tolist() == LABELS
    assert data.fingerprint == load(f"cifar10:{tmp_path}").fingerprint


def binary(planes, labels):
    return b"".join(bytes([k]) + p.tobytes() for p, k in zip(planes, labels, strict=True))


def test_both_layouts_give_the_same_set_in_folder_and_subfolder(tmp_path):
    home = tmp_path / "cifar-10-batches-bin"
    home.mkdir()
    for i in range(1, 6):
        (home / f"data_batch_{i}.bin").write_bytes(binary(PLANES, [i, i, i, i]))
        (tmp_path / f"data_batch_{i}").write_bytes(pickle.dumps(content(PLANES, [i] * 4)))
    pickled = load(f"cifar10:{tmp_path}", split="train")
    binaries = load(f"cifar10:{home}", split="train")
    assert pickled.fingerprint == binaries.fingerprint
    assert binaries.y.tolist() == [i for i in range(1, 6) for _ in range(4)]
    for i in range(1, 6):
        (tmp_path / f"data_batch_{i}").unlink()
    assert load(f"cifar10:{tmp_path}", split="train").fingerprint == binaries.fingerprint


class Mischief:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (str(self.target),)


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_cannot_run_code(tmp_path, protocol):
    target = tmp_path / "made-by-the-pickle"
    (tmp_path / "test_batch").write_bytes(pickle.dumps({"data": Mischief(target)}, protocol))
    with pytest.raises(DataError, match=r"asks for (posix|nt)\.mkdir, which is refused"):
        load(f"cifar10:{tmp_path}")
    assert not target.exists()


def test_a_pickle_cannot_change_our_stand_ins(tmp_path):
    from aniso_jax.data import plain_pickle

    # BUILD with a slot state would set an attribute on the very function that the name led to.
    raw = b"\x80\x02cnumpy\ndtype\nN}X\x01\x00\x00\x00aK\x01s\x86b."
    with pytest.raises(DataError, match="without the data and labels"):
        (tmp_path / "test_batch").write_bytes(raw)
        load(f"cifar10:{tmp_path}")
    assert not any(hasattr(stand_in, "a") for stand_in in plain_pickle.STAND_INS.values())


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (b"", "is damaged or not a pickle"),
        (pickle.dumps(content(PLANES, LABELS))[:500], "is damaged or not a pickle"),
        (pickle.dumps([1, 2]), "is a pickle without the data and labels"),
        (pickle.dumps({b"data": [1], b"labels": [1]}), "is a pickle without the data and labels"),
        (pickle.dumps(content(PLANES, LABELS[:3])), r"pixels of shape \(4, 3072\) and 3 labels"),
        (pickle.dumps(content(PLANES, [0.5] * 4)), r"wanted \(4, 3072\) and integers"),
        (pickle.dumps(content(PLANES[..., :9], LABELS)), r"pixels of shape \(4, 864\)"),
        (
            pickle.dumps(content(PLANES.astype(np.int64), LABELS)),
            "an array of 'i8', wanted unsigned",
        ),
        (pickle.dumps(content(PLANES, [0, 1, 2, 10])), r"y\[3\] is 10: labels of 10 classes"),
    ],
)
def test_pickled_batches_that_are_refused(tmp_path, raw, sentence):
    (tmp_path / "test_batch").write_bytes(raw)
    with pytest.raises(DataError, match=sentence):
        load(f"cifar10:{tmp_path}")


def test_an_array_that_contradicts_itself(tmp_path):
    raw = WRITERS["python 2"](PLANES, LABELS).replace(b"J\x04\0\0\0J", b"J\x05\0\0\0J", 1)
    (tmp_path / "test_batch").write_bytes(raw)
    with pytest.raises(DataError, match="contradicts itself"):
        load(f"cifar10:{tmp_path}")


def test_truncated_binary_batch(tmp_path):
    (tmp_path / "test_batch.bin").write_bytes(binary(PLANES, LABELS)[:-1])
    with pytest.raises(DataError, match="holds 12291 bytes, not a multiple of 3073"):
        load(f"cifar10:{tmp_path}")
