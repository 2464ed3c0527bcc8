"""Data by name or path, as the command line's `--data` takes it."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

from aniso_jax.data import (
    cifar10,
    cifar10_jpeg,
    digits,
    fashion_mnist,
    folder,
    hugging_face,
    idx,
    mnist5k,
    npz,
    toy2d,
)
from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.errors import DataError

# What comes with a package or is generated: NAME.
BY_NAME: dict[str, Callable[[Split], Dataset]] = {
    "mnist5k": mnist5k.read,
    "digits": digits.read,
    "toy2d": toy2d.read,
    "fashion-mnist": lambda split: fashion_mnist.read(fashion_mnist.FOLDER, split),
}
# What lies in files: NAME:PATH.
BY_PATH: dict[str, Callable[[str, Split], Dataset]] = {
    "fashion-mnist": lambda path, split: fashion_mnist.read(Path(path), split),
    "cifar10": lambda path, split: cifar10.read(Path(path), split),
    "cifar10-jpeg": lambda path, split: cifar10_jpeg.read(Path(path), split),
    "npz": lambda path, _: npz.read(Path(path)),
    "idx": lambda paths, _: idx.read(*_two(paths)),
    "folder": lambda path, _: folder.read(Path(path)),
    "hf": hugging_face.read,
}
KNOWN = (
    "mnist5k, digits, toy2d, fashion-mnist[:DIR], cifar10:DIR, cifar10-jpeg:FILE|DIR, "
    "npz:FILE, idx:IMAGES,LABELS, folder:DIR, hf:NAME"
)


def load(spec: str, *, split: Split = "test") -> Dataset:
    """The data set that `spec` names.

    Nothing is downloaded and nothing is written. Two loads give the same fingerprint.

    Args:
        spec: one of mnist5k, digits, toy2d, fashion-mnist[:DIR], cifar10:DIR,
            cifar10-jpeg:FILE|DIR, npz:FILE, idx:IMAGES,LABELS, folder:DIR, hf:NAME.
        split: "train" or "test"; the files of npz, idx and folder are one set, whatever the split.

    Raises:
        DataError: an unknown name (the known are listed), a missing file (the sentence says how
            to get it), damaged or refused data.

    Example:
        >>> load("toy2d")
        Dataset('toy2d': 1000 inputs of 2, 2 classes)
    """
    if split not in get_args(Split):
        raise DataError(f"split is {split!r}: give 'train' or 'test'")
    name, colon, path = spec.partition(":")
    if name not in BY_NAME and name not in BY_PATH:
        raise DataError(f"there is no data set {name!r}: give one of {KNOWN}")
    if path and name in BY_PATH:
        return BY_PATH[name](path, split)
    if not colon and name in BY_NAME:
        return BY_NAME[name](split)
    complaint = "needs a path" if name in BY_PATH else "takes no path"
    raise DataError(f"the data set {spec!r} {complaint}: give one of {KNOWN}")


def _two(paths: str) -> tuple[Path, Path]:
    parts = paths.split(",")
    if len(parts) != 2 or not all(parts):
        raise DataError(f"idx:{paths} names {len(parts)} files: {idx.REMEDY}")
    return Path(parts[0]), Path(parts[1])
