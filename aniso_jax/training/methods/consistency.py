"""Consistency: an input's noisy copies are to be answered alike."""

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
    log_mean_softmax,
    logits_under,
)


@dataclass(frozen=True, kw_only=True)
class Consistency:
    """For --method consistency: cross-entropy, and how far copies are from their mean.

    With F_i the softmax of the i-th noisy copy and F their mean, the mean over i of
    -log (F_i)_y + lambda KL(F || F_i), plus eta times the entropy of F.

    Reference: Jeong and Shin 2020; copies and eta as there, lambda = 10 of its 5 to 20.
    """

    laws: ClassVar[tuple[str, ...]] = ALL_LAWS

    copies: int = 2
    """Noisy copies of each input, at least two."""

    weight: float = 10.0
    """lambda, the weight of the divergence."""

    eta: float = 0.5
    """Weight of the entropy."""

    def __post_init__(self) -> None:
        check_settings(self, copies=2, weight=0, eta=0)

    def loss(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> tuple[Array, Parts]:
        """Cross-entropy, divergence and entropy, weighted."""
        logits = logits_under(apply_fn, params, batch.x, batch.noise)
        log_mean = log_mean_softmax(logits)
        mean = jnp.exp(log_mean)
        apart = log_mean[:, None] - jax.nn.log_softmax(logits)
        divergence = jnp.mean(jnp.sum(mean[:, None] * apart, axis=-1))
        entropy = -jnp.mean(jnp.sum(mean * log_mean, axis=-1))
        accuracy = cross_entropy(logits, batch.y)
        parts = {"cross_entropy": accuracy, "divergence": divergence, "entropy": entropy}
        return accuracy + self.weight * divergence + self.eta * entropy, parts
