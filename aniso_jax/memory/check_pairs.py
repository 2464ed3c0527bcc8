"""Every pair of stored regions of different classes again in float64, two blocks at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.disjoint import surely_disjoint
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rounding import slack
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.registry import Memory
from aniso_jax.memory.store import MemoryFile


def compared(memory: MemoryFile) -> Iterator[tuple[int, list[str]]]:
    """(regions compared with all before them, pairs among these that may meet), block by block.

    The file is read again for every block, so that two blocks are held, whatever it holds; every
    region is checked against its hash on the way.
    """
    before = 0
    for block in memory.blocks():
        new = _Rows.of(block, before)
        yield new.end, [trouble for old in _up_to(memory, new) for trouble in new.meetings(old)]
        before = new.end


def _up_to(memory: MemoryFile, new: "_Rows") -> Iterator["_Rows"]:
    """The blocks before these rows, and they themselves."""
    before = 0
    for block in memory.blocks():
        if before == new.before:
            break
        old = _Rows.of(block, before)
        yield old
        before = old.end
    yield new


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """A block's regions in float64, flattened: centers, enlarged semi-axes; regions before it."""

    centers: NDArray[np.float64]
    axes: NDArray[np.float64]
    labels: NDArray[np.int64]
    order: int
    before: int

    @classmethod
    def of(cls, block: Memory, before: int) -> "_Rows":
        used = int(block.count)
        thetas = np.asarray(block.thetas, np.float64)[:used].reshape(used, -1)
        grown = 1 + 2 * slack(jnp.dtype(np.float32), thetas.shape[1])
        return cls(
            centers=np.asarray(block.centers, np.float64)[:used].reshape(used, -1),
            axes=np.asarray(block.gaps, np.float64)[:used, None] * grown * thetas,
            labels=np.asarray(block.labels, np.int64)[:used],
            order=block.order,
            before=before,
        )

    @property
    def end(self) -> int:
        """Regions up to the last one of these."""
        return self.before + len(self.labels)

    def meetings(self, old: "_Rows") -> Iterator[str]:
        """Pairs of these and earlier ones, of different classes, that are not proved disjoint."""
        for row, label in enumerate(self.labels):
            earlier = old.labels[: self.before + row - old.before]
            rivals = np.flatnonzero(earlier != label)
            for rival in rivals[~self._apart(row, old, rivals)]:
                if not _proved(self._region(row), old._region(rival)):
                    numbers = f"{old.before + rival + 1} and {self.before + row + 1}"
                    classes = f"{old.labels[rival]} and {label}"
                    yield f"Regions {numbers}, of classes {classes}, may meet."

    def _apart(self, row: int, old: "_Rows", rivals: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether s = 1/2 proves it."""
        delta = np.abs(old.centers[rivals] - self.centers[row])
        theirs, axes = old.axes[rivals], self.axes[row]
        if self.order == 1:
            dual = np.sum(delta / np.maximum(theirs, axes), axis=1)
        else:
            dual = np.sum(delta**2 / (theirs**2 + axes**2), axis=1)
        apart: NDArray[np.bool_] = dual > 2 * (1 + 1e-9)
        return apart

    def _region(self, row: int) -> Region:
        with jax.enable_x64(True):
            scale = Diagonal(theta=jnp.asarray(self.axes[row]))
            center, gap = jnp.asarray(self.centers[row]), jnp.ones((), np.float64)
        return Region(center=center, scale=scale, gap=gap, order=self.order)


def _proved(one: Region, other: Region) -> bool:
    with jax.enable_x64(True):
        return bool(_surely_disjoint(one, other))


_surely_disjoint = jax.jit(surely_disjoint)
