"""Results are files of their own: written whole, and never over another by accident."""

from pathlib import Path

from aniso_jax.storage.atomic import write_atomically


def write_result(path: str | Path, content: bytes, *, overwrite: bool = False) -> Path:
    """Write `content` to `path`, whole or not at all, and return the path.

    Raises `FileExistsError` where `path` exists and `overwrite` is not True,
    `FileNotFoundError` where its folder is missing, `DiskFull` where there is no room.
    """
    target = Path(path)
    if target.exists() and not overwrite:
        raise FileExistsError(f"{target} exists; choose another name or ask to overwrite it")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{target.parent} is not a folder; make it first")
    write_atomically(target, content)
    return target
