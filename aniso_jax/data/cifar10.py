"""CIFAR-10 from its published files: the pickled batches or the binary ones."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.errors import DataError
from aniso_jax.data.files import read_file
from aniso_jax.data.plain_pickle import PlainArray, load_plain

CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
BATCHES: dict[Split, tuple[str, ...]] = {
    "train": tuple(f"data_batch_{i}" for i in range(1, 6)),
    "test": ("test_batch",),
}
SUBFOLDERS = ("", "cifar-10-batches-py", "cifar-10-batches-bin")
PIXELS = 3 * 32 * 32
REMEDY = (
    "give cifar10:DIR with the unpacked folder cifar-10-batches-py or cifar-10-batches-bin "
    "from https://www.cs.toronto.edu/~kriz/cifar.html"
)

Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]


def read(folder: Path, split: Split) -> Dataset:
    """The images of one split, (N, 32, 32, 3), in the order of the files.

    Either layout is recognised, in the folder itself or in the subfolder that unpacking makes.
    Pickled batches are read without running code from them.

    Raises:
        DataError: no such files (the sentence says where they come from), or damaged ones.
    """
    home, suffix = _layout(folder, BATCHES[split][0])
    read_batch = _binary_batch if suffix else _pickled_batch
    batches = [read_batch(home / f"{name}{suffix}") for name in BATCHES[split]]
    planes = np.concatenate([pixels for pixels, _ in batches]).reshape(-1, 3, 32, 32)
    labels = np.concatenate([labels for _, labels in batches])
    return from_arrays(planes.transpose(0, 2, 3, 1), labels, name="cifar10", classes=CLASSES)


def _layout(folder: Path, first: str) -> tuple[Path, str]:
    for home in (folder / name for name in SUBFOLDERS):
        for suffix in ("", ".bin"):
            if (home / f"{first}{suffix}").is_file():
                return home, suffix
    raise DataError(f"there is no CIFAR-10 batch {first} or {first}.bin in {folder}: {REMEDY}")


def _binary_batch(path: Path) -> Batch:
    raw = read_file(path, remedy=REMEDY)
    if not raw or len(raw) % (1 + PIXELS):
        raise DataError(
            f"{path} holds {len(raw)} bytes, not a multiple of {1 + PIXELS} "
            "(a label and 32x32x3 pixels): get it again"
        )
    records = np.frombuffer(raw, np.uint8).reshape(-1, 1 + PIXELS)
    return records[:, 1:], records[:, 0].astype(np.int64)


def _pickled_batch(path: Path) -> Batch:
    content = load_plain(read_file(path, remedy=REMEDY), path)
    fields = content if isinstance(content, dict) else {}
    data = fields.get(b"data", fields.get("data"))
    labels = fields.get(b"labels", fields.get("labels"))
    if not isinstance(data, PlainArray) or not isinstance(labels, list):
        raise DataError(f"{path} is a pickle without the data and labels of CIFAR-10: {REMEDY}")
    try:
        pixels, numbers = data.bytes_array(), np.array(labels)
    except (DataError, ValueError) as error:
        raise DataError(f"{path} {error}: {REMEDY}") from error
    if pixels.shape != (len(labels), PIXELS) or numbers.dtype != np.int64:
        raise DataError(
            f"{path} holds pixels of shape {pixels.shape} and {len(labels)} labels, "
            f"wanted ({len(labels)}, {PIXELS}) and integers: {REMEDY}"
        )
    return pixels, numbers.astype(np.int64)
