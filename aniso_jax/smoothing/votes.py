"""Counting votes: how often the base classifier answers each class under noise."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.rounding import wide
from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.flat import ApplyFn as ApplyFn
from aniso_jax.smoothing.flat import flat_batch
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import (
    BLOCK,
    Phase,
    Window,
    blocks_for,
    noisy,
    noisy_on_grid,
    standard_noise,
)

CHUNK = 256
"""Default ceiling of draws held at once."""


def count_votes(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    n: int,
    chunk: int = CHUNK,
    phase: Phase = Phase.ESTIMATE,
    grid: Grid | None = None,
) -> jax.Array:
    """Votes of every class: counts of argmax f(x + S z_j) over j < n.

    Args:
      apply_fn, params: the base classifier; a function of each input alone.
      x: one input (vmap over many), floating point.
      key: this input's key; noise depends on (key, phase, block) only.
      law, scale: the noise is S z.
      n: number of draws, static.
      chunk: ceiling of draws held at once, rounded down to whole blocks of 64, at least one.
      phase: what the draws are for; phases never share draws.
      grid: draw integers and add them on this grid; x and scale must lie on it. See `aj.grid`.

    Returns:
      int32 of shape (classes,); the sum is n less the rows with a non-finite logit, which vote
      for nobody.

    Guarantee:
      Memory does not grow with n: noise is made inside a scan and only counts leave it. Votes
      do not depend on `chunk`, nor on vmap or jit, as long as the logits themselves do not.

    Raises:
      ValueError: x is not floating point, n < 1, or the logits are not (batch, classes).

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> votes = aj.count_votes(f, jnp.array([1.0, 0.0]), jnp.array([1.0, 0.0]), jax.random.key(0),
    ...                        law=aj.gaussian, scale=aj.Isotropic(sigma=0.5), n=1000)
    >>> int(votes.sum()), bool(abs(votes[0] - 977) < 25)   # P = Phi(2) = 0.977
    (1000, True)
    """
    x = check_input(x)
    window = window_size(chunk, check_draws(n))
    classes = class_count(apply_fn, params, x, window)

    def add_window(votes: jax.Array, index: jax.Array) -> tuple[jax.Array, None]:
        new, _ = count_window(
            apply_fn,
            params,
            x,
            key,
            law=law,
            scale=scale,
            start=index * window,
            stop=n,
            window=window,
            phase=phase,
            grid=grid,
        )
        return votes + new, None

    windows = jnp.arange(-(-n // window))
    votes, _ = jax.lax.scan(add_window, jnp.zeros(classes, jnp.int32), windows)
    return votes


def count_window(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    start: jax.Array,
    stop: jax.Array | int,
    window: int,
    phase: Phase,
    grid: Grid | None,
) -> tuple[jax.Array, jax.Array]:
    """Votes of the draws from `start` on, up to `stop`, as far as one window of blocks reaches.

    Args:
      start, stop: numbers of draws, traced; draws outside are made and masked.
      window: draws made, whole blocks, static; see `window_size`.

    Returns:
      (votes, drawn): int32 (classes,), and the first draw that is not counted yet.
    """
    first = start // BLOCK
    blocks = Window(key=key, phase=phase, first=first, blocks=window // BLOCK)
    if grid is None:
        noisy_inputs = noisy(x, scale, standard_noise(law, blocks, x.shape))
    else:
        noisy_inputs = noisy_on_grid(x, scale, grid, blocks)
    logits = flat_batch(apply_fn)(params, noisy_inputs)
    draw = first * BLOCK + jnp.arange(window)
    is_counted = (draw >= start) & (draw < stop)
    counts = (vote(logits)[:, None] == jnp.arange(logits.shape[-1])) & is_counted[:, None]
    drawn = jnp.minimum(stop, first * BLOCK + window)
    return jnp.sum(counts, axis=0, dtype=jnp.int32), drawn.astype(jnp.int32)


def window_size(chunk: int, n: int) -> int:
    """Draws held at once: whole blocks, at least one, no more than n needs.

    >>> window_size(1000, 100_000), window_size(1000, 100)
    (960, 128)
    """
    return min(max(check_draws(chunk, "chunk") // BLOCK, 1), blocks_for(n)) * BLOCK


def vote(logits: jax.Array) -> jax.Array:
    """argmax of each row, -1 for a row with a non-finite logit."""
    # The least index of the largest logit: two plain reductions, where XLA's argmax on CPU takes
    # microseconds a row. NaN survives a maximum, so one look tells whether all are finite.
    classes = logits.shape[-1]
    largest = jnp.max(logits, axis=-1, keepdims=True)
    winner = jnp.min(jnp.where(logits == largest, jnp.arange(classes), classes), axis=-1)
    return jnp.where(jnp.isfinite(jnp.max(jnp.abs(logits), axis=-1)), winner, -1)


def check_input(x: jax.Array) -> jax.Array:
    """X as a JAX array of 32 bits or more (exactly), refused unless floating point."""
    x = jnp.asarray(x)
    if x.size == 0:
        raise ValueError(f"x has shape {x.shape}: an input needs at least one coordinate.")
    if not jnp.issubdtype(x.dtype, jnp.floating):
        raise ValueError(
            f"x must be floating point, got {x.dtype}: scale 8-bit images with x / 255 first."
        )
    return wide(x)


def check_draws(n: int, name: str = "n") -> int:
    """N, refused unless a static positive integer."""
    if isinstance(n, bool) or not isinstance(n, int | np.integer) or n < 1:
        raise ValueError(f"{name} must be a static positive integer, got {n!r}.")
    return int(n)


def class_count(apply_fn: ApplyFn, params: Any, x: jax.Array, rows: int) -> int:
    """Number of classes, from the shape of the logits; nothing is computed."""
    batch = jax.eval_shape(lambda: jnp.zeros((rows, *x.shape), x.dtype))
    logits = jax.eval_shape(apply_fn, params, batch)
    shape = getattr(logits, "shape", None)
    if shape is None or len(shape) != 2 or shape[0] != rows or shape[1] < 2:
        raise ValueError(
            f"apply_fn must return logits of shape ({rows}, classes >= 2) for a batch of shape "
            f"{batch.shape}, got {shape if shape is not None else type(logits).__name__}."
        )
    return int(shape[1])
