"""How far I + V diag(f) V' stretches and shrinks: bounds of its l1 and l2 norm, rounded outward."""

import math

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.rounding import slack, total

EXACT = 1e8
"""Up to so many products d^2 k the columns are summed as they are, beyond by a bound."""


def extremes(stretch: jax.Array, *, full: bool, defect: float) -> tuple[jax.Array, jax.Array]:
    """(lower bound of the smallest, upper bound of the largest) singular value of M, f = t - 1.

    Args:
      stretch: t.
      full: whether V has d columns, so that no direction is left alone.
      defect: e, a bound of ||V'V - I||.
    """
    eps = 8 * float(np.finfo(stretch.dtype).eps)
    shortest = jnp.min(stretch) * (1 - defect - eps) - defect
    longest = jnp.max(stretch) * (1 + defect + eps) + defect
    if full:
        return jnp.maximum(shortest, 0), longest
    return jnp.clip(shortest, 0, 1), jnp.maximum(longest, 1)


def shortest_axis(
    theta: jax.Array, basis: jax.Array, stretch: jax.Array, *, defect: float
) -> jax.Array:
    """Lower bound of the smallest singular value of S = D M, by what M^-1 adds to D^-1.

    ||A||^2 = lambda_max(D^-1 M^-2 D^-1) <= 1 / min(theta)^2 + lambda_max(W), where
    M^-2 = I + V diag(1/t^2 - 1) V' and W = C' C, C = D^-1 V diag(max(1/t^2 - 1, 0))^(1/2): Weyl's
    inequality, the negative part left out. lambda_max(W) is at most its largest row sum, k slack
    too small. Beside it stands what the rounding of V can do, e = `defect`, rho = max|1 - 1/t|,
    a = ||D^-1 V||: rho^2 e a^2 to the square, and 1.5 rho^2 e a to the norm.
    """
    rows = jnp.reshape(basis / theta, (len(basis), -1))
    more = 1 + 3 * len(rows) * slack(rows.dtype, rows.shape[1])
    square = jax.lax.map(lambda row: total(jnp.square(row)), rows)
    weights = jnp.sqrt(jnp.maximum(1 / jnp.square(stretch) - 1, 1e-12))  # 0 has no slope
    weighted = weights[:, None] * rows

    def row_sum(row: jax.Array) -> jax.Array:
        return jnp.sum(jnp.abs(jax.lax.map(lambda other: total(row * other), weighted)))

    largest = jnp.max(jax.lax.map(row_sum, weighted))
    # Products of signs cancel: each is wrong by slack times the lengths of its two rows.
    hidden = slack(rows.dtype, rows.shape[1]) * len(rows) * jnp.max(jnp.square(weights) * square)
    rho = jnp.max(jnp.abs(1 - 1 / stretch))
    reach = jnp.sum(square)
    bound = (1 / jnp.square(jnp.min(theta)) + largest + hidden + rho**2 * defect * reach) * more
    return 1 / (jnp.sqrt(bound) + 1.5 * rho**2 * defect * jnp.sqrt(reach) * more) * (2 - more)


def column_sums(basis: jax.Array, factor: jax.Array) -> jax.Array:
    """Upper bounds on sum_i |delta_ij + sum_a V_ia f_a V_ja|, one for each coordinate j.

    The sums themselves, up to rounding, where d^2 k <= `EXACT`; else by the triangle inequality
    1 + sum_a |f_a| |V_ja| ||V_a||_1, in O(d k).
    """
    k, shape = basis.shape[0], basis.shape[1:]
    rows = jnp.reshape(basis, (k, -1))
    d, less = math.prod(shape), slack(basis.dtype, math.prod(shape))
    lengths = jax.lax.map(lambda row: total(jnp.abs(row)), rows)
    parts = jnp.sum(jnp.abs(factor)[:, None] * lengths[:, None] * jnp.abs(rows), axis=0)
    eps = (k + 4) * float(np.finfo(basis.dtype).eps)
    bound = (1 + parts) * (1 + 2 * less + eps)
    if d * d * k <= EXACT:
        products = _exact(rows, factor)
        # Each entry is a sum of k + 1 products: wrong by (k + 4) eps of their sizes.
        bound = jnp.minimum(bound, products * (1 + less) + eps * (1 + parts))
    return jnp.reshape(bound, shape)


def _exact(rows: jax.Array, factor: jax.Array) -> jax.Array:
    scaled = factor[:, None] * rows
    d = rows.shape[1]

    def column(j: jax.Array) -> jax.Array:
        own = jnp.sum(scaled * rows[:, j][:, None], axis=0)
        return total(jnp.abs(own + (jnp.arange(d) == j)))

    sums: jax.Array = jax.lax.map(column, jnp.arange(d))
    return sums
