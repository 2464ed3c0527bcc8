"""A finished run put through a memory: its votes and scales in order, with nothing drawn again."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from aniso_jax.models.checkpoint import Model, load
from aniso_jax.records.directory import check_run, read_experiment
from aniso_jax.records.experiment import Experiment
from aniso_jax.records.parts import read_part
from aniso_jax.runs.config import Certify
from aniso_jax.runs.inputs import Inputs, read_inputs
from aniso_jax.runs.named_memory import named_memory
from aniso_jax.runs.remember import remembering
from aniso_jax.runs.runner import PartDone, PartResult, run_parts, split_parts
from aniso_jax.runs.watch import Watch, silent


def refold_run(config: Certify, finished: Path, *, watch: Watch = silent) -> Experiment:
    """Fold the records of a run without a memory into one, and write the run that has it.

    Args:
      config: as for `certify_run`, with a memory; `out` is the run that is written.
      finished: the whole run of the same configuration without the memory.

    Guarantee: what is written has the bytes that `certify_run(config)` writes, since a memory
    changes no draw and no scale; only the times differ. Stopped at any moment, the same call goes
    on; called again, it changes nothing.

    Raises:
      ValueError: the data or the network are not those of `finished`; another run in `out`; a
        memory that refuses, or is not the one that the run was begun with.
      Interrupted: Ctrl-C; finished parts are kept.
    """
    alone, inputs = read_experiment(finished), read_inputs(config)
    model = load(config.model, dtype=config.dtype)
    _check_same(alone, inputs, model, finished)
    named = named_memory(config.memory, config.out)
    experiment = replace(alone, memory=str(named))
    parts = split_parts(inputs.indices, alone.part_size)
    check_run(config.out, experiment)
    read = partial(_read, finished, alone, parts)

    def tell(done: PartDone) -> None:
        watch.part(done)
        if done.fresh:
            watch.inputs(len(done.table))

    with remembering(read, named, config.out, experiment, inputs, model.params) as compute:
        watch.start(len(inputs.indices))
        run_parts(config.out, experiment, parts, compute, on_part=tell)
    return experiment


def _read(
    finished: Path, alone: Experiment, parts: Sequence[np.ndarray], missing: Sequence[np.ndarray]
) -> Iterator[tuple[int, PartResult]]:
    """The records of the missing parts, where others would compute them; they took no time."""
    number = {int(indices[0]): part for part, indices in enumerate(parts)}
    for at, indices in enumerate(missing):
        yield at, PartResult(read_part(finished, number[int(indices[0])], alone), {})


def _check_same(alone: Experiment, inputs: Inputs, model: Model, finished: Path) -> None:
    """Regions lie around the run's inputs, and speak of its network."""
    if inputs.data.fingerprint != alone.data_fingerprint:
        raise ValueError(
            f"{inputs.data.name} has the fingerprint {inputs.data.fingerprint[:16]}, {finished} "
            f"was made with {alone.data_fingerprint[:16]}: give the run's data."
        )
    if model.fingerprint != alone.model_fingerprint:
        raise ValueError(
            f"The network has the fingerprint {model.fingerprint[:16]}, {finished} was made with "
            f"{alone.model_fingerprint[:16]}: give the run's network."
        )
