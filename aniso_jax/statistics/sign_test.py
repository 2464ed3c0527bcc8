"""The two-sided sign test behind `predict`: is the first class more likely than the second?"""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

_TERMS = 256
_SMALLEST = 1e-34  # a first term that underflows (1e-38), times the longest sum for m < 2^20


def sign_test(first: ArrayLike, second: ArrayLike) -> jax.Array:
    """Upper bound on the two-sided p-value of `first` against `second` successes at p = 1/2.

    2 P[Bin(m, 1/2) >= k], k = max(first, second), m = first + second. The tail is its first term
    times the sum of products of ratios (m - k - j) / (k + 1 + j); the first term by Stirling's
    bound, exp(-m H(k/m, 1/2)) sqrt(m / (2 pi k (m - k))), what follows the last product as a
    geometric series.

    Guarantee: never below the exact p-value (rounded up by 1e-4 relative, more than float32 can
    lose for m < 2^20), and above it by about 1/(12 k) + 1/(12 (m - k)) relative; at m = 10^6 the
    remainder adds 5 % to p-values below 0.1. No p-value below 1e-34 is told from 1e-34.

    Reference: Cohen et al. 2019, Prop. 2 (the test); Robbins 1955 (the bound on Stirling's error).

    >>> import scipy.stats
    >>> exact = scipy.stats.binomtest(70, 100).pvalue
    >>> bool(exact <= float(sign_test(70, 30)) <= 1.01 * exact)
    True
    """
    first, second = jnp.asarray(first, jnp.float32), jnp.asarray(second, jnp.float32)
    k, rest = jnp.maximum(first, second), jnp.minimum(first, second)
    tail = jnp.exp(_log_first_term(k, rest)) * _sum_of_products(k, rest)
    return jnp.clip(2 * tail * (1 + 1e-4), _SMALLEST, 1.0)


def _log_first_term(k: jax.Array, rest: jax.Array) -> jax.Array:
    """Stirling's upper bound on log P[Bin(k + rest, 1/2) = k]; exact where rest = 0.

    With e = (k - rest)/m the entropy H(k/m, 1/2) is e atanh(e) + log(1 - e^2)/2: the usual form
    loses its digits near e = 0.
    """
    m = jnp.maximum(k + rest, 1.0)
    e = jnp.where(rest > 0, (k - rest) / m, 0.0)
    entropy = jnp.where(rest > 0, e * jnp.arctanh(e) + jnp.log1p(-jnp.square(e)) / 2, jnp.log(2.0))
    spread = jnp.where(rest > 0, jnp.log(m / (2 * jnp.pi * k * jnp.maximum(rest, 1.0))) / 2, 0.0)
    return -m * entropy + spread


def _sum_of_products(k: jax.Array, rest: jax.Array) -> jax.Array:
    """1 + r_0 + r_0 r_1 + ..., r_j = (rest - j) / (k + 1 + j), the remainder bounded above."""
    j = jnp.arange(_TERMS, dtype=jnp.float32)
    ratios = jnp.maximum(rest[..., None] - j, 0.0) / (k[..., None] + 1 + j)
    products = jnp.cumprod(ratios, axis=-1)
    last = ratios[..., -1]
    remainder = products[..., -1] * last / (1 - last)
    return 1 + jnp.sum(products, axis=-1) + remainder
