"""What may be done to an image before noise is added: moved, mirrored."""

import jax
import jax.numpy as jnp
from jax import Array


def shifted(x: Array, key: Array, most: int) -> Array:
    """Move each image of a batch (b, H, W, C) by up to `most` pixels, filling with the edge.

    >>> shifted(jnp.ones((2, 4, 4, 1)), jax.random.key(0), 2).min().item()
    1.0
    """
    if most == 0:
        return x
    padded = jnp.pad(x, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    corners = jax.random.randint(key, (x.shape[0], 2), 0, 2 * most + 1)

    def cut(image: Array, corner: Array) -> Array:
        return jax.lax.dynamic_slice(image, (corner[0], corner[1], 0), x.shape[1:])

    return jax.vmap(cut)(padded, corners)


def flipped(x: Array, key: Array) -> Array:
    """Mirror about half of the images of a batch (b, H, W, C) left to right.

    >>> pairs = jnp.tile(jnp.array([[[[1.0], [2.0]]]]), (100, 1, 1, 1))
    >>> 20 < int(flipped(pairs, jax.random.key(0))[:, 0, 0, 0].sum()) - 100 < 80
    True
    """
    mirrored = jax.random.bernoulli(key, 0.5, (x.shape[0], 1, 1, 1))
    return jnp.where(mirrored, x[:, :, ::-1], x)
