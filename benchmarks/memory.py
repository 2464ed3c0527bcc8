"""The memory of regions: what shrinking keeps, and what an insertion costs.

`python benchmarks/memory.py --out benchmarks/results/memory.json`: eight minutes, two cores;
`--quick` tries all of it with small sizes in one.

* Kept: what is left of regions in their own shape, beside the published rule (`ball_rule`).
* Cost: insertions into a store, in RAM and in the file, by regions and by dimension, where a glance
  decides all of it, and where it leaves ten or a thousand regions to the search (`crowds`).
"""

import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import tyro
from ball_rule import shrinking
from crowds import KINDS, Stored, stored
from machine import keep
from others import watched

import aniso_jax as aj
from aniso_jax.memory.rows import write_row
from aniso_jax.memory.scan import look
from aniso_jax.memory.sqlite import transaction

LAWS = {1: aj.uniform, 2: aj.gaussian}


@dataclass(frozen=True, kw_only=True)
class Config:
    """Measure the memory and keep the numbers as JSON."""

    out: Path
    """The file to write."""

    images: int = 16
    """Images whose regions are compared pair by pair."""

    overlaps: tuple[float, ...] = (1.05, 1.2, 1.5)
    """Both regions of a pair reach so many times as far as where they touch."""

    regions: tuple[int, ...] = (1_000, 10_000, 100_000)
    """Stored regions, at 784 dimensions, in RAM and in a file: 627 MB for 100,000."""

    dimensions: tuple[int, ...] = (784, 3_072, 12_288, 49_152, 150_528)
    """Dimensions, with 200 stored regions: all of them undecided, or none."""

    repeats: int = 5
    """Insertions of a kind, of which the median is kept."""

    quick: bool = False
    """Small sizes: whether everything runs, and nothing about what it costs."""


QUICK = {"images": 4, "overlaps": (1.2,), "regions": (1_000,), "dimensions": (784,), "repeats": 2}


def main(config: Config) -> None:
    """Measure and keep."""
    config, others = replace(config, **QUICK) if config.quick else config, watched()
    results: dict[str, Any] = {"insertion": [], "file": [], "dimension": []}
    for order in (2, 1):
        for regions in config.regions:
            store = stored(regions, 784, order)
            costs = list(in_ram(store, KINDS, config.repeats))
            counted = {cost["kind"]: cost["undecided"] for cost in costs}
            results["insertion"] += costs
            results["file"] += in_file(store, counted, config.repeats)
        for dimension in config.dimensions:
            kinds = "alone", "crowd, KEEP", "crowd, SHRINK"
            results["dimension"] += in_ram(stored(200, dimension, order), kinds, config.repeats)
    results["shrinking"] = [
        found
        for norm in ("l2", "l1")
        for ascent in ("default", "long")
        for found in shrinking(norm, ascent, config.images, config.overlaps)
    ]
    results["cores_of_others"] = others()
    keep(config.out, "python " + " ".join(sys.argv), results)


def in_ram(store: Stored, kinds: Any, repeats: int) -> Iterator[dict[str, Any]]:
    """Seconds of an insertion into a memory in RAM, which forgets it again."""
    memory = store.memory(room=1)
    count = int(memory.count)
    for kind in kinds:
        seconds, verdicts, undecided = [], [], []
        for seed in range(repeats + 1):  # the first one compiles
            new, label = store.new(kind, seed)
            undecided.append(int(_undecided(memory, new, jnp.int32(label))))
            start = time.perf_counter()
            memory, answer = _insert(memory, new, label)
            verdicts.append(aj.MemoryVerdict(int(answer.verdict)).name)
            seconds.append(time.perf_counter() - start)
            memory = replace(memory, count=jnp.int32(count))
        yield told(store, kind, "RAM", seconds, verdicts, undecided)


def in_file(
    store: Stored, undecided: dict[str, list[int]], repeats: int
) -> Iterator[dict[str, Any]]:
    """Seconds of an insertion into a file, flushed, by a process that has read the file before.

    What it stored before comes on top of the undecided regions, which were counted in RAM.
    """
    shape, law = store.crowded.shape, LAWS[store.order]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "memory.sqlite")
        with aj.memory_open(path, weights="benchmark", law=law, shape=shape) as memory:
            with transaction(memory.connection, path):
                for index in range(len(store.labels)):
                    write_row(memory.connection, store.row(index))
            reading = time.perf_counter()
            memory.query(jnp.asarray(store.lonely))
            reading = time.perf_counter() - reading
            for kind in KINDS:
                seconds, verdicts = [], []
                for seed in range(repeats + 1):
                    new, label = store.new(kind, seed + 1_000 * list(KINDS).index(kind))
                    start = time.perf_counter()
                    _, logged = memory.ask(new, label, draws="benchmark")
                    seconds.append(time.perf_counter() - start)
                    verdicts.append(logged.verdict.upper())
                yield told(store, kind, "file", seconds, verdicts, undecided[kind]) | {
                    "reading_seconds": reading
                }


def told(
    store: Stored,
    kind: str,
    place: str,
    seconds: list[float],
    verdicts: list[str],
    undecided: list[int],
) -> dict[str, Any]:
    """One measurement, said and returned."""
    regions, dimension = store.centers.shape
    median = float(np.median(seconds[1:]))
    where = f"l{store.order}, {regions:,} regions in {place}, d = {dimension:,}, {kind}"
    left = f", {round(np.median(undecided))} undecided"
    print(f"{where}: {median * 1e3:.2f} ms{left}, {sorted(set(verdicts))}", flush=True)
    return {
        "norm": f"l{store.order}",
        "place": place,
        "regions": regions,
        "dimension": dimension,
        "kind": kind,
        "undecided": undecided,
        "seconds": median,
        "spread_seconds": [min(seconds[1:]), max(seconds[1:])],
        "first_seconds": seconds[0],
        "verdicts": verdicts,
    }


_insert = jax.jit(aj.memory_insert, donate_argnums=0)
_undecided = jax.jit(lambda *asked: jnp.sum(look(*asked).undecided))


if __name__ == "__main__":
    main(tyro.cli(Config))
