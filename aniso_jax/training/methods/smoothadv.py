"""SmoothAdv: adversarial training of the smoothed classifier."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.training.methods.batch import (
    Batch,
    Parts,
    check_settings,
    cross_entropy,
    log_mean_softmax,
    logits_under,
)

# Below this a gradient has no direction that float32 could tell; the attack then stays.
_NO_GRADIENT = 1e-30


@dataclass(frozen=True, kw_only=True)
class SmoothAdv:
    """For --method smoothadv (gaussian): train on attacks of the soft smoothed classifier.

    The attack climbs -log mean_i F(x + delta + noise_i)_y over the l2 ball of radius epsilon, and
    the loss is the mean cross-entropy of x + delta + noise_i, under the same noise.

    Reference: Salman et al. 2019, section 3; copies, steps and warm-up as
    others compare with it on MNIST.
    """

    laws: ClassVar[tuple[str, ...]] = ("gaussian",)

    copies: int = 4
    """Noisy copies of each input, in the attack and in the loss."""

    epsilon: float = 1.0
    """Radius of the attack, in input units."""

    steps: int = 10
    """Steps of the attack, each of length 2 epsilon / steps."""

    warmup: int = 10
    """Epochs over which the radius grows to epsilon; 0 starts with all of it."""

    def __post_init__(self) -> None:
        check_settings(self, copies=1, epsilon=0, steps=1, warmup=0)

    def loss(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> tuple[Array, Parts]:
        """The cross-entropy after the attack; gradients do not pass through the attack."""
        delta = jax.lax.stop_gradient(self.attack(apply_fn, params, batch))
        logits = logits_under(apply_fn, params, batch.x + delta, batch.noise)
        return cross_entropy(logits, batch.y), {"attack_norm": jnp.mean(_norms(delta))}

    def attack(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> Array:
        """Each input's perturbation, (b, *shape): inside the ball, and inside the input range."""
        fixed = jax.lax.stop_gradient(params)
        radius = self.epsilon * jnp.minimum(1.0, (batch.epoch + 1) / max(self.warmup, 1))

        def soft_loss(delta: Array) -> Array:
            logits = logits_under(apply_fn, fixed, batch.x + delta, batch.noise)
            log_p = jnp.take_along_axis(log_mean_softmax(logits), batch.y[:, None], axis=-1)
            return -jnp.sum(log_p)

        def step(_: int, delta: Array) -> Array:
            gradient = jax.grad(soft_loss)(delta)
            direction = gradient / _spread(jnp.maximum(_norms(gradient), _NO_GRADIENT), delta)
            return _inside(delta + 2 * radius / self.steps * direction, batch, radius)

        # A backward convolution inside a loop is several times slower on CPU.
        unroll = jax.default_backend() == "cpu"
        start = jnp.zeros_like(batch.x)
        found: Array = jax.lax.fori_loop(0, self.steps, step, start, unroll=unroll)
        return found


def _inside(delta: Array, batch: Batch, radius: Array) -> Array:
    """Project to the range of inputs, then shrink to the ball; x lies in both, so both hold."""
    delta = jnp.clip(batch.x + delta, batch.low, batch.high) - batch.x
    shrink = jnp.minimum(1.0, radius / jnp.maximum(_norms(delta), _NO_GRADIENT))
    return delta * _spread(shrink, delta)


def _norms(delta: Array) -> Array:
    """The l2 norm of each input's perturbation, (b,)."""
    return jnp.sqrt(jnp.sum(jnp.square(delta), axis=tuple(range(1, delta.ndim))))


def _spread(each: Array, like: Array) -> Array:
    """A number for each input, shaped so that it multiplies its coordinates."""
    return each.reshape(-1, *(1,) * (like.ndim - 1))
