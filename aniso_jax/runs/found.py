"""What a search has found so far, kept beside the file that it will write."""

import contextlib
import io
import json
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aniso_jax.records.lock import sole_writer
from aniso_jax.storage.atomic import full_disk_said, remove_leftovers, write_atomically

SEARCH_FILE = "search.json"

Float32 = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A directory with one file for each batch that was searched, whole or not there.

    Attributes:
      directory: beside the file that the search will write.
    """

    directory: Path

    def read(self, batch: int) -> tuple[Float32, Float32] | None:
        """Theta and sigma of a batch; None where it has to be searched, or searched again."""
        path = self._path(batch)
        if not path.exists():
            return None
        try:
            with np.load(path, allow_pickle=False) as arrays:
                return arrays["theta"], arrays["sigma"]
        except (ValueError, KeyError, OSError, EOFError, zipfile.BadZipFile) as error:
            warnings.warn(f"{path} is torn ({error}). It is searched again now.", stacklevel=2)
            return None

    def write(self, batch: int, theta: Float32, sigma: Float32) -> None:
        """Keep what was found for a batch."""
        buffer = io.BytesIO()
        np.savez(buffer, theta=theta, sigma=sigma)
        write_atomically(self._path(batch), buffer.getvalue())

    def _path(self, batch: int) -> Path:
        return self.directory / f"batch-{batch:05d}.npz"


@contextlib.contextmanager
def kept_beside(out: Path, asked: Mapping[str, str]) -> Iterator[Kept]:
    """What the search that will write `out` has found, and may add to, while the block runs.

    Args:
      asked: what the search is, by name; all that what it finds depends on.

    Raises:
      ValueError: another search left its batches there; what differs is named.
      RunBusy: another process searches.
      DiskFull: there is no room.
    """
    directory = out.with_name(f"{out.name}.unfinished")
    with full_disk_said(directory):
        directory.mkdir(exist_ok=True)
    with sole_writer(directory):
        _check_same(directory, asked)
        remove_leftovers(directory)
        yield Kept(directory=directory)


def _check_same(directory: Path, asked: Mapping[str, str]) -> None:
    path = directory / SEARCH_FILE
    if not path.exists():
        write_atomically(path, json.dumps(dict(asked), indent=2, sort_keys=True).encode())
    try:
        there = dict(json.loads(path.read_bytes()))
    except (ValueError, TypeError) as error:
        raise ValueError(f"{path} is damaged ({error}): delete {directory}.") from error
    odd = [
        f"{name}: it has {there.get(name, 'none')}, you asked for {asked.get(name, 'none')}"
        for name in sorted({*there, *asked})
        if there.get(name) != asked.get(name)
    ]
    if odd:
        raise ValueError(
            f"{directory} holds what another search found ({'; '.join(odd)}): delete it, or give "
            "the options with which that search was started."
        )
