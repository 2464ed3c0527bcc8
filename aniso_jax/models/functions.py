"""Plain functions as networks, and a denoiser before a classifier."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import flax.linen as linen
import jax
import jax.numpy as jnp
from flax import nnx
from jax import Array

from aniso_jax.models.adapters import linen_apply, split
from aniso_jax.models.independence import ApplyFn, Params, check_independence

# An nnx network; or a function, or a linen module, with its weights.
Part: TypeAlias = Any


@dataclass(frozen=True)
class Composed:
    """`apply_fn` of a classifier behind a denoiser."""

    denoise: ApplyFn
    classify: ApplyFn

    def __call__(self, params: Mapping[str, Params], batch: Array) -> Array:
        """Map (batch, *shape) to logits (batch, classes)."""
        return self.classify(params["classify"], self.denoise(params["denoise"], batch))


def from_function(apply_fn: ApplyFn, params: Params, *, example: Array) -> tuple[ApplyFn, Params]:
    """Check that a function of weights and a batch is a network that can be certified.

    Args:
        apply_fn: maps `(params, batch)` to logits (b, classes); define it once, since jit knows a
            function by its identity and traces a new one again.
        params: any pytree of arrays.
        example: one input, no batch axis; the function is tried on it.

    Returns:
        Both as they were given.

    Raises:
        ValueError: the function fails `check_independence`: an input's logits depend on its batch
            neighbours, are not (b, classes) finite floats, or are probabilities.

    >>> linear = lambda weights, batch: batch @ weights
    >>> apply_fn, params = from_function(linear, jnp.ones((4, 3)), example=jnp.zeros(4))
    >>> apply_fn(params, jnp.zeros((2, 4))).shape
    (2, 3)
    """
    check_independence(apply_fn, params, example)
    return apply_fn, params


def compose(
    denoise: Part, classify: tuple[ApplyFn, Params], *, example: Array
) -> tuple[ApplyFn, Params]:
    """Put a denoiser before a classifier; what is certified is the two together.

    Args:
        denoise: an nnx network, `(linen module, variables)`, or `(apply_fn, params)`; it maps a
            batch (b, *shape) to another of the same shape.
        classify: `(apply_fn, params)`, as `from_nnx` and the others return it.
        example: one input, no batch axis; both are tried on it.

    Returns:
        `apply_fn`, hashable, equal for equal parts; `params`, a dict with `denoise` and `classify`.

    Raises:
        ValueError: the denoiser changes the shape, or the two fail `check_independence`.

    >>> halve = lambda params, batch: batch * params
    >>> linear = lambda params, batch: batch @ params
    >>> both, params = compose((halve, 0.5), (linear, jnp.eye(3)), example=jnp.zeros(3))
    >>> both(params, jnp.ones((1, 3))).tolist()
    [[0.5, 0.5, 0.5]]
    """
    denoise_fn, denoise_params = _pair(denoise)
    batch = jnp.stack([example, example])
    made = jax.eval_shape(denoise_fn, denoise_params, batch)
    if made.shape != batch.shape:
        raise ValueError(
            f"The denoiser maps a batch of shape {batch.shape} to {made.shape}, wanted the same "
            "shape; give it as compose(denoise, classify)."
        )
    apply_fn, params = (
        Composed(denoise_fn, classify[0]),
        {
            "denoise": denoise_params,
            "classify": classify[1],
        },
    )
    check_independence(apply_fn, params, example)
    return apply_fn, params


def _pair(part: Part) -> tuple[ApplyFn, Any]:
    if isinstance(part, nnx.Module):
        return split(part)
    function, params = part
    return (linen_apply(function) if isinstance(function, linen.Module) else function), params
