"""What was compiled is kept for the next process: another shard, or the same run going on."""

import contextlib
import hashlib
import os
import platform
from pathlib import Path

import jax

from aniso_jax.runs.on_ray.settings import threads_here

_MOST = 2**30  # bytes of compiled programs


def keep_compiled() -> None:
    """Keep what takes a second to compile in the user's cache, unless JAX was told where.

    JAX keys it by program, versions and flags; here each kind of processor and number of threads
    has a folder, since code is compiled for these. Together they hold a gibibyte and what one
    process adds. Where nothing can be kept, nothing is.
    """
    if jax.config.values["jax_compilation_cache_dir"] is not None:
        return
    with contextlib.suppress(OSError, RuntimeError):  # no such place, no home
        folder = _cache() / "aniso-jax" / _kind()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            jax.config.update("jax_compilation_cache_dir", str(folder))
            forget_oldest(folder.parent, most=_MOST)


def forget_oldest(root: Path, *, most: int) -> None:
    """Where files hold more than `most` bytes, delete the oldest until half of that is left.

    JAX has a limit of its own, but a process killed between two writes leaves it unable to write
    any more. A file that is gone is compiled again.
    """
    found = []
    for path in root.rglob("*"):
        with contextlib.suppress(OSError):  # another process deletes as well
            if path.is_file():
                found.append((path.stat().st_mtime, path.stat().st_size, path))
    left = sum(size for _, size, _ in found)
    if left <= most:
        return
    for _, size, path in sorted(found):
        if left > most // 2:
            path.unlink(missing_ok=True)
            left -= size


def processor() -> str:
    """A CPU's model: code is compiled for it."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def _cache() -> Path:
    asked = os.environ.get("XDG_CACHE_HOME")
    return Path(asked) if asked else Path.home() / ".cache"


def _kind() -> str:
    return f"{hashlib.sha256(processor().encode()).hexdigest()[:12]}-{threads_here()}"
