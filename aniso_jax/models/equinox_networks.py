"""Networks written in equinox as `(apply_fn, params)`."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params, check_independence


@dataclass(frozen=True)
class EquinoxApply:
    """`apply_fn` of an equinox network: all of it but its arrays, joined with them at each call."""

    structure: Any
    static: tuple[Hashable, ...]
    channels_first: bool

    def __call__(self, params: Params, batch: Array) -> Array:
        """Map (batch, *shape) to logits (batch, classes)."""
        import equinox

        network, state = equinox.combine(params, jax.tree.unflatten(self.structure, self.static))

        def one(x: Array) -> Array:
            x = jnp.moveaxis(x, -1, 0) if self.channels_first else x
            logits: Array = network(x) if state is None else network(x, state)[0]
            return logits

        return jax.vmap(one)(batch)


def from_equinox(
    network: Any, *, example: Array, state: Any = None, channels_first: bool = False
) -> tuple[ApplyFn, Params]:
    """Turn an equinox network, which maps one input to logits, into `(apply_fn, params)`.

    Dropout and batch norms are switched to inference in a copy; the caller's stays as it is.

    Args:
        network: an `equinox.Module` that is called with one input, (*shape) to (classes,).
        example: one input, no batch axis; the network is tried on it.
        state: what `equinox.nn.make_with_state` returned beside it; the network is then called
            with it as its second argument, and the new state is dropped.
        channels_first: whether the network wants images (C, H, W); inputs stay (H, W, C).

    Returns:
        `apply_fn`, hashable, equal for equal architectures; `params`, the arrays.

    Raises:
        ValueError: equinox is not installed, or the network fails `check_independence`.

    >>> import equinox
    >>> network = equinox.nn.MLP(4, 3, width_size=8, depth=1, key=jax.random.key(0))
    >>> apply_fn, params = from_equinox(network, example=jnp.zeros(4))
    >>> apply_fn(params, jnp.zeros((2, 4))).shape
    (2, 3)
    """
    try:
        import equinox
    except ModuleNotFoundError as error:
        raise ValueError("from_equinox needs equinox: pip install 'aniso-jax[equinox]'") from error
    whole = equinox.nn.inference_mode((network, state))
    params, rest = equinox.partition(whole, equinox.is_array)
    static, structure = jax.tree.flatten(rest)
    apply_fn = EquinoxApply(structure, tuple(static), channels_first)
    check_independence(apply_fn, params, example)
    return apply_fn, params
