"""Which random numbers a draw sees: (key, phase, block) and nothing else.

Draw j lies in block j // 64 of its phase. Chunk sizes, batches, devices and n decide only how
many blocks are made at a time, never what is in them, so 100 votes are a prefix of 10,000.
"""

from enum import IntEnum

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale
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


def standard_noise(
    law: Law,
    key: jax.Array,
    phase: Phase,
    *,
    first: jax.Array | int,
    blocks: int,
    shape: tuple[int, ...],
) -> jax.Array:
    """Standard noise z of consecutive blocks, from block `first` on: (64 blocks, *shape)."""
    phase_key = jax.random.fold_in(check_key(key), int(phase))

    def one(block: jax.Array) -> jax.Array:
        return law.sample(jax.random.fold_in(phase_key, block), (BLOCK, *shape), jnp.float32)

    # One block after the other compiles and runs twice as fast on CPU; a GPU wants them together.
    indices = first + jnp.arange(blocks)
    is_cpu = jax.default_backend() == "cpu"
    z = jax.lax.map(one, indices) if is_cpu else jax.vmap(one)(indices)
    return z.reshape(blocks * BLOCK, *shape)


def noisy(x: jax.Array, scale: Scale, z: jax.Array) -> jax.Array:
    """x + S z for a batch of standard noise z; never clipped."""
    shaped = jax.vmap(scale.push)(z)
    if shaped.shape != z.shape:
        raise ValueError(
            f"The scale maps an input of shape {z.shape[1:]} to shape {shaped.shape[1:]}: "
            "give one theta per input coordinate, in the input's own shape."
        )
    return x + shaped
