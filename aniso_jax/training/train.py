"""Training for certification: weights that stay right under the noise that will certify them."""

from collections.abc import Callable
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from aniso_jax.models import checkpoint
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.epochs import Job, prepare
from aniso_jax.training.methods.table import settings_of
from aniso_jax.training.metrics import EpochMetrics
from aniso_jax.training.watch import Watch, silent


def train(
    config: TrainConfig,
    *,
    on_epoch: Callable[[EpochMetrics], None] = lambda metrics: None,
    watch: Watch = silent,
) -> checkpoint.Model:
    """Train a network and write it, with how it was made, to `config.out`.

    The file is written once, at the end. Each epoch is kept in `config.checkpoint_directory` until
    then: after an interruption the same configuration goes on from the last one and ends with the
    same bytes, as it does from the start on the same machine and versions.

    Args:
        config: data, network, noise, method, schedule, seed, files.
        on_epoch: called after each epoch that is run now.
        watch: told how many inputs are still to be seen, and of each step.

    Returns:
        The network, read back from the file.

    Raises:
        ValueError: no such network, data (a DataError) or shape; more inputs in a batch than in
            the training split; a checkpoint of another run; a loss or weights that diverged.
        Stopped: it was interrupted.
    """
    # orbax takes a second to load, and only training needs it
    from aniso_jax.training.checkpoints import discard, opened
    from aniso_jax.training.fit import fit

    job = prepare(config)
    with opened(config.checkpoint_directory) as kept:
        params, last = fit(job, kept, on_epoch, watch)
        checkpoint.save(
            config.out,
            arch=config.arch,
            arch_kwargs=job.arch_kwargs,
            params=params,
            provenance=_provenance(job, last),
        )
        discard(kept)
    return checkpoint.load(config.out)


def _provenance(job: Job, last: EpochMetrics) -> dict[str, Any]:
    """Say how the weights were made; no date, so that the bytes can be reproduced."""
    config = job.config
    return {
        "command": config.command,
        "seed": config.seed,
        "method": config.chosen_method,
        "settings": settings_of(job.recipe.method),
        "law": config.chosen_law,
        "sigma": config.sigma,
        "data": {
            "name": job.data.name,
            "train": job.data.fingerprint,
            "test": job.test.fingerprint,
        },
        "versions": {name: version(name) for name in ("jax", "jaxlib", "flax", "optax", "numpy")},
        "metrics": asdict(last),
    }
