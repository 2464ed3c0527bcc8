"""Many inputs, one batch: what vmap over inputs makes of a network's rows."""

from collections.abc import Callable
from typing import Any

import jax

ApplyFn = Callable[[Any, jax.Array], jax.Array]
"""(params, batch) -> logits of shape (len(batch), classes)."""


def flat_batch(apply_fn: ApplyFn) -> ApplyFn:
    """The same function, which under vmap over inputs sees all their rows as one batch.

    Left to itself vmap hands every layer an axis more, and on CPU some layers are slower for it.
    A row's logits are the same as long as they do not depend on the batch around it. Not to be
    differentiated.

    >>> import jax.numpy as jnp
    >>> rows = []
    >>> f = flat_batch(lambda w, batch: (rows.append(batch.shape), batch @ w)[1])
    >>> jax.vmap(f, in_axes=(None, 0))(jnp.ones((3, 2)), jnp.ones((5, 4, 3))).shape, rows[-1]
    ((5, 4, 2), (20, 3))
    """

    @jax.custom_batching.custom_vmap
    def apply(params: Any, batch: jax.Array) -> jax.Array:
        return apply_fn(params, batch)

    @apply.def_vmap
    def apply_to_all(
        inputs: int, is_mapped: list[Any], params: Any, batch: jax.Array
    ) -> tuple[jax.Array, bool]:
        if any(jax.tree.leaves(is_mapped[0])) or not is_mapped[1]:
            axes = jax.tree.map(lambda mapped: 0 if mapped else None, tuple(is_mapped))
            return jax.vmap(apply_fn, in_axes=axes)(params, batch), True
        logits = apply(params, batch.reshape(inputs * batch.shape[1], *batch.shape[2:]))
        return logits.reshape(inputs, -1, logits.shape[-1]), True

    return apply
