"""A network that computes in another type than its weights have."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params


@dataclass(frozen=True)
class ComputedIn:
    """`apply_fn` with weights and inputs cast to a type; logits come back in float32.

    Gradients arrive in the weights' own type. Inputs are cast after their noise was added.

    >>> apply_fn = ComputedIn(lambda w, x: x @ w, "bfloat16")
    >>> apply_fn(jnp.ones((2, 2)), jnp.full((1, 2), 0.3)).tolist()
    [[0.6015625, 0.6015625]]
    """

    apply_fn: ApplyFn
    dtype: str

    def __call__(self, params: Params, batch: Array) -> Array:
        """Map (batch, *shape) to float32 logits (batch, classes)."""
        params, batch = jax.tree.map(lambda value: value.astype(self.dtype), (params, batch))
        return self.apply_fn(params, batch).astype(jnp.float32)


def computed_in(apply_fn: ApplyFn, dtype: str) -> ApplyFn:
    """The network itself for float32, else cast."""
    return apply_fn if dtype == "float32" else ComputedIn(apply_fn, dtype)
