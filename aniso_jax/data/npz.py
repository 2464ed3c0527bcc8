"""Arrays `x` and `y` in one NumPy `.npz` file."""

import zipfile
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset
from aniso_jax.data.errors import DataError
from aniso_jax.data.files import existing

REMEDY = (
    "give npz:FILE written by np.savez(FILE, x=x, y=y), x (N, H, W, C) or (N, d) as uint8 or "
    "floating in [0, 1] and y integers (N,)"
)


def read(path: Path) -> Dataset:
    """The data set of `x` and `y` in the file; it has no split.

    Raises:
        DataError: the file is missing, damaged or without `x` and `y`, holds pickled objects, or
            what `from_arrays` refuses.
    """
    existing(path, remedy=REMEDY)
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is damaged or not an .npz file: {REMEDY}")
    x, y = _arrays(path)
    return from_arrays(x, y, name=f"npz:{path.name}")


def _arrays(path: Path) -> tuple[NDArray[np.generic], NDArray[np.generic]]:
    try:
        with np.load(path, allow_pickle=False) as archive:
            found = {name: archive[name] for name in ("x", "y") if name in archive.files}
    except (ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile) as error:
        raise DataError(_complaint(path, error)) from error
    for name in ("x", "y"):
        if name not in found:
            raise DataError(f"{path} holds no array {name!r}: {REMEDY}")
    return found["x"], found["y"]


def _complaint(path: Path, error: Exception) -> str:
    # NumPy has no type of its own for this refusal; its sentence names the option.
    if "allow_pickle" in str(error):
        return f"{path} holds pickled objects, which could run code, and is refused: {REMEDY}"
    return f"{path} is damaged ({error}): get it again"
