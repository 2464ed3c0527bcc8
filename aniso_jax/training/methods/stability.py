"""Stability training: right without noise, and the same under it."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.training.methods.batch import (
    ALL_LAWS,
    Batch,
    Parts,
    check_settings,
    cross_entropy,
    logits_under,
)


@dataclass(frozen=True, kw_only=True)
class Stability:
    """For --method stability: cross-entropy of clean inputs, and of noisy answers to clean ones.

    The loss is -log F(x)_y - lambda sum_c F(x)_c log F(x + noise)_c, F the softmax of the network,
    with gradients through both terms.

    Reference: Li et al. 2019; lambda = 2, as others compare with it.
    """

    laws: ClassVar[tuple[str, ...]] = ALL_LAWS
    copies: ClassVar[int] = 1

    weight: float = 2.0
    """lambda, the weight of the second term."""

    def __post_init__(self) -> None:
        check_settings(self, weight=0)

    def loss(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> tuple[Array, Parts]:
        """Both terms; clean and noisy inputs go through the network together."""
        both = jnp.concatenate([jnp.zeros_like(batch.noise), batch.noise], axis=1)
        logits = logits_under(apply_fn, params, batch.x, both)
        accuracy = cross_entropy(logits[:, :1], batch.y)
        clean, noisy = jax.nn.softmax(logits[:, 0]), jax.nn.log_softmax(logits[:, 1])
        stability = -jnp.mean(jnp.sum(clean * noisy, axis=-1))
        parts = {"cross_entropy": accuracy, "stability": stability}
        return accuracy + self.weight * stability, parts
