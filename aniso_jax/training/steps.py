"""One step of training: augment, draw the noise, descend the method's loss."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import optax
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.smoothing.laws import Law
from aniso_jax.training.augment import flipped, shifted
from aniso_jax.training.descent import Descent
from aniso_jax.training.methods.batch import Batch, Method, Parts

Progress = tuple[Params, Any]  # weights and optax's state


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The static side of a step; steps of equal recipes share one trace.

    `apply_fn` is a pure function of weights and inputs: our networks have no batch statistics
    (their norms are affine maps), so that they train as they are certified.
    """

    apply_fn: ApplyFn
    method: Method
    law: Law
    sigma: float
    low: float
    high: float
    shift: int
    flip: bool
    descent: Descent


@partial(jax.jit, static_argnums=0)
def step(
    recipe: Recipe, progress: Progress, x: Array, y: Array, key: Array, epoch: Array
) -> tuple[Progress, Parts]:
    """Update the weights on one batch under fresh noise; also returns the loss and its parts.

    Everything random follows from `key`, so that a step that is done again is the same step.
    """
    params, state = progress
    batch = _batch(recipe, x, y, key, epoch)

    def loss_of(params: Params) -> tuple[Array, Parts]:
        return recipe.method.loss(recipe.apply_fn, params, batch)

    (loss, parts), gradient = jax.value_and_grad(loss_of, has_aux=True)(params)
    update, state = recipe.descent.transformation.update(gradient, state, params)
    return (optax.apply_updates(params, update), state), {"loss": loss, **parts}


def _batch(recipe: Recipe, x: Array, y: Array, key: Array, epoch: Array) -> Batch:
    """The augmented inputs, and noise for every copy of them."""
    noise_key, augment_key = jax.random.split(key)
    x = shifted(x, augment_key, recipe.shift)
    x = flipped(x, jax.random.fold_in(augment_key, 1)) if recipe.flip else x
    return Batch(
        x=x,
        y=y,
        noise=noise_for(recipe.law, recipe.sigma, x, noise_key, copies=recipe.method.copies),
        epoch=epoch,
        sigma=recipe.sigma,
        low=recipe.low,
        high=recipe.high,
    )


def noise_for(law: Law, sigma: float | Array, x: Array, key: Array, *, copies: int = 1) -> Array:
    """Sigma times standard noise for every copy of every input: (b, copies, *shape)."""
    rows = law.sample(key, 0, len(x) * copies, x[0].size)
    return sigma * rows.reshape(len(x), copies, *x.shape[1:])


def add_noise(law: Law, sigma: float | Array, x: Array, key: Array) -> Array:
    """X plus sigma times standard noise; never clipped, as the certificates assume."""
    return x + noise_for(law, sigma, x, key)[:, 0]
