"""`aniso-jax verify`: a run's files, then its numbers, then its data, network and draws."""

from collections.abc import Callable
from typing import TypeVar

from aniso_jax.audit.open import inputs_of, model_of
from aniso_jax.audit.verify.config import Verify
from aniso_jax.audit.verify.files import Files, read_files
from aniso_jax.audit.verify.findings import Verification, merged
from aniso_jax.audit.verify.stages import (
    against_data,
    against_network,
    of_files,
    of_records,
    of_scales,
    unopened,
)
from aniso_jax.audit.verify.stages_memory import of_memory
from aniso_jax.audit.verify.stages_replay import replayed, undrawn
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.directory import RUN_FILE
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs

Opened = TypeVar("Opened")

_UNASKED = "not asked for, give --replay"


def verify_run(config: Verify) -> Verification:
    """Doubt a run: every trouble in its files, numbers, data, network and draws.

    Guarantee: a claim that exceeds what the stored votes prove is found, whatever its size; so is
    any other number that is not what it must be, beyond the rounding that `claims`, `measures` and
    `box` state. What could not be checked is said, with the reason. Nothing is written.

    In a run with a memory each record's claim is derived from its own certificate and from the
    stored region that it names, and the stored regions of different classes are disjoint. That a
    region had to be shrunk so far is not checked: a smaller claim is as true.

    Raises:
      ValueError: there is no run; data, a network or a memory were named that are not the run's,
        or data or network are needed for --replay and cannot be found.
    """
    files = read_files(config.run, partial=config.partial)
    asked = config.replay > 0
    inputs, no_inputs = _opened(inputs_of, files.experiment, config.data, needed=asked)
    model, no_model = _opened(model_of, files.experiment, config.model, needed=asked)
    stages = [of_files(files), of_records(files), of_scales(files)]
    stages.append(of_memory(files, inputs, config.memory))
    if inputs is None:
        return merged([*stages, *unopened(files, no_inputs), undrawn(files, _UNASKED)])
    stages.append(against_data(files, inputs))
    if model is None:
        return merged([*stages, unopened(files, no_model)[1], undrawn(files, _UNASKED)])
    stages.append(against_network(files, inputs, model))
    return merged([*stages, _replay(config, files, inputs, model, merged(stages))])


def _replay(
    config: Verify, files: Files, inputs: Inputs, model: Model, so_far: Verification
) -> Verification:
    """The votes and scales once more, if asked for and if the run's grid can draw them."""
    if not config.replay:
        return undrawn(files, _UNASKED)
    if any((found.where, found.column) == (RUN_FILE, "grid") for found in so_far.findings):
        return undrawn(files, "the grid in run.json is not that of the data")
    return replayed(files, config.replay, inputs, model)


def _opened(
    open_again: Callable[[Experiment, str | None], Opened],
    experiment: Experiment,
    given: str | None,
    *,
    needed: bool,
) -> tuple[Opened | None, str]:
    """What is found, or why it is not; an error where it was named, or cannot be done without."""
    try:
        return open_again(experiment, given), ""
    except ValueError as error:
        if given is not None or needed:
            raise
        return None, str(error)
