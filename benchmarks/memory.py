"""The memory of regions: what shrinking keeps, and what an insertion costs.

`python benchmarks/memory.py --out benchmarks/results/memory.json`: fifteen minutes, two cores.

* Kept: anisotropic regions found for real images and the demo network, by our default ascent and
  by a long one without the cap. Two of different classes seldom meet as certified, so the gaps of
  every pair are raised until both reach `overlaps` times as far as where they touch. Then the new
  one is shrunk in its own shape, and beside it stands the rule of the published scripts: a ball
  around the new input, as large as the old region and the new one's shortest semi-axis allow. Both
  are measured by the proxy radius.
* Cost: insertions into a filled memory, in RAM and in the file, by regions and by dimension.
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from machine import keep
from others import watched

import aniso_jax as aj
from aniso_jax.geometry.axes import semi_axes, thetas
from aniso_jax.geometry.separation import Pair, separation
from aniso_jax.memory.rows import Row, write_row
from aniso_jax.memory.sqlite import transaction

ASCENTS = {
    "default": aj.default_anisotropic,
    "long": aj.VolumeAscent(steps=100, n=100, learning_rate=0.2, kappa=0.0, reach=float("inf")),
}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Measure the memory and keep the numbers as JSON."""

    out: Path
    """The file to write."""

    images: int = 60
    """Images whose regions are compared pair by pair."""

    overlaps: tuple[float, ...] = (1.05, 1.2, 1.5)
    """Both regions of a pair reach so many times as far as where they touch."""

    ascents: tuple[str, ...] = ("default", "long")
    """Searches that find the regions: our default, and 100 uncapped steps of 100 draws."""

    regions: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Stored regions, at 784 dimensions."""

    dimensions: tuple[int, ...] = (784, 3_072, 12_288, 49_152, 150_528)
    """Dimensions, with 200 stored regions."""

    file_regions: tuple[int, ...] = (1_000, 10_000)
    """Stored regions in a file, at 784 dimensions."""

    repeats: int = 7
    """Insertions, of which the median is kept."""


def main(config: Config) -> None:
    """Measure and keep."""
    others = watched()
    kept = [
        found
        for name in config.ascents
        for found in shrinking(name, config.images, config.overlaps)
    ]
    by_regions = [insertion(n, 784, config.repeats) for n in config.regions]
    by_dimension = [insertion(200, d, config.repeats) for d in config.dimensions]
    in_file = [file_insertion(n, 784, config.repeats) for n in config.file_regions]
    results = {
        "shrinking": kept,
        "insertion": by_regions,
        "dimension": by_dimension,
        "file": in_file,
        "cores_of_others": others(),
    }
    keep(config.out, "python " + " ".join(sys.argv), results)


def shrinking(ascent: str, images: int, overlaps: tuple[float, ...]) -> Iterator[dict[str, Any]]:
    """Proxy radii that the two rules leave, over all pairs of different classes."""
    found = list(real_regions(ASCENTS[ascent], images))
    pairs = [(a, b) for (a, i), (b, j) in combinations(found, 2) if i != j]
    for overlap in overlaps:
        left = [proxy_radii(*overlapping(old, new, overlap)) for old, new in pairs]
        ours, ball, own = np.array([radii for radii in left if min(radii) > 0]).T
        median, least = float(np.median(ours / ball)), float(np.min(ours / ball))
        print(f"{ascent}, overlap {overlap}: {median:.2f} times the ball", end="")
        print(f"; nothing was left of {len(pairs) - len(ours)} of {len(pairs)} pairs", flush=True)
        yield {
            "ascent": ascent,
            "overlap": overlap,
            "pairs": len(pairs),
            "with_something_left": len(ours),
            "median_ratio": median,
            "quartiles_ratio": np.quantile(ours / ball, (0.25, 0.75)).tolist(),
            "least_ratio": least,
            "median_share_of_own": float(np.median(ours / own)),
            "median_share_of_own_ball": float(np.median(ball / own)),
        }


def real_regions(ascent: aj.VolumeAscent, images: int) -> Iterator[tuple[aj.Region, int]]:
    """Certified anisotropic regions of MNIST images, and their classes."""
    data, net = aj.load_data("mnist5k"), aj.load_model("demo")
    plan = aj.plan(aj.gaussian, n=1_000)

    @jax.jit
    def one(params: Any, x: jax.Array, key: jax.Array) -> aj.Certification:
        smooth = net.apply_fn, params, x, key
        start = aj.Isotropic(sigma=jnp.float32(0.25))
        ball = aj.optimize_isotropic(*smooth, law=aj.gaussian, init=start).scale
        climb = {"law": aj.gaussian, "settings": ascent}
        scale = aj.optimize_anisotropic(*smooth, init=ball, **climb).scale
        return aj.certify(*smooth, law=aj.gaussian, scale=scale, plan=plan)

    for index in range(images):
        found = one(net.params, jnp.asarray(data.x[index]), jax.random.key(index))
        if int(found.label) >= 0:
            yield found.region, int(found.label)


def overlapping(old: aj.Region, new: aj.Region, factor: float) -> tuple[aj.Region, aj.Region]:
    """Both with gaps `factor` times as large as where they touch."""
    touching = float(_growth(old, new)) * factor
    return replace(old, gap=old.gap * touching), replace(new, gap=new.gap * touching)


def proxy_radii(old: aj.Region, new: aj.Region) -> tuple[float, float, float]:
    """What is left of `new` in its own shape, as a ball, and what there was."""
    shortest = aj.Isotropic(sigma=jnp.min(thetas(new.scale, new.center)))
    ball = replace(new, scale=shortest)
    left = _avoid(new, old), _avoid(ball, old), new
    ours, as_ball, own = (float(_proxy_radius(region)) for region in left)
    return ours, as_ball, own


def insertion(regions: int, dimension: int, repeats: int) -> dict[str, Any]:
    """Seconds of an insertion into a memory in RAM."""
    memory, rng = filled(regions, dimension), np.random.default_rng(1)
    insert = jax.jit(aj.memory_insert, donate_argnums=0)
    seconds, verdicts = [], []
    for _ in range(repeats + 1):  # the first one compiles
        new, label = random_region(rng, dimension), int(rng.integers(10))
        start = time.perf_counter()
        memory, answer = insert(memory, new, label)
        verdicts.append(aj.MemoryVerdict(int(answer.verdict)).name)
        seconds.append(time.perf_counter() - start)
    return told(regions, dimension, seconds, verdicts)


def file_insertion(regions: int, dimension: int, repeats: int) -> dict[str, Any]:
    """Seconds of an insertion into a file, flushed, by a process that has read the file before."""
    rng, bound = np.random.default_rng(2), {"law": aj.gaussian, "shape": (dimension,)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "memory.sqlite")
        with aj.memory_open(path, weights="benchmark", **bound) as memory:
            with transaction(memory.connection, path):
                for number in range(1, regions + 1):
                    write_row(memory.connection, random_row(rng, number, dimension))
            seconds, verdicts = [], []
            for _ in range(repeats + 1):  # the first one reads the file
                new, label = random_region(rng, dimension), int(rng.integers(10))
                start = time.perf_counter()
                _, logged = memory.ask(new, label, draws="benchmark")
                seconds.append(time.perf_counter() - start)
                verdicts.append(logged.verdict)
    return told(regions, dimension, seconds, verdicts)


def told(regions: int, dimension: int, seconds: list[float], verdicts: list[str]) -> dict[str, Any]:
    """One measurement, said and returned."""
    median = float(np.median(seconds[1:]))
    print(f"{regions:,} regions, d = {dimension:,}: {median * 1e3:.2f} ms", flush=True)
    return {
        "regions": regions,
        "dimension": dimension,
        "seconds": median,
        "first_seconds": seconds[0],
        "verdicts": verdicts,
    }


def filled(regions: int, dimension: int) -> aj.Memory:
    """A memory of random regions that are disjoint, with room for a few more."""
    rng, room = np.random.default_rng(0), regions + 100
    memory = aj.memory_empty(room, (dimension,), order=2)
    centers = np.zeros((room, dimension), np.float32)
    for row in centers[:regions]:
        row[:] = rng.random(dimension, np.float32)
    return replace(
        memory,
        centers=jnp.asarray(centers),
        thetas=jnp.full((room, dimension), 0.3, jnp.float32),
        gaps=jnp.full(room, 1.0, jnp.float32),
        labels=jnp.asarray(rng.integers(0, 10, room), jnp.int32),
        count=jnp.int32(regions),
    )


def random_region(rng: np.random.Generator, dimension: int) -> aj.Region:
    """A region that the cheap test cannot tell from all the others, and that a search can."""
    theta = rng.uniform(0.1, 0.5, dimension).astype(np.float32)
    return aj.Region(
        center=jnp.asarray(rng.random(dimension, np.float32)),
        scale=aj.Diagonal(theta=jnp.asarray(theta)),
        gap=jnp.float32(1.2 * (dimension / 784) ** 0.5 * 28 / 3),
        order=2,
    )


def random_row(rng: np.random.Generator, number: int, dimension: int) -> Row:
    """A region as the file holds it."""
    return Row(
        id=number,
        label=int(rng.integers(10)),
        gap=np.float32(1),
        center=rng.random(dimension, np.float32),
        theta=np.full(dimension, 0.3, np.float32),
    )


_avoid = jax.jit(aj.shrink_to_avoid)
_proxy_radius = jax.jit(lambda region: jnp.where(region.gap > 0, region.proxy_radius(), 0.0))


@jax.jit
def _growth(a: aj.Region, b: aj.Region) -> jax.Array:
    axes = semi_axes(a)
    pair = Pair(offset=(a.center - b.center) / axes, ratio=semi_axes(b) / axes, order=a.order)
    return separation(pair, enough=float("inf"))


if __name__ == "__main__":
    main(tyro.cli(Config))
