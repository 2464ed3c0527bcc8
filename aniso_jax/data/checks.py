"""What must hold of the arrays of a data set; each check raises one clear sentence."""

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.errors import DataError

# Grid values are verified a few thousand inputs at a time: no second copy of a large data set.
GRID_ROWS = 4096


def check_shapes(x: NDArray[np.generic], y: NDArray[np.generic]) -> None:
    """N > 0 inputs, (N, d) or (N, H, W, C) with C = 1 or 3, and one label for each."""
    if x.ndim == 0 or x.size == 0:
        raise DataError(f"the data set is empty: x has shape {x.shape}, give at least one input")
    if y.shape != x.shape[:1]:
        raise DataError(
            f"x has shape {x.shape} and y has shape {y.shape}: "
            f"give y with one label for each input, shape ({x.shape[0]},)"
        )
    if x.ndim == 3:
        raise DataError(f"x has shape {x.shape} without a channel axis: give x[..., None]")
    if x.ndim not in (2, 4):
        raise DataError(f"x has shape {x.shape}: give (N, d) or images as (N, H, W, C)")
    if x.ndim == 4 and x.shape[-1] not in (1, 3):
        raise DataError(
            f"x has shape {x.shape}: images are (N, H, W, C) with C = 1 or 3 as the last axis "
            "(from (N, C, H, W), give x.transpose(0, 2, 3, 1))"
        )


def check_labels(y: NDArray[np.integer], classes: tuple[str, ...]) -> None:
    """Every label is the number of a class."""
    wrong = np.flatnonzero((y < 0) | (y >= len(classes)))
    if wrong.size:
        raise DataError(
            f"y[{wrong[0]}] is {y[wrong[0]]}: labels of {len(classes)} classes "
            f"are integers from 0 to {len(classes) - 1}"
        )


def check_range(x: NDArray[np.floating], low: float, high: float) -> None:
    """Every value is finite and inside [low, high]; the sentence names the first that is not."""
    # A NaN makes both comparisons false, so one pass without temporaries settles the usual case.
    if low <= x.min() and x.max() <= high:
        return
    first = int(np.argmin((low <= x) & (x <= high)))
    where = tuple(int(i) for i in np.unravel_index(first, x.shape))
    value = x.flat[first]
    if not np.isfinite(value):
        raise DataError(f"x{list(where)} is {value}: every value must be finite")
    raise DataError(
        f"x{list(where)} is {value}: values must lie in [{low:g}, {high:g}] "
        "(give 8-bit images as uint8, they are divided by 255; normalise inside the model)"
    )


def check_grid(x: NDArray[np.float32], levels: int) -> None:
    """Every value is k / levels for an integer k."""
    for start in range(0, len(x), GRID_ROWS):
        part = x[start : start + GRID_ROWS]
        off = np.rint(part * np.float32(levels)) / np.float32(levels) != part
        if off.any():
            row = start + int(np.argwhere(off)[0, 0])
            raise DataError(
                f"x[{row}] holds values that are not multiples of 1/{levels}: "
                "give levels=None for data that are not on a grid"
            )
