"""Soft votes: smoothed softmax probabilities, differentiable in the scale and in x."""

from typing import Any

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import Phase, first_draws, noisy, standard_noise
from aniso_jax.smoothing.votes import ApplyFn, check_draws, check_input


def soft_votes(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    n: int,
    antithetic: bool = False,
    first_block: jax.Array | int = 0,
) -> jax.Array:
    """Mean softmax probabilities under noise: (1/n) sum_j softmax f(x + S z_j).

    Votes are not differentiable; these are, and they guide the search for a scale. They certify
    nothing. All n draws are held at once (n is in the hundreds here), since a backward
    convolution inside a scan is several times slower on CPU.

    Args:
      apply_fn, params, x, key, law, scale: as in `count_votes`.
      n: number of draws, static.
      antithetic: use z and -z in pairs (every law is symmetric), for a lower variance.
      first_block: where in the optimise phase the draws begin; other blocks, fresh draws.

    Returns:
      float32 of shape (classes,), summing to one; a row with a non-finite logit counts as
      uniform.

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> p = aj.soft_votes(f, jnp.array([1.0, 0.0]), jnp.zeros(2), jax.random.key(0), n=64,
    ...                   law=aj.gaussian, scale=aj.Isotropic(sigma=0.5), antithetic=True)
    >>> [round(float(value), 4) for value in p]
    [0.5, 0.5]
    """
    x = check_input(x)
    half = -(-check_draws(n) // 2) if antithetic else check_draws(n)
    window = first_draws(key, Phase.OPTIMISE, first_block, half)
    z = standard_noise(law, window, x.shape)[:half]
    z = jnp.concatenate([z, -z])[:n] if antithetic else z
    logits = apply_fn(params, noisy(x, scale, z))
    is_finite = jnp.all(jnp.isfinite(logits), axis=-1, keepdims=True)
    return jnp.mean(jax.nn.softmax(jnp.where(is_finite, logits, 0.0), axis=-1), axis=0)
