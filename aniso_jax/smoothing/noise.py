"""Which random numbers a draw sees: (key, phase, block) and nothing else.

Draw j lies in block j // 64 of its phase. Chunk sizes, batches, devices and n decide only how
many blocks are made at a time, never what is in them, so 100 votes are a prefix of 10,000.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from math import prod

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.threefry import check_counters, words

BLOCK = 64
"""Draws in a block."""


class Phase(IntEnum):
    """What draws are for; phases never share draws."""

    OPTIMISE = 0
    SELECT = 1
    ESTIMATE = 2


def check_key(key: jax.Array) -> jax.Array:
    """The key, refused if its generator gives other numbers under vmap than in a loop (rbg)."""
    if not isinstance(key, jax.Array | np.ndarray):
        raise ValueError(f"key must be a JAX key, as jax.random.key(0); got {key!r}.")
    is_typed = jnp.issubdtype(key.dtype, jax.dtypes.prng_key)
    default = jax.config.values["jax_default_prng_impl"]
    if "rbg" in str(jax.random.key_impl(key) if is_typed else default):
        raise ValueError(
            "The key is of the rbg generator, whose numbers change under vmap: "
            "make it with jax.random.key(seed, impl='threefry2x32')."
        )
    return key


def blocks_for(n: int) -> int:
    """Blocks that hold n draws.

    >>> blocks_for(100)
    2
    """
    return -(-n // BLOCK)


@dataclass(frozen=True, kw_only=True)
class Window:
    """Consecutive blocks of draws of one input: which random numbers they see.

    Attributes:
      key: the input's key.
      phase: what the draws are for.
      first: the first block, may be traced.
      blocks: how many, static.
      draws: how many of a block, its first ones, static.
    """

    key: jax.Array
    phase: Phase
    first: jax.Array | int
    blocks: int
    draws: int = BLOCK

    @property
    def phase_key(self) -> jax.Array:
        """The key of all draws of this phase; a block is a counter under it."""
        return jax.random.fold_in(check_key(self.key), int(self.phase))

    @property
    def numbers(self) -> jax.Array:
        """The blocks' own numbers."""
        return self.first + jnp.arange(self.blocks)

    def shaped(self, numbers: jax.Array, shape: tuple[int, ...]) -> jax.Array:
        """The numbers of all draws, one after the other: (draws blocks, *shape)."""
        return numbers.reshape(self.blocks * self.draws, *shape)


def first_draws(key: jax.Array, phase: Phase, first: jax.Array | int, n: int) -> Window:
    """The window of n draws: the blocks that hold them, or a part of one."""
    return Window(key=key, phase=phase, first=first, blocks=blocks_for(n), draws=min(n, BLOCK))


def standard_noise(law: Law, window: Window, shape: tuple[int, ...]) -> jax.Array:
    """Standard noise z: (draws blocks, *shape)."""
    key = window.phase_key

    def made(numbers: jax.Array) -> jax.Array:
        return law.sample(key, numbers, window.draws, prod(shape))

    return window.shaped(_written(made, window.numbers), shape)


def _written(made: Callable[[jax.Array], jax.Array], numbers: jax.Array) -> jax.Array:
    """What is made of all blocks; on CPU in a loop over them, whose result is written down.

    A compiler for CPU fuses noise, a long expression of nothing but numbers, into everything that
    reads it, and a convolution's input is read many times over.
    """
    written: jax.Array = jax.lax.platform_dependent(
        numbers, cpu=lambda numbers: jax.lax.map(made, numbers), default=made
    )
    return written


def noisy_on_grid(x: jax.Array, scale: Scale, grid: Grid, window: Window) -> jax.Array:
    """x + round(S z), exact on the grid, from one pair of 32-bit words for each coordinate."""
    count = window.draws * x.size
    check_counters(count)
    pair = words(window.phase_key, window.numbers, jax.lax.iota(jnp.uint32, count))
    return grid.noisy(x, scale, *(window.shaped(word, x.shape) for word in pair))


def noisy(x: jax.Array, scale: Scale, z: jax.Array) -> jax.Array:
    """x + S z for a batch of standard noise z; never clipped."""
    shaped = jax.vmap(scale.push)(z)
    if shaped.shape != z.shape:
        raise ValueError(
            f"The scale maps an input of shape {z.shape[1:]} to shape {shaped.shape[1:]}: "
            "give one theta per input coordinate, in the input's own shape."
        )
    return x + shaped
