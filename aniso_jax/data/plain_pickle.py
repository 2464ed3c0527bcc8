"""Reads arrays, lists, strings and numbers from a pickle without running anything it names.

A pickle may name any function of any module and have it called. Here every name leads to one of
the inert stand-ins below or to an error, so that a file can make a mistake but no mischief;
not even NumPy's own constructors see what the file says.
"""

import io
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.errors import DataError


def load_plain(raw: bytes, path: Path) -> Any:
    """The object in the pickle `raw`, its arrays as `PlainArray`; `path` is for the error.

    Raises:
        DataError: the pickle is damaged, or names anything but arrays of bytes.
    """
    try:
        return _PlainUnpickler(io.BytesIO(raw), encoding="bytes").load()
    except DataError as error:
        raise DataError(f"{path} {error}") from error
    except Exception as error:  # a damaged pickle may raise anything at all
        raise DataError(f"{path} is damaged or not a pickle ({error}): get it again") from error


@dataclass(eq=False)
class PlainArray:
    """What a pickle says of an array, not yet believed."""

    raw: bytes = b""
    shape: tuple[int, ...] = ()
    code: str = ""

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        _version, self.shape, dtype, fortran, self.raw = state
        self.code = "fortran" if fortran else dtype.code

    def bytes_array(self) -> NDArray[np.uint8]:
        """The array, which must be of unsigned bytes in C order.

        Raises:
            DataError: it is of anything else, or holds fewer or more bytes than its shape.
        """
        if self.code != "u1":
            raise DataError(f"holds an array of {self.code!r}, wanted unsigned bytes in C order")
        try:
            return np.frombuffer(self.raw, np.uint8).reshape(self.shape)
        except (TypeError, ValueError, OverflowError) as error:
            raise DataError(f"holds an array that contradicts itself ({error})") from error


@dataclass(eq=False)
class _PlainDtype:
    code: str

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        pass  # byte order and padding, without meaning for single bytes


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        stand_in = STAND_INS.get((module.replace("numpy.core", "numpy._core"), name))
        if stand_in is None:
            raise DataError(
                f"is a pickle that asks for {module}.{name}, which is refused: "
                "give the files of CIFAR-10 as they are published"
            )
        # A pickle can set attributes on what it names: give it a copy that nobody else sees.
        return lambda *args: stand_in(*args)


def _dtype(code: str | bytes, *_flags: object) -> _PlainDtype:
    return _PlainDtype(code.decode("ascii") if isinstance(code, bytes) else str(code))


def _reconstruct(*_kind: object) -> PlainArray:
    return PlainArray()


def _from_buffer(raw: bytes, dtype: _PlainDtype, shape: tuple[int, ...], order: str) -> PlainArray:
    return PlainArray(raw=raw, shape=shape, code=dtype.code if order == "C" else "fortran")


def _latin1(text: str, _encoding: str) -> bytes:
    return text.encode("latin1")


STAND_INS: dict[tuple[str, str], Callable[..., object]] = {
    ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,  # protocol 5
    ("numpy", "ndarray"): _reconstruct,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _latin1,  # how Python 3 writes bytes for Python 2
}
