"""A memory file doubted: every byte, every answer, and every pair of regions again in float64."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.disjoint import surely_disjoint
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rounding import slack
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.check_answers import answer_troubles
from aniso_jax.memory.sqlite import errors_said
from aniso_jax.memory.store import MemoryFile


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What a memory holds, and what it cost.

    Attributes:
      regions: stored, by class.
      answers: given, by verdict: keep, shrink, adopt, abstain.
      nats: log-volume lost by each answer that claims less than the input's own certificate.
      emptied: certificates of which nothing was left.
    """

    regions: dict[int, int]
    answers: dict[str, int]
    nats: tuple[float, ...]
    emptied: int


def overview(memory: MemoryFile) -> Overview:
    """Counts and costs of a memory, from its log."""
    ask = memory.connection.execute
    with errors_said(memory.path):
        labels = dict(ask("SELECT label, count(*) FROM regions GROUP BY label ORDER BY label"))
        verdicts = dict(ask("SELECT verdict, count(*) FROM answers GROUP BY verdict"))
        lost = ask("SELECT asked - claimed FROM answers WHERE asked IS NOT NULL").fetchall()
    nats = [found for (found,) in lost if found is not None and found > 0]
    emptied = sum(found is None for (found,) in lost)
    return Overview(regions=labels, answers=verdicts, nats=tuple(nats), emptied=emptied)


def check(memory: MemoryFile) -> list[str]:
    """Every trouble of a memory file, one sentence each; empty where it keeps what it promises.

    Pages, hashes and the order of regions and answers; that each answer claims what its region
    allows, and each stored region belongs to one answer; and that regions of different classes are
    disjoint, in float64, each one enlarged by the rounding of a membership test. The pairs take
    time that grows with the square of the number of regions.

    Raises:
      MemoryDamaged: a region or an answer is missing or was changed; the sentence names it.
    """
    with errors_said(memory.path):
        pages = memory.connection.execute("PRAGMA quick_check").fetchall()
    troubles = [f"SQLite finds: {line}." for (line,) in pages if line != "ok"]
    return [*troubles, *answer_troubles(memory), *_Rows.of(memory).meetings()]


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """All stored regions, in float64: centers and enlarged semi-axes, flattened."""

    centers: NDArray[np.float64]
    axes: NDArray[np.float64]
    labels: NDArray[np.int64]
    order: int

    @classmethod
    def of(cls, memory: MemoryFile) -> "_Rows":
        """Read a memory; every region is checked against its hash on the way."""
        size = int(np.prod(memory.binding.shape))
        grown = 1 + 2 * slack(jnp.dtype(np.float32), size)
        none = np.empty((0, size))
        parts: list[tuple[Any, Any, Any]] = [(none, none, np.empty(0, np.int32))]
        for block in memory.blocks():
            used = int(block.count)
            gaps = np.asarray(block.gaps, np.float64)[:used, None] * grown
            thetas = np.asarray(block.thetas, np.float64)[:used].reshape(used, -1)
            centers = np.asarray(block.centers, np.float64)[:used].reshape(used, -1)
            parts.append((centers, gaps * thetas, np.asarray(block.labels)[:used]))
        centers, axes, labels = (np.concatenate(column) for column in zip(*parts, strict=True))
        return cls(centers=centers, axes=axes, labels=labels, order=memory.binding.order)

    def meetings(self) -> Iterator[str]:
        """Pairs of different classes that are not proved disjoint."""
        for new in range(len(self.labels)):
            rivals = np.flatnonzero(self.labels[:new] != self.labels[new])
            for old in rivals[~self._apart(new, rivals)]:
                if not self._proved(int(old), new):
                    classes = f"{self.labels[old]} and {self.labels[new]}"
                    yield f"Regions {old + 1} and {new + 1}, of classes {classes}, may meet."

    def _apart(self, new: int, rivals: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether s = 1/2 proves it."""
        delta = np.abs(self.centers[rivals] - self.centers[new])
        old, axes = self.axes[rivals], self.axes[new]
        if self.order == 1:
            dual = np.sum(delta / np.maximum(old, axes), axis=1)
        else:
            dual = np.sum(delta**2 / (old**2 + axes**2), axis=1)
        apart: NDArray[np.bool_] = dual > 2 * (1 + 1e-9)
        return apart

    def _proved(self, old: int, new: int) -> bool:
        with jax.enable_x64(True):
            one, other = (self._region(number) for number in (old, new))
            return bool(_surely_disjoint(one, other))

    def _region(self, number: int) -> Region:
        scale = Diagonal(theta=jnp.asarray(self.axes[number]))
        center = jnp.asarray(self.centers[number])
        return Region(center=center, scale=scale, gap=jnp.ones((), center.dtype), order=self.order)


_surely_disjoint = jax.jit(surely_disjoint)
