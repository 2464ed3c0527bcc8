"""The epochs of a run, each kept when it is done, so that the run can go on."""

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import jax
import numpy as np

from aniso_jax.models.independence import Params
from aniso_jax.models.tensors import flatten, not_finite
from aniso_jax.training.checkpoints import Manager, discard, keep, resumed
from aniso_jax.training.epochs import TEST, Job, one_epoch, stream
from aniso_jax.training.evaluate import evaluate
from aniso_jax.training.metrics import EpochMetrics, write_lines
from aniso_jax.training.options import options, without_places
from aniso_jax.training.watch import Watch


class Stopped(KeyboardInterrupt):
    """A training was interrupted; the message says what is kept and how to go on."""


def fit(
    job: Job, kept: Manager, on_epoch: Callable[[EpochMetrics], None], watch: Watch
) -> tuple[Params, EpochMetrics]:
    """Run the epochs that are missing; return the last weights and metrics.

    Raises:
        ValueError: what is kept is of another run; the loss or the weights diverged.
        Stopped: it was interrupted; the epochs that were done are kept.
    """
    run = determined_by(job)
    progress, history = resumed(kept, run, job.start)
    progress = jax.device_put(progress, job.place.everywhere)
    epochs = range(len(history), job.config.epochs)
    watch.start(len(epochs) * job.steps * job.config.batch)
    try:
        for epoch in epochs:
            progress, means = one_epoch(job, progress, epoch, watch.inputs)
            _check_finite(progress[0], means["loss"], epoch, kept)
            history.append(_metrics(job, progress[0], epoch, means))
            keep(kept, run, progress, history)
            write_lines(job.config.metrics_file, history)
            on_epoch(history[-1])
    except KeyboardInterrupt as stop:
        raise Stopped(_how_to_go_on(job, kept)) from stop
    return progress[0], history[-1]


def determined_by(job: Job) -> dict[str, Any]:
    """Everything that the weights follow from: options, data, versions, devices."""
    named = without_places(options(job.config)) | {"devices": job.place.count}
    data = {"training split": job.data.fingerprint, "test split": job.test.fingerprint}
    made_with = {name: version(name) for name in ("jax", "jaxlib", "optax")}
    return {**named, **data, **made_with, "device": jax.devices()[0].device_kind}


def _metrics(job: Job, params: Params, epoch: int, means: dict[str, float]) -> EpochMetrics:
    parts = {name: mean for name, mean in means.items() if name != "loss"}
    law, sigma, key = job.recipe.law, job.config.sigma, stream(job.config.seed, TEST, 0)
    return EpochMetrics(
        epoch=epoch + 1,
        epochs=job.config.epochs,
        loss=means["loss"],
        parts=parts,
        **evaluate(job.apply_fn, params, job.test, law=law, sigma=sigma, key=key),
    )


def _check_finite(params: Params, loss: float, epoch: int, kept: Manager) -> None:
    """Refuse to go on from what diverged; going back would diverge again, so nothing is kept."""
    weights = {name: np.asarray(value) for name, value in flatten(params).items()}
    if np.isfinite(loss) and not not_finite(weights):
        return
    discard(kept)
    raise ValueError(
        f"Training diverged in epoch {epoch + 1}: the loss or a weight is NaN or infinite; "
        "train again with a smaller --lr."
    )


def _how_to_go_on(job: Job, kept: Manager) -> str:
    done = kept.latest_step() or 0
    if not done:
        return "Stopped before the first epoch was done; the same command starts again."
    return (
        f"Stopped: {done} of {job.config.epochs} epochs are done and kept in {kept.directory}; "
        "run the same command again to go on."
    )
