"""Checkpoints written opcode by opcode and byte by byte, as torch writes them, without torch."""

import io
import pickle
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from flax import nnx

from aniso_jax.models.foreign.families import FAMILIES
from aniso_jax.models.networks import build
from aniso_jax.models.tensors import flatten

MAGIC = 0x1950A86A20F9469CFC6C
STORAGES = {
    "<f4": "FloatStorage",
    "<f2": "HalfStorage",
    "<f8": "DoubleStorage",
    "<i8": "LongStorage",
}
Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Global:
    """A name that a pickle asks for."""

    module: str
    name: str


@dataclass(frozen=True)
class Call:
    """A call that a pickle asks for, and the state that it then sets."""

    function: Any
    arguments: tuple[Any, ...]
    state: Any = None


@dataclass(frozen=True)
class Pointer:
    """A persistent id."""

    pid: Any


def pickled(value: Any) -> bytes:
    return b"\x80\x02" + opcodes(value) + b"."


def opcodes(value: Any) -> bytes:
    if value is None or isinstance(value, bool):
        return {None: b"N", True: b"\x88", False: b"\x89"}[value]
    if isinstance(value, int):
        size = (value.bit_length() + 8) // 8
        return b"\x8a" + bytes([size]) + value.to_bytes(size, "little", signed=True)
    if isinstance(value, float):
        return b"G" + struct.pack(">d", value)
    if isinstance(value, str):
        return b"X" + struct.pack("<I", len(value.encode())) + value.encode()
    if isinstance(value, tuple):
        return b"(" + b"".join(map(opcodes, value)) + b"t"
    if isinstance(value, list):
        return b"](" + b"".join(map(opcodes, value)) + b"e"
    if isinstance(value, dict):
        items = b"".join(opcodes(key) + opcodes(item) for key, item in value.items())
        return b"}(" + items + b"u"
    if isinstance(value, Global):
        return f"c{value.module}\n{value.name}\n".encode()
    if isinstance(value, Pointer):
        return opcodes(value.pid) + b"Q"
    state = b"" if value.state is None else opcodes(value.state) + b"b"
    return opcodes(value.function) + opcodes(value.arguments) + b"R" + state


def contents(tree: Any, pointer: Any) -> Any:
    """A tree with its arrays as the calls that rebuild them; `pointer` makes and keeps storages."""
    if isinstance(tree, dict):
        return {key: contents(value, pointer) for key, value in tree.items()}
    if isinstance(tree, np.ndarray):
        stride = tuple(step // tree.itemsize for step in tree.copy().strides)
        hooks = Call(Global("collections", "OrderedDict"), ())
        arguments = (pointer(tree), 0, tree.shape, stride, False, hooks)
        return Call(Global("torch._utils", "_rebuild_tensor_v2"), arguments)
    return tree


class Storages:
    """Hands out pointers, and remembers what they point to."""

    def __init__(self, view: tuple[Any, ...] = ()) -> None:
        self.kept: list[tuple[str, bytes, int]] = []
        self.view = view

    def __call__(self, array: np.ndarray[Any, Any]) -> Pointer:
        key = str(len(self.kept))
        self.kept.append((key, array.tobytes(), array.size))
        kind = Global("torch", STORAGES[array.dtype.str])
        return Pointer(("storage", kind, key, "cuda:0", array.size, *self.view))


def write_zip(path: Path, tree: Any, *, extra: dict[str, bytes] | None = None) -> Path:
    storages = Storages()
    content = pickled(contents(tree, storages))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        for key, raw, _ in storages.kept:
            archive.writestr(f"archive/data/{key}", raw)
        for name, raw in {"version": b"3\n", **(extra or {})}.items():
            archive.writestr(f"archive/{name}", raw)
    return path


def write_legacy(path: Path, tree: Any) -> Path:
    storages = Storages((None,))
    content = pickled(contents(tree, storages))
    machine = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"int": 4}}
    keys = [key for key, *_ in storages.kept]
    parts = [
        pickle.dumps(MAGIC, 2),
        pickle.dumps(1001, 2),
        pickled(machine),
        content,
        pickled(keys),
    ]
    parts += [struct.pack("<q", size) + raw for _, raw, size in storages.kept]
    path.write_bytes(b"".join(parts))
    return path


def write_tar(path: Path, tree: dict[str, Any]) -> Path:
    """The format of 2017; the names are one level deep there, in `state_dict`."""
    arrays = list(tree["state_dict"].items())
    storages, tensors = pickled(len(arrays)), pickled(len(arrays))
    for number, (_, array) in enumerate(arrays):
        kind = Global("torch", STORAGES[array.dtype.str])
        storages += pickled((number, "cpu", kind)) + struct.pack("<q", array.size) + array.tobytes()
        stride = [step // array.itemsize for step in array.strides]
        tensors += pickled((100 + number, number, Global("torch", "FloatTensor")))
        tensors += struct.pack(f"<ii{2 * array.ndim + 1}q", array.ndim, 0, *array.shape, *stride, 0)
    pointers = {name: Pointer(str(100 + number)) for number, (name, _) in enumerate(arrays)}
    files = {
        "storages": storages + pickled([]),
        "tensors": tensors,
        "pickle": pickled({**tree, "state_dict": pointers}),
    }
    with tarfile.open(path, "w") as archive:
        for name, raw in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            archive.addfile(info, io.BytesIO(raw))
    return path


def state_of(arch: str, *, prefix: str = "", seed: int = 0, **kwargs: Any) -> Arrays:
    """Random weights and statistics under the names that torch's network has."""
    net = nnx.eval_shape(lambda: build(arch, **kwargs))
    shapes = {k: v.shape for k, v in flatten(nnx.to_pure_dict(nnx.state(net))).items()}
    rng, made = np.random.default_rng(seed), {}
    for place in FAMILIES[arch].layout({"bn1.weight": np.zeros(1)}, None).places:
        kernel = shapes.get(f"{place.ours}.kernel", ())
        channels = shapes[f"{place.ours}.bias"][0]
        for name in place.names:
            own = name == f"{place.theirs}.weight" and place.kind != "affine"
            turned = kernel[::-1] if len(kernel) == 2 else (*kernel[:1:-1], *kernel[:2])
            size = turned if own else (channels,)
            value = rng.standard_normal(size) * (0.3 if own else 0.1)
            if name.endswith("running_var") or (name.endswith("weight") and not own):
                value = 0.5 + rng.random(size)
            made[prefix + name] = value.astype("<f4")
        if place.norm:
            made[f"{prefix}{place.norm}.num_batches_tracked"] = np.array(7, "<i8")
    return made
