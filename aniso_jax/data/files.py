"""Reading a whole file into memory, plain or packed by gzip or xz."""

import gzip
import lzma
import zlib
from pathlib import Path

from aniso_jax.data.errors import DataError

# The first bytes say how a file is packed; its name may not.
GZIP_MAGIC = b"\x1f\x8b"
XZ_MAGIC = b"\xfd7zXZ\0"


def existing(path: Path, *, remedy: str) -> Path:
    """`path`, if there is something there; else a DataError that ends with `remedy`."""
    if not path.exists():
        raise DataError(f"there is no {path}: {remedy}")
    return path


def read_file(path: Path, *, remedy: str) -> bytes:
    """The content of the file, unpacked if it is gzip or xz.

    Raises:
        DataError: the file is missing or unreadable (the sentence ends with `remedy`) or damaged.
    """
    try:
        raw = existing(path, remedy=remedy).read_bytes()
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}): {remedy}") from error
    try:
        return _unpacked(raw)
    except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} is damaged or truncated ({error}): get it again") from error


def _unpacked(raw: bytes) -> bytes:
    if raw.startswith(GZIP_MAGIC):
        return gzip.decompress(raw)
    if raw.startswith(XZ_MAGIC):
        return lzma.decompress(raw)
    return raw
