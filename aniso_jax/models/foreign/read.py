"""The tensors in a file of torch or safetensors, by the names that they have there."""

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.inert_pickle import damaged
from aniso_jax.models.foreign.plans import array
from aniso_jax.models.foreign.state_dict import find
from aniso_jax.models.foreign.torch_files import (
    LEGACY_START,
    WRONG,
    Fetch,
    read_legacy,
    read_tar,
    read_zip,
)

Tensors = dict[str, NDArray[Any]]

_READERS: dict[str, Callable[[bytes, Path], tuple[Any, Fetch]]] = {
    "torch zip": read_zip,
    "torch legacy": read_legacy,
    "torch tar": read_tar,
}


@dataclass(frozen=True, kw_only=True)
class Foreign:
    """Tensors of a file, and which format and which entry of it they were in."""

    tensors: Tensors
    format: str
    entry: str


def read(path: Path, *, entry: str | None = None) -> Foreign:
    """Read every tensor of a file; no code in it is run.

    Args:
        path: a file of torch.save, in any of its three formats, or a safetensors file.
        entry: the entry of the checkpoint to take, where there are several.

    Raises:
        CheckpointError: no such file, none of these formats, damaged, or with code in it.
    """
    if not path.is_file():
        raise CheckpointError(f"There is no file {path}; give a checkpoint of torch or ONNX.")
    raw = path.read_bytes()
    kind = _format(raw, path)
    if kind == "safetensors":
        return Foreign(tensors=_safetensors(path), format=kind, entry="")
    content, fetch = _READERS[kind](raw, path)
    plans, where = find(content, path, entry)
    try:
        tensors = {name: array(plan, fetch(plan.storage)) for name, plan in plans.items()}
    except WRONG as error:
        raise damaged(path, error) from error
    return Foreign(tensors=tensors, format=kind, entry=where)


def _format(raw: bytes, path: Path) -> str:
    if raw.startswith(b"PK\x03\x04"):
        return "torch zip"
    if raw.startswith(LEGACY_START):
        return "torch legacy"
    if raw[257:262] == b"ustar" or _is_tar(raw):
        return "torch tar"
    if raw[8:10] == b'{"':
        return "safetensors"
    if raw and LEGACY_START.startswith(raw[: len(LEGACY_START)]):
        raise damaged(path, f"{len(raw)} bytes")
    raise CheckpointError(
        f"{path} begins with {raw[:12]!r} and is no checkpoint of torch (zip, legacy or tar), no "
        "safetensors and no .onnx file; give one of these, and look whether it is a web page."
    )


def _is_tar(raw: bytes) -> bool:
    try:
        tarfile.TarInfo.frombuf(raw[:512], "utf-8", "surrogateescape")
    except tarfile.TarError:
        return False
    return True


def _safetensors(path: Path) -> Tensors:
    try:
        with safe_open(path, framework="np") as file:
            if "aniso-jax" in (file.metadata() or {}):
                raise CheckpointError(f"{path} is a network of aniso-jax already; use it as it is.")
            names = sorted(file.keys(), key=_counting)
            return {name: np.asarray(file.get_tensor(name)) for name in names}
    except (SafetensorError, OSError, TypeError) as error:
        raise damaged(path, error) from error


def _counting(name: str) -> list[tuple[int, str]]:
    """Sorts layer 10 behind layer 9; the format itself keeps no order."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in name.split(".")]
