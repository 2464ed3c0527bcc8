"""What a run is made of before its first step, and one pass over the data."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jax import Array

from aniso_jax.data.dataset import Dataset
from aniso_jax.data.load import load as load_data
from aniso_jax.models.adapters import from_nnx
from aniso_jax.models.independence import ApplyFn
from aniso_jax.models.networks import build
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.training.config import TrainConfig
from aniso_jax.training.descent import Descent
from aniso_jax.training.devices import Placement, placement
from aniso_jax.training.precision import computed_in
from aniso_jax.training.steps import Progress, Recipe, step

# What the run's key is folded with; each use has a stream of its own.
ORDER, STEP, TEST = range(3)


@dataclass(frozen=True, kw_only=True)
class Job:
    """All that the steps of a run share, and where they start.

    Attributes:
        config: what was asked for.
        data, test: the two splits.
        apply_fn: the network in float32, as it is judged and will be used.
        arch_kwargs: what it was built with.
        recipe: the static side of a step.
        place: where arrays lie.
        start: first weights and optimiser state.
    """

    config: TrainConfig
    data: Dataset
    test: Dataset
    apply_fn: ApplyFn
    arch_kwargs: dict[str, Any]
    recipe: Recipe
    place: Placement
    start: Progress

    @property
    def steps(self) -> int:
        """Steps in an epoch."""
        return _steps(self.config, self.data)


def prepare(config: TrainConfig) -> Job:
    """Read the data, build the network and fix what its steps share.

    Raises:
        ValueError: no such data (a DataError) or network; data that the network, the augmentation
            or the batch do not fit.
    """
    data, test = (load_data(config.data, split=split) for split in ("train", "test"))
    kwargs = _arch_kwargs(data)
    model = build(config.arch, **kwargs, rngs=nnx.Rngs(config.seed))
    _check(config, data)
    place = placement(config.devices, config.batch)
    apply_fn, params = from_nnx(model, example=jnp.asarray(data.x[0]))
    recipe = _recipe(config, apply_fn, data)
    params = jax.device_put(params, place.everywhere)
    start = params, jax.device_put(recipe.descent.transformation.init(params), place.everywhere)
    return Job(
        config=config,
        data=data,
        test=test,
        apply_fn=apply_fn,
        arch_kwargs=kwargs,
        recipe=recipe,
        place=place,
        start=start,
    )


def one_epoch(
    job: Job, progress: Progress, epoch: int, seen: Callable[[int], None]
) -> tuple[Progress, dict[str, float]]:
    """Step through all inputs once, in a fresh order; a last ragged batch waits for the next.

    Returns the weights with optax's state, and the means of the loss and its parts.
    """
    seed, batch, data = job.config.seed, job.config.batch, job.data
    order = np.asarray(jax.random.permutation(stream(seed, ORDER, epoch), len(data)))
    found: list[dict[str, Array]] = []
    for i in range(job.steps):
        rows = order[i * batch : (i + 1) * batch]
        x, y = jax.device_put((data.x[rows], data.y[rows]), job.place.split)
        key = stream(seed, STEP, epoch * job.steps + i)
        progress, parts = step(job.recipe, progress, x, y, key, np.int32(epoch))
        found.append(parts)
        found[max(i - 1, 0)]["loss"].block_until_ready()  # one more step is queued, no others
        seen(batch)
    means = {name: float(np.mean([float(each[name]) for each in found])) for name in found[0]}
    return progress, means


def stream(seed: int, use: int, index: int) -> Array:
    """The key of one use at one place; a run that goes on draws what it would have drawn."""
    return jax.random.fold_in(jax.random.fold_in(jax.random.key(seed), use), index)


def _steps(config: TrainConfig, data: Dataset) -> int:
    return len(data) // config.batch


def _recipe(config: TrainConfig, apply_fn: ApplyFn, data: Dataset) -> Recipe:
    steps = _steps(config, data)
    descent = Descent(
        optimizer=config.optimizer,
        schedule=config.schedule,
        lr=config.lr,
        momentum=config.momentum,
        weight_decay=config.weight_decay,
        warmup=config.warmup * steps,
        decay_every=config.decay_every * steps,
        decay_factor=config.decay_factor,
        steps=config.epochs * steps,
    )
    return Recipe(
        apply_fn=computed_in(apply_fn, config.dtype),
        method=config.named(config.chosen_method),
        law=LAWS[config.chosen_law],
        sigma=config.sigma,
        low=data.low,
        high=data.high,
        shift=config.shift,
        flip=config.flip,
        descent=descent,
    )


def _check(config: TrainConfig, data: Dataset) -> None:
    for name in ("shift", "flip"):
        if getattr(config, name) and len(data.shape) != 3:
            raise ValueError(
                f"{name} is {getattr(config, name)}, but {config.data} has inputs of shape "
                f"{data.shape}; only images can be moved, leave it out."
            )
    if config.batch > len(data):
        raise ValueError(
            f"batch is {config.batch}, but {config.data} has {len(data)} training inputs; "
            "give a smaller batch."
        )


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
