"""The published packages behind pipes: a process in their own environment that lives for a run."""

import json
import subprocess
import tempfile
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

WORKER = Path(__file__).parent / "torch_side" / "worker.py"
Arrays = dict[str, NDArray[Any]]


class Peer:
    """`with Peer(python) as peer: answer, arrays = peer.ask("certify", {...}, n=...)`."""

    def __init__(self, python: Path) -> None:
        if not python.is_file():
            raise ValueError(
                f"There is no {python}: make an environment with torch, scipy, statsmodels, tqdm, "
                "ddsmoothing-python and ancer-python (the last two without their dependencies) and "
                "give its interpreter as --peer-python."
            )
        self._folder = tempfile.TemporaryDirectory()
        self._process = subprocess.Popen(
            [str(python), str(WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def __enter__(self) -> "Peer":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.communicate()  # closes its input, on which it ends
        self._folder.cleanup()

    def ask(self, do: str, arrays: Arrays, **options: Any) -> tuple[dict[str, Any], Arrays]:
        """One request, one answer; arrays travel in a file.

        Raises:
          RuntimeError: the published code failed, or its process ended.
        """
        path = str(Path(self._folder.name) / "arrays.npz")
        np.savez(path, **arrays)  # type: ignore[arg-type]
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"do": do, "arrays": path, **options}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"The peer's process ended during {do}; its error stands above.")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"The peer's {do} failed: {answer['error']}")
        with np.load(path) as file:
            return answer, dict(file)
