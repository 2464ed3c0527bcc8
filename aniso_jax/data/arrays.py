"""A data set from arrays that are already in memory."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from aniso_jax.data.dataset import Dataset
from aniso_jax.data.errors import DataError

LARGEST_LABEL = 100_000  # each class up to the largest label gets a name


def from_arrays(
    x: ArrayLike,
    y: ArrayLike,
    *,
    name: str,
    classes: tuple[str, ...] | None = None,
    low: float = 0.0,
    high: float = 1.0,
) -> Dataset:
    """The data set of inputs `x` with labels `y`.

    8-bit inputs are divided by 255 (and `levels` is 255); floating inputs are taken as they are.
    The arrays are copied.

    Args:
        x: uint8, or floating in [low, high]; (N, d) or (N, H, W, C) with C = 1 or 3.
        y: integers, (N,), none above 100,000.
        name: what tables and reports call it.
        classes: the name of each class; by default the numbers from 0 to the largest label.
        low, high: the input range of floating inputs.

    Raises:
        DataError: another dtype, or anything that `Dataset` refuses.

    Example:
        >>> data = from_arrays(np.array([[0, 255]], np.uint8), [1], name="pair")
        >>> data.x.tolist(), data.levels, data.classes
        ([[0.0, 1.0]], 255, ('0', '1'))
    """
    inputs, levels = _inputs(np.asarray(x), low, high)
    labels = _labels(np.asarray(y))
    if classes is None:
        classes = tuple(str(i) for i in range(int(labels.max(initial=0)) + 1))
    inputs.flags.writeable = False
    labels.flags.writeable = False
    return Dataset(
        name=name, x=inputs, y=labels, classes=classes, low=low, high=high, levels=levels
    )


def _inputs(
    x: NDArray[np.generic], low: float, high: float
) -> tuple[NDArray[np.float32], int | None]:
    if x.dtype == np.uint8:
        if (low, high) != (0.0, 1.0):
            raise DataError(
                f"x is uint8 with the range [{low:g}, {high:g}]: 8-bit inputs are divided by 255 "
                "into [0, 1], give floating inputs for another range"
            )
        scaled = x.astype(np.float32)
        scaled /= np.float32(255)
        return scaled, 255
    if not np.issubdtype(x.dtype, np.floating):
        raise DataError(
            f"x has dtype {x.dtype}: give uint8 (divided by 255) or floating in [{low:g}, {high:g}]"
        )
    # A finite float64 too large for float32 becomes inf here, and the range check refuses it.
    with np.errstate(over="ignore"):
        return x.astype(np.float32), None


def _labels(y: NDArray[np.generic]) -> NDArray[np.int64]:
    if not np.issubdtype(y.dtype, np.integer):
        raise DataError(f"y has dtype {y.dtype}: labels are integers, give y.astype(int)")
    largest = y.max(initial=0)
    # Before the conversion, in which an unsigned label of 64 bits could turn negative.
    if largest > LARGEST_LABEL:
        raise DataError(
            f"y holds the label {largest}: labels are the numbers of classes from 0 to at most "
            f"{LARGEST_LABEL:,}, number the classes"
        )
    return y.astype(np.int64)
