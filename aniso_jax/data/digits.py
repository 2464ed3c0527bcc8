"""1,797 handwritten digits of 8x8 pixels that scikit-learn carries."""

import numpy as np

from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.errors import DataError
from aniso_jax.data.order import shuffled

SEED = 0
TRAIN = 1297
LEVELS = 16


def read(split: Split) -> Dataset:
    """1,297 training or 500 test images, (N, 8, 8, 1), every pixel k / 16.

    Shuffled with a fixed seed, the first 1,297 are for training.

    Raises:
        DataError: scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ModuleNotFoundError as error:
        raise DataError(
            "digits are images that scikit-learn carries, and it is not installed: "
            "run pip install scikit-learn"
        ) from error
    source = load_digits()
    order = shuffled(len(source.target), SEED)
    chosen = order[:TRAIN] if split == "train" else order[TRAIN:]
    return Dataset(
        name="digits",
        x=(source.images[chosen, :, :, None] / LEVELS).astype(np.float32),
        y=source.target[chosen].astype(np.int64),
        classes=tuple(str(digit) for digit in range(10)),
        levels=LEVELS,
    )
