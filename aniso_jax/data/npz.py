"""Arrays `x` and `y` in one NumPy `.npz` file."""

import math
import zipfile
import zlib
from pathlib import Path
from typing import IO

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

_DAMAGED = (
    ValueError,
    OSError,
    EOFError,
    MemoryError,
    RuntimeError,  # how zipfile refuses what is encrypted
    zlib.error,
    zipfile.BadZipFile,
)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


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
        with zipfile.ZipFile(path) as archive:
            return _array(archive, "x"), _array(archive, "y")
    except DataError as error:
        raise DataError(f"{path} {error}: {REMEDY}") from error
    except _DAMAGED as error:
        raise DataError(_complaint(path, error)) from error


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    """One array; its header is believed only where the entry holds what the header promises."""
    entry = _entry(archive, name)
    with archive.open(entry) as file:
        promised = _promised(file)
    if promised is not None and promised != entry.file_size:
        raise DataError(
            f"holds {entry.filename!r} with {entry.file_size} bytes where its header promises "
            f"{promised} (truncated or damaged)"
        )
    with archive.open(entry) as file:
        array: NDArray[np.generic] = np.lib.format.read_array(file, allow_pickle=False)
    return array


def _entry(archive: zipfile.ZipFile, name: str) -> zipfile.ZipInfo:
    entries = {entry.filename: entry for entry in archive.infolist()}
    found = entries.get(f"{name}.npy", entries.get(name))
    if found is None:
        raise DataError(f"holds no array {name!r}")
    with archive.open(found) as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) != np.lib.format.MAGIC_PREFIX:
            raise DataError(f"holds {found.filename!r}, which is no array in NumPy's format")
    return found


def _promised(file: IO[bytes]) -> int | None:
    """The bytes of an array with its header; None for objects, which are refused later on."""
    version = np.lib.format.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"version {version} of NumPy's format is for tables")
    shape, _, dtype = _HEADERS[version](file)
    return None if dtype.hasobject else file.tell() + math.prod(shape) * dtype.itemsize


def _complaint(path: Path, error: Exception) -> str:
    # NumPy has no type of its own for this refusal; its sentence names the option.
    if "allow_pickle" in str(error):
        return f"{path} holds pickled objects, which could run code, and is refused: {REMEDY}"
    if isinstance(error, MemoryError):  # a header is believed only where the file holds as much
        return f"{path} does not fit into memory ({error}): give a file of fewer inputs"
    return f"{path} is damaged ({error}): get it again"
