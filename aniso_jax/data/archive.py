"""The files of a tar archive, read in memory: nothing is unpacked to disk."""

import io
import tarfile
from pathlib import Path

from aniso_jax.data.errors import DataError
from aniso_jax.data.files import read_file


def read_archive(path: Path, *, remedy: str) -> dict[str, bytes]:
    """The content of every plain file in the archive (`.tar`, `.tar.xz` or `.tar.gz`) by name.

    Raises:
        DataError: the archive is missing or damaged, or holds a link, a device, or a path outside
            itself (absolute or with `..`).
    """
    raw = read_file(path, remedy=remedy)
    found: dict[str, bytes] = {}
    end = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(raw), mode="r:") as archive:
            for member in archive:
                _refuse_foreign(member, path)
                content = archive.extractfile(member)
                if content is not None:
                    found[member.name.removeprefix("./")] = content.read()
                end = member.offset_data + _whole_blocks(member.size)
    except tarfile.TarError as error:
        raise DataError(f"{path} is damaged or not a tar archive ({error}): {remedy}") from error
    # tarfile stops without a word at a damaged header: only zeros may follow the last file.
    if not raw[end:] or raw[end:].strip(b"\0"):
        raise DataError(f"{path} is damaged or truncated after {len(found)} files: get it again")
    return found


def _whole_blocks(size: int) -> int:
    return -(-size // tarfile.BLOCKSIZE) * tarfile.BLOCKSIZE


def _refuse_foreign(member: tarfile.TarInfo, path: Path) -> None:
    name = member.name.replace("\\", "/")
    if name.startswith("/") or name[1:2] == ":" or ".." in name.split("/"):
        raise DataError(f"{path} holds the path {member.name!r}, outside itself, and is refused")
    if not (member.isreg() or member.isdir()):
        raise DataError(
            f"{path} holds {member.name!r}, a link or device, and is refused: give plain files"
        )
