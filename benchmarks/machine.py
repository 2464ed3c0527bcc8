"""What every benchmark says beside its numbers, and how it keeps them."""

import json
import os
import platform
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax


def machine() -> dict[str, Any]:
    """The device and the versions that a measurement is about."""
    return {
        "device": f"{jax.devices()[0].platform}: {jax.devices()[0].device_kind}",
        "cores": len(os.sched_getaffinity(0)),
        "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        **{name: version(name) for name in ("jax", "jaxlib", "flax", "numpy", "scipy")},
    }


def keep(path: Path, command: str, results: Any) -> None:
    """Write the results as JSON, with the command that made them and the machine."""
    content = {"command": command, "machine": machine(), "results": results}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(without_folders(json.dumps(content, indent=1)) + "\n")
    print(f"The results are in {path}.")


def without_folders(text: str) -> str:
    """The text with every absolute path cut down to its name: where files lie is no result.

    >>> without_folders("--out a/b.json --weights /home/me/w.safetensors")
    '--out a/b.json --weights .../w.safetensors'
    """
    return re.sub(r'(?<=["\s:=])/(?:[^/\s"]+/)+', ".../", text)
