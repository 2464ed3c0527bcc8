"""Rounding with a direction: a bound may only move to the side that shrinks the claim."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike, NDArray


def float32_down(values: ArrayLike) -> NDArray[np.float32]:
    """The largest float32 numbers not above the given float64 ones.

    >>> float(float32_down(0.1)) <= 0.1
    True
    """
    exact = np.asarray(values, np.float64)
    nearest = exact.astype(np.float32)
    return np.where(nearest > exact, np.nextafter(nearest, np.float32(-np.inf)), nearest)


def float32_up(values: ArrayLike) -> NDArray[np.float32]:
    """The smallest float32 numbers not below the given float64 ones.

    >>> float(float32_up(0.3)) >= 0.3
    True
    """
    return -float32_down(-np.asarray(values, np.float64))


def total(values: jax.Array) -> jax.Array:
    """Sum of all entries, added in pairs: log2(d) roundings deep, where a running sum has d.

    >>> float(total(jnp.full(1000, 0.1))), total(jnp.arange(3.0))
    (100.0, Array(3., dtype=float32))
    """
    summed: jax.Array = _in_pairs(jnp.ravel(values))
    return summed


@partial(jax.jit, inline=True)  # outside of jit one compilation, not one for each halving
def _in_pairs(values: jax.Array) -> jax.Array:
    while values.size > 1:
        values = jnp.pad(values, (0, values.size % 2))
        half = values.size // 2
        values = values[:half] + values[half:]
    return jnp.sum(values)


def wide(values: ArrayLike) -> jax.Array:
    """The same numbers in 32 bits or more, exactly: of 16, a logarithm is off by a per cent."""
    given = jnp.asarray(values)
    return given.astype(jnp.promote_types(given.dtype, jnp.float32))


def slack(dtype: jnp.dtype, terms: int = 1) -> float:
    """Relative error that a `total` of `terms` numbers of one sign can leave, and eight more."""
    return ((terms - 1).bit_length() + 8) * float(np.finfo(dtype).eps)


def shrink(value: jax.Array, terms: int = 1) -> jax.Array:
    """A non-negative `value` lowered by more than the rounding of a `total` of `terms`; finite."""
    return jnp.minimum(value, float(np.finfo(value.dtype).max)) * (1 - slack(value.dtype, terms))
