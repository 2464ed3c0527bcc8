"""What a loss is taken of, and the few words that all losses share."""

from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol

import jax
import jax.numpy as jnp
import optax
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params

Parts = dict[str, Array]
"""What a loss is made of, by name: scalars, for the metrics."""

ALL_LAWS = ("gaussian", "uniform", "laplace")


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Batch:
    """A step's inputs with the noise that was drawn for them; a loss draws nothing itself.

    Attributes:
        x: (b, *shape), already augmented.
        y: (b,), the labels.
        noise: (b, copies, *shape), at its scale.
        epoch: from 0; some settings begin gently.
        sigma: the noise's scale, in the law's unit.
        low, high: the range that inputs lie in; noisy ones leave it.
    """

    x: Array
    y: Array
    noise: Array
    epoch: Array
    sigma: float = field(metadata={"static": True})
    low: float = field(default=0.0, metadata={"static": True})
    high: float = field(default=1.0, metadata={"static": True})


class Method(Protocol):
    """A way of training: how many noisy copies of an input it wants, and a pure loss of them."""

    laws: ClassVar[tuple[str, ...]]

    @property
    def copies(self) -> int:
        """Noisy copies of each input in a step."""
        ...

    def loss(self, apply_fn: ApplyFn, params: Params, batch: Batch) -> tuple[Array, Parts]:
        """The scalar that is minimised, and its parts."""
        ...


def logits_under(apply_fn: ApplyFn, params: Params, x: Array, noise: Array) -> Array:
    """Logits of x + noise for every copy: (b, copies, classes), in one pass.

    >>> double = lambda params, rows: 2 * rows
    >>> logits_under(double, {}, jnp.zeros((3, 2)), jnp.ones((3, 5, 2))).shape
    (3, 5, 2)
    """
    rows = x[:, None] + noise
    logits = apply_fn(params, rows.reshape(-1, *x.shape[1:]))
    return logits.reshape(*rows.shape[:2], -1)


def cross_entropy(logits: Array, y: Array) -> Array:
    """Mean over inputs and copies of -log softmax(logits)_y; logits are (b, copies, classes)."""
    labels = jnp.broadcast_to(y[:, None], logits.shape[:2])
    return jnp.mean(optax.softmax_cross_entropy_with_integer_labels(logits, labels))


def log_mean_softmax(logits: Array) -> Array:
    """log of the softmax probabilities' mean over copies: (b, classes), finite for any logits.

    >>> jnp.exp(log_mean_softmax(jnp.array([[[0.0, 99.0], [0.0, 0.0]]]))).tolist()
    [[0.25, 0.75]]
    """
    log_p = jax.nn.log_softmax(logits)
    return jax.nn.logsumexp(log_p, axis=1) - jnp.log(jnp.asarray(log_p.shape[1], log_p.dtype))


def check_settings(settings: Any, **least: float) -> None:
    """Refuse a setting below its least value; NaN too."""
    for name, low in least.items():
        value = getattr(settings, name)
        if not low <= value < float("inf"):
            method = type(settings).__name__.lower()
            raise ValueError(f"--{method}.{name} must be finite and at least {low:g}, got {value}.")
