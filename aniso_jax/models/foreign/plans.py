"""What a torch file says of a tensor, and the array that its bytes make; nothing is believed."""

import math
from dataclasses import dataclass
from typing import Any

import ml_dtypes
import numpy as np
from numpy.typing import NDArray

# The storages that torch names in its files.
DTYPES: dict[str, np.dtype[Any]] = {
    "DoubleStorage": np.dtype("<f8"),
    "FloatStorage": np.dtype("<f4"),
    "HalfStorage": np.dtype("<f2"),
    "BFloat16Storage": np.dtype(ml_dtypes.bfloat16),
    "LongStorage": np.dtype("<i8"),
    "IntStorage": np.dtype("<i4"),
    "ShortStorage": np.dtype("<i2"),
    "CharStorage": np.dtype("i1"),
    "ByteStorage": np.dtype("u1"),
    "BoolStorage": np.dtype("?"),
}


@dataclass(frozen=True, slots=True)
class StorageKind:
    """The class of a storage that a pickle names."""

    name: str


@dataclass(frozen=True, slots=True)
class Storage:
    """Numbers under a key of the file: `numel` of them from `start` on."""

    key: str
    kind: StorageKind
    numel: int
    start: int = 0

    @property
    def dtype(self) -> np.dtype[Any]:
        """The type of its numbers."""
        return DTYPES[self.kind.name]


@dataclass(frozen=True, slots=True)
class TensorPlan:
    """A tensor as a view of a storage, in numbers, not bytes."""

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def planned(storage: Any, offset: Any, size: Any, stride: Any, *_more: Any) -> TensorPlan:
    """The plan that the arguments of torch's rebuilding functions make.

    Raises:
        ValueError: they do not make one.
    """
    size, stride = tuple(size), tuple(stride)
    numbers = (offset, *size, *stride)
    is_sane = isinstance(storage, Storage) and len(size) == len(stride)
    if not is_sane or not all(type(n) is int and n >= 0 for n in numbers):
        raise ValueError(f"a tensor of size {size} and stride {stride} from {offset}")
    return TensorPlan(storage, offset, size, stride)


def array(plan: TensorPlan, raw: memoryview) -> NDArray[Any]:
    """The tensor, copied out of the bytes of its storage.

    Raises:
        ValueError: the tensor reaches beyond its storage, or is larger than it.
    """
    storage = plan.storage
    flat = np.frombuffer(raw, storage.dtype)[storage.start :][: storage.numel]
    if len(flat) < storage.numel:
        raise ValueError(f"storage {storage.key} ends early")
    if math.prod(plan.size) == 0:
        return np.zeros(plan.size, storage.dtype)
    last = plan.offset + sum((n - 1) * s for n, s in zip(plan.size, plan.stride, strict=True))
    if last >= len(flat) or math.prod(plan.size) > len(flat):
        raise ValueError(f"a tensor of size {plan.size} in a storage of {len(flat)} numbers")
    strides = tuple(step * storage.dtype.itemsize for step in plan.stride)
    view = np.lib.stride_tricks.as_strided(flat[plan.offset :], plan.size, strides)
    return view.copy()
