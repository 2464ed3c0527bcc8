"""The three formats of torch.save: zip (since 2020), pickles in a row (before), tar (2017)."""

import io
import pickle
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aniso_jax.models.checkpoint import CheckpointError
from aniso_jax.models.foreign.inert_pickle import damaged, load
from aniso_jax.models.foreign.plans import Storage, StorageKind, planned

# The bytes of a storage, by its key.
Fetch = Callable[[Storage], memoryview]

MAGIC = 0x1950A86A20F9469CFC6C
LEGACY_START = pickle.dumps(MAGIC, protocol=2)
# What a damaged file makes these modules raise; what is encrypted is a RuntimeError to zipfile.
WRONG = (
    zipfile.BadZipFile,
    zlib.error,
    tarfile.TarError,
    RuntimeError,
    MemoryError,
    OverflowError,
    KeyError,
    IndexError,
    TypeError,
    ValueError,
    EOFError,
    OSError,
    struct.error,
)


def read_zip(raw: bytes, path: Path) -> tuple[Any, Fetch]:
    """The content, tensors as plans, and where their bytes are, of torch's zip format.

    Raises:
        CheckpointError: damaged, compiled by TorchScript, big-endian, or with code in its pickle.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
        names = archive.namelist()
        root = next(name for name in names if name.endswith("/data.pkl")).removesuffix("data.pkl")
        content = _entry(archive, f"{root}data.pkl", len(raw))
        order = archive.read(f"{root}byteorder") if f"{root}byteorder" in names else b"little"
    except StopIteration:
        raise damaged(path, "a zip archive without data.pkl") from None
    except WRONG as error:
        raise damaged(path, error) from error
    if f"{root}constants.pkl" in names:
        raise CheckpointError(
            f"{path} is a network compiled by TorchScript; save its tensors instead: "
            "torch.save(model.state_dict(), 'net.pth')."
        )
    if order != b"little":
        raise CheckpointError(f"{path} was written on a big-endian machine, which is not read.")

    def fetch(storage: Storage) -> memoryview:
        return memoryview(_entry(archive, f"{root}data/{storage.key}", len(raw)))

    return load(io.BytesIO(content), path, _storage), fetch


def read_legacy(raw: bytes, path: Path) -> tuple[Any, Fetch]:
    """The same of the older format: magic number, version, machine, content, keys, then bytes."""
    file = io.BytesIO(raw)
    _magic, _version, _machine = (load(file, path) for _ in range(3))
    kinds: dict[str, StorageKind] = {}

    def resolve(pid: Any) -> Any:
        storage = _storage(pid)
        kinds[storage.key] = storage.kind
        return storage

    content, keys = load(file, path, resolve), load(file, path)
    storages: dict[str, memoryview] = {}
    try:
        for key in map(str, keys):
            size = Storage(key, kinds[key], 1).dtype.itemsize
            storages[key] = _counted(file, raw, size)
    except WRONG as error:
        raise damaged(path, error) from error
    return content, lambda storage: storages[storage.key]


def read_tar(raw: bytes, path: Path) -> tuple[Any, Fetch]:
    """The same of the oldest format: a tar archive of storages, tensors and content."""
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            parts = {member.name: archive.extractfile(member) for member in archive}
            files = {name: part.read() for name, part in parts.items() if part is not None}
        storages, kept = _tar_storages(files["storages"], path)
        tensors = _tar_tensors(files["tensors"], storages, path)
        content = load(io.BytesIO(files["pickle"]), path, lambda pid: tensors[int(pid)])
    except WRONG as error:
        if isinstance(error, CheckpointError):
            raise
        raise damaged(path, error) from error
    return content, lambda storage: kept[storage.key]


def _storage(pid: Any) -> Storage:
    """A storage from the id that a pickle has in its place: word, kind, key, device, count, view.

    A view is a key of its own with a start and a count; the storage below it is what is read.
    """
    if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage":
        raise pickle.UnpicklingError(f"a pointer to {pid!r}"[:80])
    _word, kind, key, _device, numel, *view = pid
    _, start, numel = view[0] if view and view[0] else (None, 0, numel)
    if not isinstance(kind, StorageKind) or type(start) is not int or type(numel) is not int:
        raise pickle.UnpicklingError(f"a storage of {kind!r}"[:80])
    if start < 0 or numel < 0:
        raise pickle.UnpicklingError(f"a storage of {numel} numbers from {start}")
    return Storage(str(key), kind, numel, start)


def _entry(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """One entry; torch packs none, so none is larger than the archive."""
    if archive.getinfo(name).file_size > most:
        raise ValueError(f"{name} unpacks to more than the whole file")
    return archive.read(name)


def _counted(file: io.BytesIO, raw: bytes, size: int) -> memoryview:
    """A count in 8 bytes and so many numbers of `size` bytes."""
    (count,) = struct.unpack("<q", file.read(8))
    start = file.tell()
    end = start + count * size
    if not start <= end <= len(raw):
        raise ValueError(f"{count} numbers where {len(raw) - start} bytes are left")
    file.seek(end)
    return memoryview(raw)[start:end]


def _tar_storages(raw: bytes, path: Path) -> tuple[dict[int, Storage], dict[str, memoryview]]:
    file, storages, kept = io.BytesIO(raw), {}, {}
    for _ in range(load(file, path)):
        key, _device, kind = load(file, path)
        size = Storage(str(key), kind, 1).dtype.itemsize
        kept[str(key)] = _counted(file, raw, size)
        storages[key] = Storage(str(key), kind, len(kept[str(key)]) // size)
    for view, root, start, numel in load(file, path):
        storages[view] = Storage(str(root), storages[root].kind, numel, start)
    return storages, kept


def _tar_tensors(raw: bytes, storages: dict[int, Storage], path: Path) -> dict[int, Any]:
    file, tensors = io.BytesIO(raw), {}
    for _ in range(load(file, path)):
        key, storage, _kind = load(file, path)
        (ndim, _padding) = struct.unpack("<ii", file.read(8))
        numbers = struct.unpack(f"<{2 * ndim + 1}q", file.read(8 * (2 * ndim + 1)))
        size, stride, offset = numbers[:ndim], numbers[ndim : 2 * ndim], numbers[-1]
        tensors[key] = planned(storages[storage], offset, size, stride)
    return tensors
