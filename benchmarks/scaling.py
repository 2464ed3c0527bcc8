"""Whole runs: what more processes do in the same time, and what memory more inputs take.

`python benchmarks/scaling.py --out benchmarks/results/scaling.json` certifies equally many inputs
for each process (weak scaling), as shards of a run and as actors of Ray, with one thread each.
Starting and compiling are what a run of one part for each process takes, and are taken off. Then
the peak memory of a process that certifies few inputs, and many.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Literal

import tyro
from machine import keep
from pipelines.measures import spread

from aniso_jax.runs.layout import PART

Engine = Literal["shards", "ray"]
_PEAK = """
import json, sys
sys.path.insert(0, {here!r})
from aniso_jax.cli import main
from peak_memory import peak_mib
main({words!r})
print(json.dumps(peak_mib()))
"""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Weak scaling of whole runs, and memory by inputs."""

    out: Path
    """The JSON file to write."""

    processes: tuple[int, ...] = (1, 2)
    """How many work at the same time; the first is what the others are compared with."""

    engines: tuple[Engine, ...] = ("shards", "ray")
    """What starts them."""

    inputs: int = 64
    """MNIST test images for each process, beside those of its first part."""

    n: int = 20_000
    """Estimation draws."""

    repeats: int = 3
    """How often each is measured, in turn."""

    memory_inputs: tuple[int, ...] = (64, 256, 1_000)
    """Inputs of one process whose peak memory is measured, with 1,000 draws each."""


def main(config: Config) -> None:
    """Measure, write, print."""
    engines = [engine for engine in config.engines if engine != "ray" or find_spec("ray")]
    for missing in set(config.engines) - set(engines):
        print(f"{missing}: skipped, since it is not installed.")
    with tempfile.TemporaryDirectory() as folder:
        fresh = (Path(folder) / f"run-{number}" for number in count())
        results = {
            "config": {**asdict(config), "out": None},
            "scaling": [row for engine in engines for row in _scaling(engine, config, fresh)],
            "memory": [_memory(inputs, next(fresh)) for inputs in config.memory_inputs],
        }
    keep(config.out, " ".join(["python", *sys.argv]), results)


def _scaling(engine: Engine, config: Config, fresh: Iterator[Path]) -> Iterator[dict[str, Any]]:
    """One row a number of processes: seconds, draws a second, and the share of the first's rate."""
    seconds: dict[int, list[float]] = {processes: [] for processes in config.processes}
    for turn in range(config.repeats + 1):  # the first one fills the compile cache
        for processes, taken in seconds.items():
            short = _seconds(engine, processes, PART * processes, config.n, next(fresh))
            all_inputs = (PART + config.inputs) * processes
            whole = _seconds(engine, processes, all_inputs, config.n, next(fresh))
            if turn:
                taken.append(whole - short)
    first = seconds[config.processes[0]]
    for processes, taken in seconds.items():
        draws = processes * config.inputs * config.n
        row = {
            "engine": engine,
            "processes": processes,
            "seconds": spread(taken),
            "draws_per_s": spread([draws / each for each in taken]),
            "efficiency": spread([one / each for one, each in zip(first, taken, strict=True)]),
        }
        print(json.dumps(row), flush=True)
        yield row


def _seconds(engine: Engine, processes: int, inputs: int, n: int, out: Path) -> float:
    """Wall time of a run, from the start of its processes to the end of the last one."""
    words = _words(inputs, n, out)
    asked = [[*words, "--engine", "ray", "--actors", str(processes)]]
    if engine == "shards":
        shards = [["--shard", f"{part + 1}/{processes}"] for part in range(processes)]
        asked = [[*words, *(shard if processes > 1 else [])] for shard in shards]
    begin = time.perf_counter()
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "aniso_jax.cli", *each],
            env={**os.environ, "NPROC": "1", "OMP_NUM_THREADS": "1"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for each in asked
    ]
    codes = [process.wait() for process in started]
    if any(codes):
        raise RuntimeError(f"A process failed: {asked}.")
    return time.perf_counter() - begin


def _memory(inputs: int, out: Path) -> dict[str, Any]:
    """Peak memory of a process that certifies so many inputs and does nothing else."""
    code = _PEAK.format(here=str(Path(__file__).parent), words=_words(inputs, 1_000, out))
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found = {"inputs": inputs, "peak_mib": float(told.stdout.splitlines()[-1])}
    print(json.dumps(found), flush=True)
    return found


def _words(inputs: int, n: int, out: Path) -> list[str]:
    data = ("--data", "mnist5k", "--model", "demo", "--limit", str(inputs))
    sizes = ("--n", str(n), "--batch", str(PART), "--chunk", "1000")
    return ["certify", *data, *sizes, "--out", str(out)]


if __name__ == "__main__":
    main(tyro.cli(Config))
