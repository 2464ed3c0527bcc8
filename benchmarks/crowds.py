"""Stores with a crowd in them, and new regions that meet none, ten or a thousand of it.

Most stored regions lie far away: one glance proves them disjoint. A thousand long ones surround one
point, which their gauges put at 1.2, so that a glance decides none of them. Ten have class 0 and
the others class 2: a new region of class 2 there has ten undecided neighbours, one of class 1 all.
The crowd's own regions overlap, as those of a memory that was filled by its rules would not.
"""

from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import aniso_jax as aj
from aniso_jax.memory.rows import Row

CROWD, FEW = 1_000, 10
SMALL, LARGE = 1e-3, 3.0
"""Gaps of new regions: disjoint from all of the crowd, and reaching into most of it."""

KINDS = {
    "alone": (1, SMALL),
    "few, KEEP": (2, SMALL),
    "few, SHRINK": (2, LARGE),
    "crowd, KEEP": (1, SMALL),
    "crowd, SHRINK": (1, LARGE),
}
"""Class and gap of a new region."""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """A store as arrays, and the points around which questions are asked."""

    centers: NDArray[np.float32]
    thetas: NDArray[np.float32]
    labels: NDArray[np.int32]
    crowded: NDArray[np.float32]
    lonely: NDArray[np.float32]
    order: int

    def memory(self, room: int) -> aj.Memory:
        """In RAM, with room for some more."""
        empty = aj.memory_empty(1, self.crowded.shape, order=self.order)

        def padded(values: NDArray, fill: float) -> jnp.ndarray:
            rest = np.full((room, *values.shape[1:]), fill, values.dtype)
            return jnp.asarray(np.concatenate([values, rest]))

        return type(empty)(
            centers=padded(self.centers, 0),
            thetas=padded(self.thetas, 1),
            gaps=padded(np.ones(len(self.labels), np.float32), 0),
            log_dets=padded(np.log(self.thetas).sum(axis=1, dtype=np.float32), 0),
            labels=padded(self.labels, -1),
            count=jnp.int32(len(self.labels)),
            order=self.order,
        )

    def row(self, index: int) -> Row:
        """A region as the file holds it."""
        return Row(
            id=index + 1,
            label=int(self.labels[index]),
            gap=np.float32(1),
            center=self.centers[index],
            theta=self.thetas[index],
        )

    def new(self, kind: str, seed: int) -> tuple[aj.Region, int]:
        """A region a fifth away from a point, out of those stored for other seeds; its class."""
        (label, gap), rng = KINDS[kind], np.random.default_rng(seed)
        near = self.lonely if kind == "alone" else self.crowded
        step = rng.standard_normal(near.shape)
        step *= 0.2 / np.linalg.norm(step, self.order)
        theta = jnp.ones(near.shape, jnp.float32)
        region = aj.Region(
            center=jnp.asarray(near + step, jnp.float32),
            scale=aj.Diagonal(theta=theta),
            gap=jnp.float32(gap),
            order=self.order,
        )
        return region, label


def stored(regions: int, dimension: int, order: int) -> Stored:
    """So many regions: the crowd first, those far away after it."""
    rng, crowd = np.random.default_rng(0), min(CROWD, regions)
    crowded, lonely = rng.random((2, dimension), np.float32)
    centers = np.empty((regions, dimension), np.float32)
    thetas = np.full((regions, dimension), 0.3, np.float32)
    for center, theta in zip(centers[:crowd], thetas[:crowd], strict=True):
        theta[:] = np.exp(rng.normal(0, 0.7, dimension))
        away = rng.standard_normal(dimension)
        center[:] = crowded + 1.2 * away / np.linalg.norm(away, order) * theta
    for center in centers[crowd:]:
        center[:] = rng.random(dimension, np.float32)
    labels = np.where(np.arange(regions) < FEW, 0, 2).astype(np.int32)
    return Stored(
        centers=centers,
        thetas=thetas,
        labels=labels,
        crowded=crowded,
        lonely=lonely,
        order=order,
    )
