"""Cross-entropy under noise: each input of a step gets one fresh draw."""

from dataclasses import dataclass
from typing import ClassVar

from jax import Array

from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.training.methods.batch import ALL_LAWS, Batch, Parts, cross_entropy, logits_under


@dataclass(frozen=True, kw_only=True)
class Augmentation:
    """Minimise -log F(x + noise)_y, F the softmax of the network; the law is any.

    Reference: Cohen et al. 2019 (gaussian), Yang et al. 2020 (uniform), Teng et al. 2020 (laplace).
    """

    laws: ClassVar[tuple[str, ...]] = ALL_LAWS
    copies: ClassVar[int] = 1

    def loss(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> tuple[Array, Parts]:
        """The mean cross-entropy of the noisy inputs."""
        logits = logits_under(apply_fn, params, batch.x, batch.noise)
        return cross_entropy(logits, batch.y), {}
