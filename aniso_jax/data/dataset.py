"""A labelled set of inputs, checked once and never changed."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.checks import check_grid, check_labels, check_range, check_shapes
from aniso_jax.data.errors import DataError
from aniso_jax.data.ids import digest
from aniso_jax.geometry.shown import table

Split = Literal["train", "test"]
_Scalar = TypeVar("_Scalar", bound=np.generic)


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Inputs with labels, all inside a known range.

    The constructor checks everything and converts nothing (`from_arrays` converts); `x` and `y`
    are read-only, a writeable array is copied first. Two sets are the same when their
    `fingerprint` is.

    Args:
        name: what tables and reports call it.
        x: float32, (N, d) or (N, H, W, C) with C = 1 or 3.
        y: int64, (N,), each in range(len(classes)).
        classes: the name of each class.
        low, high: the input range; every value lies in [low, high].
        levels: 255 where the source was 8-bit, so that every value is k / 255; None if no grid.

    Raises:
        DataError: a value not finite or outside the range or off the grid, a label out of range,
            shapes or dtypes that do not fit, no input at all.

    Example:
        >>> one = np.full((1, 2), 0.5, np.float32)
        >>> Dataset(name="one", x=one, y=np.zeros(1, np.int64), classes=("a",), levels=None)
        Dataset('one': 1 inputs of 2, 1 classes)
    """

    name: str
    x: NDArray[np.float32]
    y: NDArray[np.int64]
    classes: tuple[str, ...]
    low: float = 0.0
    high: float = 1.0
    levels: int | None

    def __post_init__(self) -> None:
        _check_dtype("x", self.x, np.float32)
        _check_dtype("y", self.y, np.int64)
        check_shapes(self.x, self.y)
        check_labels(self.y, self.classes)
        check_range(self.x, self.low, self.high)
        if self.levels is not None:
            if (self.low, self.high) != (0.0, 1.0):
                raise DataError(
                    f"levels={self.levels} with the range [{self.low:g}, {self.high:g}]: "
                    "a grid is of values in [0, 1], give levels=None"
                )
            check_grid(self.x, self.levels)
        object.__setattr__(self, "x", _read_only(self.x))
        object.__setattr__(self, "y", _read_only(self.y))

    def __len__(self) -> int:
        return len(self.x)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one input."""
        return self.x.shape[1:]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 in hex over shapes, dtypes and bytes of `x` and `y`."""
        return digest(self.x, self.y)

    def __repr__(self) -> str:
        return (
            f"Dataset({self.name!r}: {len(self)} inputs of {_times(self.shape)}, "
            f"{len(self.classes)} classes)"
        )

    def _repr_html_(self) -> str:
        grid = "no grid" if self.levels is None else f"grid 1/{self.levels}"
        rows = {
            "inputs": f"{len(self):,} of {_times(self.shape)}",
            "range": f"[{self.low:g}, {self.high:g}], {grid}",
            "classes": ", ".join(self.classes),
            "fingerprint": self.fingerprint[:16],
        }
        return table(rows, caption=self.name)


def _check_dtype(name: str, array: NDArray[Any], wanted: type[np.generic]) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != wanted:
        given = getattr(array, "dtype", type(array).__name__)
        raise DataError(
            f"{name} is {given}, Dataset wants {wanted.__name__}: use from_arrays, which converts"
        )


def _read_only(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    if not array.flags.writeable:
        return array
    copy = array.copy()
    copy.flags.writeable = False
    return copy


def _times(shape: tuple[int, ...]) -> str:
    return "x".join(str(size) for size in shape)
