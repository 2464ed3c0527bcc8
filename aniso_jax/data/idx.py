"""The idx format of the MNIST family: a small header, then the array."""

import math
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset
from aniso_jax.data.errors import DataError
from aniso_jax.data.files import read_file

# Third byte of the file: the type of the values, which are big-endian.
TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
AXES = 4  # (N, H, W, C)
REMEDY = "give idx:IMAGES,LABELS with the paths of two idx files (gzip or not)"


def read(images: Path, labels: Path) -> Dataset:
    """The data set of two idx files, gzip or not; it has no split.

    Raises:
        DataError: a file that is missing, damaged, truncated or not idx, or what `from_arrays`
            refuses.
    """
    return from_arrays(
        with_channel(read_idx(images)), read_idx(labels), name=f"idx:{images.name},{labels.name}"
    )


def with_channel(x: NDArray[np.generic]) -> NDArray[np.generic]:
    """(N, H, W) as (N, H, W, 1), any other shape as it is."""
    return x[..., None] if x.ndim == 3 else x


def read_idx(path: Path, *, remedy: str = REMEDY) -> NDArray[np.generic]:
    """The array in one idx file."""
    raw = read_file(path, remedy=remedy)
    if len(raw) < 4 or raw[:2] != b"\0\0" or raw[2] not in TYPES:
        raise DataError(f"{path} is not an idx file: {remedy}")
    if raw[3] > AXES:
        raise DataError(
            f"{path} has {raw[3]} axes, an idx file of data has at most {AXES}: {remedy}"
        )
    dtype, start = np.dtype(TYPES[raw[2]]), 4 + 4 * raw[3]
    if len(raw) < start:
        raise DataError(f"{path} is truncated inside its header: get it again")
    shape = struct.unpack(f">{raw[3]}I", raw[4:start])
    promised = math.prod(shape) * dtype.itemsize
    if len(raw) - start != promised:
        raise DataError(
            f"{path} holds {len(raw) - start} bytes of data where its header promises {promised} "
            "(truncated or damaged): get it again"
        )
    if not promised:
        raise DataError(f"{path} holds no data, its shape is {shape}: {remedy}")
    return np.frombuffer(raw, dtype, offset=start).reshape(shape)
