"""MACER: enlarge the certified radius of what is answered right, without an attack."""

from dataclasses import dataclass
from typing import ClassVar

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.special import ndtri

from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.training.methods.batch import (
    Batch,
    Parts,
    check_settings,
    log_mean_softmax,
    logits_under,
)

# Keeps the logarithm of the label's probability finite, as in the authors' code.
_TINY = 1e-10


@dataclass(frozen=True, kw_only=True)
class Macer:
    """For --method macer (gaussian): cross-entropy of the mean probability, a hinge on the radius.

    With F the mean softmax over an input's noisy copies and G the same of beta times the logits,
    -log F_y + lambda sigma / 2 (gamma - xi), xi = Phi^-1(G_y) - Phi^-1(largest other of G), so
    that sigma / 2 xi is the soft radius. The second term counts only where G answers y and
    xi <= gamma.

    Reference: Zhai et al. 2020, algorithm 1; the defaults are its for CIFAR-10 at sigma .25.
    """

    laws: ClassVar[tuple[str, ...]] = ("gaussian",)

    copies: int = 16
    """Noisy copies of each input."""

    weight: float = 12.0
    """lambda, the weight of the radius."""

    gamma: float = 8.0
    """An input whose radius is beyond gamma sigma / 2 is left alone."""

    beta: float = 16.0
    """Inverse temperature of the softmax that the radius is taken of."""

    deferred: int = 0
    """Epochs of cross-entropy alone, first: 0 in the paper, a third of all where others compare
    with it on MNIST."""

    def __post_init__(self) -> None:
        check_settings(self, copies=1, weight=0, gamma=0, beta=0, deferred=0)

    def loss(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> tuple[Array, Parts]:
        """Both terms, each summed over inputs and divided by their number."""
        logits = logits_under(apply_fn, params, batch.x, batch.noise)
        of_label = jnp.take_along_axis(jax.nn.softmax(logits).mean(axis=1), batch.y[:, None], 1)
        accuracy = -jnp.mean(jnp.log(of_label + _TINY))
        hinge, counts = self._hinge(logits, batch.y)
        robustness = batch.sigma / 2 * jnp.mean(hinge)
        shares = {"share_in_range": jnp.mean(counts.astype(jnp.float32))}
        parts = {"cross_entropy": accuracy, "robustness": robustness, **shares}
        weight = jnp.where(batch.epoch < self.deferred, 0.0, self.weight)
        return accuracy + weight * robustness, parts

    def _hinge(self, logits: Array, y: Array) -> tuple[Array, Array]:
        """gamma - xi for each input, 0 for those that do not count, and which do."""
        mean = jnp.exp(log_mean_softmax(self.beta * logits))
        (first, second), top = jnp.moveaxis(jax.lax.top_k(mean, 2)[0], -1, 0), jnp.argmax(mean, -1)
        xi = ndtri(first) - ndtri(second)
        # Where a probability rounds to 0 or 1, xi is infinite; such an input is beyond gamma too.
        counts = (top == y) & jnp.isfinite(xi) & (jnp.abs(xi) <= self.gamma)
        # A branch not taken would still send its infinite slope back, so it gets a harmless input.
        first, second = (jnp.where(counts, p, 0.5) for p in (first, second))
        return jnp.where(counts, self.gamma - (ndtri(first) - ndtri(second)), 0.0), counts
