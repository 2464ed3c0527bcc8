"""The pure steps of training: noisy batches, loss, update, accuracy."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.smoothing.laws import Law

Progress = tuple[Params, Any]  # weights and optax's state

_EVALUATED = 512  # test inputs in one call


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The static side of a step; steps of equal recipes share one trace."""

    apply_fn: ApplyFn
    law: Law
    sigma: float
    shift: int
    lr: float
    weight_decay: float
    steps: int

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """AdamW along a cosine."""
        schedule = optax.cosine_decay_schedule(self.lr, self.steps)
        return optax.adamw(schedule, weight_decay=self.weight_decay)


@partial(jax.jit, static_argnums=0)
def step(
    recipe: Recipe, progress: Progress, x: Array, y: Array, key: Array
) -> tuple[Progress, Array]:
    """Update the weights on one batch under fresh noise; also returns the mean loss."""
    params, state = progress
    noise_key, shift_key = jax.random.split(key)
    x = add_noise(recipe.law, recipe.sigma, shifted(x, shift_key, recipe.shift), noise_key)

    def loss_of(params: Params) -> Array:
        logits = recipe.apply_fn(params, x)
        return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, y))

    loss, gradient = jax.value_and_grad(loss_of)(params)
    update, state = recipe.optimizer.update(gradient, state, params)
    return (optax.apply_updates(params, update), state), loss


def add_noise(law: Law, sigma: float, x: Array, key: Array) -> Array:
    """X plus sigma times standard noise; never clipped, as the certificates assume."""
    return x + sigma * law.sample(key, 0, len(x), x[0].size).reshape(x.shape)


def shifted(x: Array, key: Array, most: int) -> Array:
    """Move each image of a batch (b, H, W, C) by up to `most` pixels, filling with the edge.

    >>> shifted(jnp.ones((2, 4, 4, 1)), jax.random.key(0), 2).min().item()
    1.0
    """
    if most == 0:
        return x
    padded = jnp.pad(x, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    corners = jax.random.randint(key, (x.shape[0], 2), 0, 2 * most + 1)

    def cut(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), x.shape[1:])

    return jax.vmap(cut)(padded, corners)


def accuracy(
    apply_fn: ApplyFn, params: Params, x: Array, y: Array, *, law: Law, sigma: float, key: Array
) -> float:
    """Share of inputs answered right under one draw of noise each (none if sigma is 0)."""
    right = 0
    for i, start in enumerate(range(0, len(x), _EVALUATED)):
        rows = slice(start, start + _EVALUATED)
        drawn = jax.random.fold_in(key, i)
        right += int(_right(apply_fn, law, params, x[rows], y[rows], sigma, drawn))
    return right / len(x)


@partial(jax.jit, static_argnums=(0, 1))
def _right(
    apply_fn: ApplyFn, law: Law, params: Params, x: Array, y: Array, sigma: float, key: Array
) -> Array:
    """Count the right answers of one batch."""
    return jnp.sum(jnp.argmax(apply_fn(params, add_noise(law, sigma, x, key)), axis=-1) == y)
