"""Reads the pickles in torch files without running anything that they name.

A pickle may name any function of any module and have it called. Here each name leads to an inert
stand-in of this file or to a refusal, so that a file can make a mistake but no mischief.
"""

import pickle
import pickletools
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.plans import DTYPES, StorageKind, planned


class InertUnpickler(pickle.Unpickler):
    """Reads one pickle from a file that may hold more.

    Args:
        file: where the pickle begins.
        path: the file's name, for the error.
        resolve: the object for each persistent id, which is how torch points to its storages.
    """

    def __init__(
        self, file: IO[bytes], path: Path, resolve: Callable[[Any], Any] | None = None
    ) -> None:
        super().__init__(file, encoding="latin1")
        self._path, self._resolve = path, resolve

    def find_class(self, module: str, name: str) -> Any:
        """A stand-in for what the pickle names, or a refusal."""
        if module in ("torch", "torch.cuda", "torch.storage") and name in DTYPES:
            return StorageKind(name)
        if (module, name) in ACTED:
            act = ACTED[module, name]
            # A pickle can set attributes on what it names: give it a copy that nobody else sees.
            return lambda *args: act(*args)
        if name in HARMLESS.get(module, ()):
            return type(name, (Inert,), {})
        raise CheckpointError(
            f"{self._path} asks for {module}.{name}, and running what a file names is refused; if "
            "it holds a whole network, save its tensors alone where it was made: "
            "torch.save(model.state_dict(), 'net.pth')."
        )

    def persistent_load(self, pid: Any) -> Any:
        """The object for a persistent id."""
        if self._resolve is None:
            raise pickle.UnpicklingError("a pointer where none may be")
        return self._resolve(pid)


def load(file: IO[bytes], path: Path, resolve: Callable[[Any], Any] | None = None) -> Any:
    """Read one pickle; tensors are left as plans.

    Raises:
        CheckpointError: it is damaged, or names something that is not on the list below.
    """
    try:
        _check_places(file)
        return InertUnpickler(file, path, resolve).load()
    except CheckpointError:
        raise
    except Exception as error:  # a damaged pickle may raise anything at all
        raise damaged(path, error) from error


def _check_places(file: IO[bytes]) -> None:
    """Refuse a pickle that remembers something in a place so far off that memory would run out."""
    start = file.tell()
    for count, (opcode, place, _) in enumerate(pickletools.genops(file)):
        if opcode.name in ("PUT", "BINPUT", "LONG_BINPUT") and (place or 0) > 2 * count + 256:
            raise pickle.UnpicklingError(f"something is kept in place {place}")
    file.seek(start)


def damaged(path: Path, error: object) -> CheckpointError:
    """The sentence for a file that ends early or contradicts itself."""
    return CheckpointError(f"{path} is damaged or truncated ({error}); copy or download it again.")


class Names(dict[Any, Any]):
    """An ordered or default dict; what the pickle wants to set on it is dropped."""

    def __setstate__(self, state: Any) -> None:
        """Take nothing."""


class Inert:
    """Something that is not needed: it takes everything and keeps nothing."""

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        """Take nothing."""

    def __setitem__(self, key: Any, value: Any) -> None:
        """Take nothing."""

    def append(self, value: Any) -> None:
        """Take nothing."""

    def extend(self, values: Any) -> None:
        """Take nothing."""


# What is acted upon: tensors, and the dicts that hold them.
ACTED: dict[tuple[str, str], Callable[..., Any]] = {
    ("collections", "OrderedDict"): lambda *items: Names(*items),
    ("collections", "defaultdict"): lambda _factory, *items: Names(*items),
    ("torch._utils", "_rebuild_tensor"): planned,
    ("torch._utils", "_rebuild_tensor_v2"): planned,
    ("torch._utils", "_rebuild_parameter"): lambda tensor, *_more: tensor,
    ("torch._utils", "_rebuild_parameter_with_state"): lambda tensor, *_more: tensor,
    ("torch", "Size"): lambda items=(): tuple(items),
}
# What stands beside weights in checkpoints and means nothing here: settings, numbers, devices.
_TENSORS = ("FloatTensor", "DoubleTensor", "HalfTensor", "LongTensor", "IntTensor", "ByteTensor")
HARMLESS: dict[str, tuple[str, ...]] = {
    "argparse": ("Namespace",),
    "_codecs": ("encode",),
    "__builtin__": ("dict", "list", "set", "object"),
    "builtins": ("dict", "list", "set", "object"),
    "copy_reg": ("_reconstructor",),
    "numpy": ("dtype", "ndarray", "float64", "float32", "int64"),
    "numpy.core.multiarray": ("_reconstruct", "scalar"),
    "numpy._core.multiarray": ("_reconstruct", "scalar"),
    "torch": (
        "device",
        "dtype",
        *_TENSORS,
        *("float16", "float32", "float64", "bfloat16", "int32", "int64", "uint8", "bool"),
    ),
    "torch.cuda": _TENSORS,
}
