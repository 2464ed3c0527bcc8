"""CIFAR-10 recompressed as JPEG, in a tar archive: `split/class/name.jpg`.

The compression loses detail, so no number on it is comparable with the literature on CIFAR-10:
the data set calls itself "CIFAR-10 (JPEG)".
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from aniso_jax.data.archive import read_archive
from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.cifar10 import CLASSES
from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.errors import DataError
from aniso_jax.data.images import decode, is_image, stack
from aniso_jax.data.order import by_hash

REMEDY = "give cifar10-jpeg:FILE.tar.xz with an archive of split/class/name.jpg"
_PAIR = "give cifar10-jpeg:DIR with one archive *-train.tar.* and one *-test.tar.*"


def read(path: Path, split: Split) -> Dataset:
    """The images of one split in the archive, (N, 32, 32, 3).

    Images come in the order of the SHA-256 of `class/name`: it depends on the names alone, and
    every prefix and every stride mixes the classes. The archive is read in memory.

    Args:
        path: an archive, of one split or of both, or the folder of an archive for each.
        split: "train" or "test".

    Raises:
        DataError: the archive is missing, damaged, holds links or paths outside itself, has no
            images of this split, or a class that CIFAR-10 does not have.
    """
    path = _in_folder(path, split) if path.is_dir() else path
    encoded = {
        name: raw for name, raw in read_archive(path, remedy=REMEDY).items() if is_image(name)
    }
    names = by_hash([name[len(split) + 1 :] for name in encoded if name.startswith(f"{split}/")])
    if not names:
        raise DataError(f"{path} holds no images {split}/class/name.jpg: {_remedy(encoded)}")
    labels = np.array([_label(name, path) for name in names])
    pixels = stack((name, decode(encoded[f"{split}/{name}"], name)) for name in names)
    return from_arrays(pixels, labels, name="CIFAR-10 (JPEG)", classes=CLASSES)


def _in_folder(folder: Path, split: Split) -> Path:
    found = sorted(folder.glob(f"*-{split}.tar.*"))
    if len(found) != 1:
        raise DataError(f"{folder} holds {len(found)} archives *-{split}.tar.*: {_PAIR}")
    return found[0]


def _remedy(names: Iterable[str]) -> str:
    found = sorted({name.split("/")[0] for name in names} & {"train", "test"})
    return f"it is the archive of the split {found[0]!r}; {_PAIR}" if found else REMEDY


def _label(name: str, path: Path) -> int:
    folder = name.split("/")[0]
    if folder not in CLASSES or name.count("/") != 1:
        raise DataError(f"{path} holds {name}, not class/name.jpg of a CIFAR-10 class: {REMEDY}")
    return CLASSES.index(folder)
