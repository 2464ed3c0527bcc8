"""`aniso-jax memory`: what a memory file holds, whether it keeps its promise, what it answers."""

import math
from collections.abc import Iterator

import jax
import jax.numpy as jnp

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.memory.binding import Binding
from aniso_jax.memory.check import Overview, checked, overview
from aniso_jax.memory.cost import cost_said
from aniso_jax.memory.opening import memory_viewed
from aniso_jax.memory.store import MemoryFile
from aniso_jax.runs.inputs import read_inputs
from aniso_jax.runs.memory_config import MemoryCommand

_ORDER = ("keep", "shrink", "adopt", "abstain")
_MOST = 12
"""Classes that are shown, those with most regions."""


def memory_lines(config: MemoryCommand) -> Iterator[str]:
    """The lines that the command prints, each as soon as it is known.

    Raises:
      FileExistsError: the file that a copy is to be.
      ValueError: no memory file, a damaged one, or a `check` that found a trouble; data of another
        shape than the memory's.
    """
    with memory_viewed(config.file) as memory:
        if config.action == "show":
            yield from _shown(memory.binding, overview(memory))
        elif config.action == "query":
            yield from _answers(config, memory)
        elif config.to is not None:
            memory.copy(config.to)
            yield f"{memory.count()} regions copied to {config.to}."
        else:
            yield from _checked(memory)


def _shown(bound: Binding, seen: Overview) -> Iterator[str]:
    yield f"network {bound.weights[:23]}, law {bound.law} (l{bound.order}), alpha {bound.alpha}"
    yield f"inputs of shape {bound.shape}; number {bound.number}"
    largest = sorted(seen.regions.items(), key=lambda of: -of[1])[:_MOST]
    classes = ", ".join(f"{label}: {count}" for label, count in sorted(largest))
    classes += f", and {len(seen.regions) - _MOST} more" * (len(seen.regions) > _MOST)
    yield f"{sum(seen.regions.values())} regions" + (
        f" (class: regions; {classes})" * bool(classes)
    )
    answers = ", ".join(f"{seen.answers.get(name, 0)} {name}" for name in _ORDER)
    yield f"{sum(seen.answers.values())} answers about {seen.inputs} inputs: {answers}"
    yield "(not counted: what query and memory_certify answered from stored regions alone)"
    yield cost_said(seen.nats, math.prod(bound.shape))


def _checked(memory: MemoryFile) -> Iterator[str]:
    troubles, done = [], 0
    for done, found in checked(memory):
        troubles += found
        if 0 < done < memory.count():
            yield f"{done:,} of {memory.count():,} regions compared with all before them"
    if troubles:
        more = f" (and {len(troubles) - 1} more)" * (len(troubles) > 1)
        raise ValueError(f"{memory.path} does not keep its promise: {troubles[0]}{more}")
    yield (
        f"{done} regions: pages, hashes and answers are whole, and regions of different "
        "classes are disjoint (in float64)."
    )


def _answers(config: MemoryCommand, memory: MemoryFile) -> Iterator[str]:
    inputs = read_inputs(config.selection)
    shape = inputs.data.x.shape[1:]
    if shape != memory.binding.shape:
        raise ValueError(
            f"The inputs of {inputs.data.name} have shape {shape}, the memory is about "
            f"{memory.binding.shape}: give the data it was made with."
        )
    yield "\t".join(("index", "label", "answer", "region", "radius", "proxy_radius"))
    for index in inputs.indices:
        answer = memory.query(jnp.asarray(inputs.data.x[index]))
        label, number = int(answer.label), int(answer.index)
        found = "ABSTAIN" if label == ABSTAIN else str(label)
        radii = _radius(answer.region), _proxy_radius(answer.region)
        sizes = [f"{math.floor(float(size) * 1e4) / 1e4:.4f}" for size in radii]
        region = "-" if number == ABSTAIN else str(number)
        yield "\t".join((str(index), str(inputs.data.y[index]), found, region, *sizes))


_radius = jax.jit(lambda region: region.radius())
_proxy_radius = jax.jit(lambda region: jnp.where(region.gap > 0, region.proxy_radius(), 0.0))
