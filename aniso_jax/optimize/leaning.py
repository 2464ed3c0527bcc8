"""Where the votes of a label lean under the noise: directions for rotated scales."""

import math
from typing import Any

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale
from aniso_jax.optimize.curvature import principal
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import BLOCK, Phase, first_draws, noisy, standard_noise
from aniso_jax.smoothing.votes import ApplyFn

_AT_ONCE = 2**22
"""Coordinates of gradients held at once: all draws of a CIFAR image, 27 of a 224 x 224 x 3 one."""


def vote_directions(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    label: jax.Array | int,
    k: int,
    n: int = 128,
    first_block: jax.Array | int = 0,
) -> tuple[jax.Array, jax.Array]:
    """Where the soft votes of a label lean: the gradient covariance E[g g'] under the noise.

    g is the gradient of softmax_label f(x + S z) by z, so directions are in whitened units, as
    `Rotated` takes them; at most min(n, d) of them. Where n gradients are too large to be held,
    they are made a few at a time, and 2 k directions of those before are kept beside them: O(d k)
    memory whatever n is, and values a little too small.

    Args:
      apply_fn, params, x, key, law, scale, first_block: as in `soft_votes`.
      k, n: directions, and draws of z (rounded up to whole steps where they are made in steps).

    Returns:
      (values, basis): the k largest eigenvalues, decreasing, and their directions.
    """

    def gradients(first: jax.Array | int, draws: int) -> jax.Array:
        window = first_draws(key, Phase.OPTIMISE, first, draws)
        z = standard_noise(law, window, x.shape)[:draws]

        def confidence(z: jax.Array) -> jax.Array:
            logits = apply_fn(params, noisy(x, scale, z))
            return jnp.sum(jax.nn.softmax(logits, axis=-1)[:, label])

        return jnp.nan_to_num(jax.grad(confidence)(z), posinf=0.0, neginf=0.0)

    if n * x.size <= _AT_ONCE:
        return principal(gradients(first_block, n) / math.sqrt(n), k)
    draws = min(max(_AT_ONCE // x.size, 1), BLOCK, n)  # of each block its first ones
    steps = -(-n // draws)

    def add(kept: jax.Array, step: jax.Array) -> tuple[jax.Array, None]:
        rows = jnp.concatenate([kept, gradients(first_block + step, draws)])
        values, basis = principal(rows, len(kept))
        return jnp.sqrt(values).reshape(-1, *[1] * x.ndim) * basis, None

    empty = jnp.zeros((min(2 * k, x.size), *x.shape), x.dtype)
    kept, _ = jax.lax.scan(add, empty, jnp.arange(steps))
    return principal(kept / math.sqrt(steps * draws), k)
