"""Which random numbers a draw sees: (key, phase, block) and nothing else.

Draw j lies in block j // 64 of its phase. Chunk sizes, batches, devices and n decide only how
many blocks are made at a time, never what is in them, so 100 votes are a prefix of 10,000.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import Law

BLOCK = 64
"""Draws in a block."""


class Phase(IntEnum):
    """What draws are for; phases never share draws."""

    OPTIMISE = 0
    SELECT = 1
    ESTIMATE = 2


def check_key(key: jax.Array) -> jax.Array:
    """The key, refused if its generator gives other numbers under vmap than in a loop (rbg)."""
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
    """

    key: jax.Array
    phase: Phase
    first: jax.Array | int
    blocks: int

    def draw(self, one: Callable[[jax.Array], jax.Array]) -> jax.Array:
        """`one(key)` gives the (BLOCK, ...) numbers of a block; here are those of all blocks."""
        phase_key = jax.random.fold_in(check_key(self.key), int(self.phase))

        def block(index: jax.Array) -> jax.Array:
            return one(jax.random.fold_in(phase_key, index))

        # One block after the other compiles and runs twice as fast on CPU; a GPU wants all.
        indices = self.first + jnp.arange(self.blocks)
        is_cpu = jax.default_backend() == "cpu"
        drawn = jax.lax.map(block, indices) if is_cpu else jax.vmap(block)(indices)
        return drawn.reshape(self.blocks * BLOCK, *drawn.shape[2:])


def standard_noise(law: Law, window: Window, shape: tuple[int, ...]) -> jax.Array:
    """Standard noise z: (64 blocks, *shape)."""
    return window.draw(lambda key: law.sample(key, (BLOCK, *shape), jnp.float32))


def noisy_on_grid(x: jax.Array, scale: Scale, grid: Grid, window: Window) -> jax.Array:
    """x + round(S z), exact on the grid, from one pair of 32-bit words for each coordinate."""
    words = window.draw(lambda key: jax.random.bits(key, (BLOCK, 2, *x.shape), jnp.uint32))
    return grid.noisy(x, scale, jnp.moveaxis(words, 1, 0))


def noisy(x: jax.Array, scale: Scale, z: jax.Array) -> jax.Array:
    """x + S z for a batch of standard noise z; never clipped."""
    shaped = jax.vmap(scale.push)(z)
    if shaped.shape != z.shape:
        raise ValueError(
            f"The scale maps an input of shape {z.shape[1:]} to shape {shaped.shape[1:]}: "
            "give one theta per input coordinate, in the input's own shape."
        )
    return x + shaped
