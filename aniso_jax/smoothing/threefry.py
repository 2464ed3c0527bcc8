"""The Threefry-2x32 generator written out, for the many words that noise is made of.

It is the generator of `jax.random`. There, on CPU, its rounds are a loop that writes every word to
memory each time; here they are one expression, which the compiler fuses with what turns words into
noise, six times faster, and both words of a counter are used. Counters are told, not counted:
vmap, chunks and devices change nothing.

Reference: Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3".
"""

from itertools import cycle, islice

import jax
import jax.numpy as jnp
import numpy as np

_ROUNDS = 20
_ROTATIONS = (13, 15, 26, 6, 17, 29, 16, 24)
_PARITY = np.uint32(0x1BD11BDA)


def threefry(key: jax.Array, high: jax.Array, low: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The two random words of the counter (high, low) under a key of two words; uint32 all."""
    keys = (key[0], key[1], key[0] ^ key[1] ^ _PARITY)
    high, low = high + keys[0], low + keys[1]
    for done, turn in enumerate(islice(cycle(_ROTATIONS), _ROUNDS), start=1):
        high = high + low
        low = high ^ _rotated(low, turn)
        if done % 4 == 0:
            injected = done // 4
            high = high + keys[injected % 3]
            low = low + keys[(injected + 1) % 3] + np.uint32(injected)
    return high, low


def words(key: jax.Array, high: jax.Array, low: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The words of the counters (high, low), all of one with all of the other.

    Returns:
      Twice (*high.shape, *low.shape), uint32.
    """
    high = high.astype(jnp.uint32).reshape(*high.shape, *(1,) * low.ndim)
    return threefry(jax.random.key_data(key), high, low)


def check_counters(count: int) -> None:
    """Whether the low word of a counter can tell so many apart."""
    if not 0 < count < 2**32:
        raise ValueError(f"One counter reaches 2**32 pairs of words, {count} were asked for.")


def _rotated(word: jax.Array, turn: int) -> jax.Array:
    return (word << np.uint32(turn)) | (word >> np.uint32(32 - turn))
