"""Noise-augmented training: fresh noise on every input at every step (Cohen et al. 2019)."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from aniso_jax.data.dataset import Dataset
from aniso_jax.data.load import load as load_data
from aniso_jax.models import checkpoint
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.independence import Params
from aniso_jax.models.networks import build
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.steps import Progress, Recipe, accuracy, step

# What the run's key is folded with; each use has a stream of its own.
_ORDER, _STEP, _TEST = range(3)


@dataclass(frozen=True, kw_only=True)
class EpochMetrics:
    """What one epoch came to: mean training loss under noise, accuracies on the test split."""

    epoch: int
    epochs: int
    loss: float
    clean_accuracy: float
    noisy_accuracy: float

    def line(self) -> str:
        """One line for people."""
        return (
            f"epoch {self.epoch}/{self.epochs}  loss {self.loss:.4f}  "
            f"clean accuracy {self.clean_accuracy:.3f}  "
            f"accuracy under noise {self.noisy_accuracy:.3f}"
        )


def train(
    config: TrainConfig, *, on_epoch: Callable[[EpochMetrics], None] = lambda metrics: None
) -> checkpoint.Model:
    """Train a network under noise and write it, with how it was made, to `config.out`.

    The file is written once, at the end; an interrupted training leaves none. On the same machine
    and versions the same configuration gives the same bytes.

    Args:
        config: data, network, noise, schedule, seed, file.
        on_epoch: called after each epoch.

    Returns:
        The network, read back from the file.

    Raises:
        ValueError: no such network, data (a DataError) or shape; more inputs in a batch than in
            the training split; weights that diverged (a CheckpointError).
    """
    data, test = (load_data(config.data, split=split) for split in ("train", "test"))
    kwargs = _arch_kwargs(data)
    model = build(config.arch, **kwargs, rngs=nnx.Rngs(config.seed))
    recipe, params = _recipe(config, model, data)
    params, last = _fit(config, recipe, params, data, test, on_epoch)
    provenance = _provenance(config, data, test, last)
    checkpoint.save(
        config.out, arch=config.arch, arch_kwargs=kwargs, params=params, provenance=provenance
    )
    return checkpoint.load(config.out)


def _arch_kwargs(data: Dataset) -> dict[str, Any]:
    """Describe the network's inputs: shape, classes, and the data's mean and std by channel."""
    axes = tuple(range(data.x.ndim - 1))
    mean, std = data.x.mean(axes, np.float64), data.x.std(axes, np.float64)
    return {
        "shape": list(data.shape),
        "classes": len(data.classes),
        "mean": [round(float(value), 4) for value in mean],
        # A channel that never changes carries nothing; 1 leaves its noise as it is.
        "std": [round(float(value), 4) or 1.0 for value in std],
    }


def _recipe(config: TrainConfig, model: nnx.Module, data: Dataset) -> tuple[Recipe, Params]:
    """Fix the static side of training, and the first weights."""
    if config.shift and len(data.shape) != 3:
        raise ValueError(
            f"shift is {config.shift}, but {config.data} has inputs of shape {data.shape}; "
            "only images can be shifted, leave it 0."
        )
    if config.batch > len(data):
        raise ValueError(
            f"batch is {config.batch}, but {config.data} has {len(data)} training inputs; "
            "give a smaller batch."
        )
    apply_fn, params = from_nnx(model, example=jnp.asarray(data.x[0]))
    recipe = Recipe(
        apply_fn=apply_fn,
        law=LAWS[config.law],
        sigma=config.sigma,
        shift=config.shift,
        lr=config.lr,
        weight_decay=config.weight_decay,
        steps=config.epochs * (len(data) // config.batch),
    )
    return recipe, params


def _fit(
    config: TrainConfig,
    recipe: Recipe,
    params: Params,
    data: Dataset,
    test: Dataset,
    on_epoch: Callable[[EpochMetrics], None],
) -> tuple[Params, EpochMetrics]:
    """Train for all epochs; return the last weights and metrics."""
    key = jax.random.key(config.seed)
    x, y = jnp.asarray(data.x), jnp.asarray(data.y)
    progress = params, recipe.optimizer.init(params)
    for epoch in range(config.epochs):
        progress, loss = _one_epoch(recipe, progress, x, y, key, epoch, config.batch)
        clean, noisy = _accuracies(recipe, progress[0], test, key)
        metrics = EpochMetrics(
            epoch=epoch + 1,
            epochs=config.epochs,
            loss=loss,
            clean_accuracy=clean,
            noisy_accuracy=noisy,
        )
        on_epoch(metrics)
    return progress[0], metrics


def _accuracies(recipe: Recipe, params: Params, test: Dataset, key: Array) -> tuple[float, float]:
    """Accuracy on the test split, clean and under the training noise."""
    x, y = jnp.asarray(test.x), jnp.asarray(test.y)
    test_key = _stream(key, _TEST, 0)
    clean, noisy = (
        accuracy(recipe.apply_fn, params, x, y, law=recipe.law, sigma=sigma, key=test_key)
        for sigma in (0.0, recipe.sigma)
    )
    return clean, noisy


def _one_epoch(
    recipe: Recipe, progress: Progress, x: Array, y: Array, key: Array, epoch: int, batch: int
) -> tuple[Progress, float]:
    """Step through all inputs once, in a fresh order; a last ragged batch waits for the next."""
    order = jax.random.permutation(_stream(key, _ORDER, epoch), len(x))
    steps = len(x) // batch
    losses = []
    for i in range(steps):
        rows = order[i * batch : (i + 1) * batch]
        step_key = _stream(key, _STEP, epoch * steps + i)
        progress, loss = step(recipe, progress, x[rows], y[rows], step_key)
        losses.append(loss)
    return progress, float(jnp.mean(jnp.stack(losses)))


def _stream(key: Array, use: int, index: int) -> Array:
    """Derive the key of one use at one place."""
    return jax.random.fold_in(jax.random.fold_in(key, use), index)


def _provenance(
    config: TrainConfig, data: Dataset, test: Dataset, last: EpochMetrics
) -> dict[str, Any]:
    """Say how the weights were made; no date, so that the bytes can be reproduced."""
    return {
        "command": config.command,
        "seed": config.seed,
        "law": config.law,
        "sigma": config.sigma,
        "data": {"name": data.name, "train": data.fingerprint, "test": test.fingerprint},
        "versions": {name: version(name) for name in ("jax", "jaxlib", "flax", "optax", "numpy")},
        "metrics": asdict(last),
    }
