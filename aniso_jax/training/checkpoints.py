"""The state after the last whole epoch, kept by orbax until the network is written.

A checkpoint is written under a temporary name and renamed; the one before it goes only then. It
holds the weights, optax's state, the metrics so far and everything that the rest follows from.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import jax
import numpy as np
import orbax.checkpoint as ocp

from aniso_jax.models.tensors import flatten, like
from aniso_jax.training.metrics import EpochMetrics
from aniso_jax.training.options import first_difference
from aniso_jax.training.steps import Progress

Manager: TypeAlias = ocp.CheckpointManager


@contextmanager
def opened(directory: Path) -> Iterator[Manager]:
    """The checkpoints of a directory, made where it is missing; one without any is removed."""
    settings = ocp.CheckpointManagerOptions(
        max_to_keep=1,
        cleanup_tmp_directories=True,
        enable_async_checkpointing=False,
        save_root_metadata=False,
    )
    directory.mkdir(parents=True, exist_ok=True)
    try:
        with Manager(directory.absolute(), options=settings) as manager:
            yield manager
    finally:
        with suppress(OSError):  # it is not empty: something is kept there
            directory.rmdir()


def keep(
    manager: Manager, run: Mapping[str, Any], progress: Progress, history: Sequence[EpochMetrics]
) -> None:
    """Keep the state after an epoch, instead of that after the one before."""
    said = {"run": dict(run), "history": [asdict(metrics) for metrics in history]}
    items = ocp.args.Composite(
        state=ocp.args.StandardSave(_tensors(progress)), said=ocp.args.JsonSave(said)
    )
    manager.save(len(history), args=items)


def resumed(
    manager: Manager, run: Mapping[str, Any], start: Progress
) -> tuple[Progress, list[EpochMetrics]]:
    """The state that is kept, or the start where nothing is.

    Raises:
        ValueError: what is kept is of another run, or cannot be read.
    """
    epoch = manager.latest_step()
    if epoch is None:
        return start, []
    items = ocp.args.Composite(
        state=ocp.args.StandardRestore(_tensors(start)), said=ocp.args.JsonRestore()
    )
    said = _read(manager, epoch, ocp.args.Composite(said=ocp.args.JsonRestore()))["said"]
    if different := first_difference(said["run"], run):
        raise ValueError(
            f"{manager.directory} holds the training of another run: {different}; give the same "
            "options to go on, or another --checkpoint, or remove it."
        )
    state = _read(manager, epoch, items)["state"]
    return like(start, state), [EpochMetrics(**each) for each in said["history"]]


def discard(manager: Manager) -> None:
    """Remove all that is kept."""
    for epoch in manager.all_steps():
        manager.delete(epoch)


def _read(manager: Manager, epoch: int, items: Any) -> Any:
    try:
        return manager.restore(epoch, args=items)
    except (ValueError, KeyError, OSError) as error:
        raise ValueError(
            f"{manager.directory} holds no checkpoint that can be read ({type(error).__name__}); "
            "remove it to start again, or give another --checkpoint."
        ) from error


def _tensors(progress: Progress) -> dict[str, np.ndarray[Any, Any]]:
    """Weights and optimiser by name, on the host."""
    return {name: np.asarray(jax.device_get(leaf)) for name, leaf in flatten(progress).items()}
