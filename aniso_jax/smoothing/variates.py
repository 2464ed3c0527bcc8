"""Two random words into two independent variates of a law, in float32.

The words are integers and the variates float32: of 2^32 equally likely values each, rounded. What
`grid` mode is for is not done here.
"""

import jax
import jax.numpy as jnp
import numpy as np

Pair = tuple[jax.Array, jax.Array]


def normals(first: jax.Array, second: jax.Array) -> Pair:
    """Two of N(0, 1): sqrt(-2 log u) times the cosine and the sine of a random angle.

    Half the logarithms of an inverse distribution function, and no branch; |z| reaches 6.7.

    Reference: Box and Muller 1958.
    """
    radius = jnp.sqrt(-2 * jnp.log(_fraction(first)))
    cosine, sine = _on_circle(second)
    return radius * cosine, radius * sine


def uniforms(first: jax.Array, second: jax.Array) -> Pair:
    """Two of U[-1, 1]."""
    return _signed(first), _signed(second)


def laplaces(first: jax.Array, second: jax.Array) -> Pair:
    """Two of density exp(-|z|) / 2: an exponential with the sign of the word's first bit."""
    return _laplace(first), _laplace(second)


def _laplace(word: jax.Array) -> jax.Array:
    size = -jnp.log(_fraction(word << np.uint32(1)))
    return jnp.where(word >> np.uint32(31) == 0, size, -size)


def _fraction(word: jax.Array) -> jax.Array:
    """(word + 1/2) / 2^32 in (0, 1], small ones to all their digits."""
    return (word.astype(jnp.float32) + np.float32(0.5)) * np.float32(2.0**-32)


def _signed(word: jax.Array) -> jax.Array:
    """The word as a two's complement number over 2^31, in [-1, 1]."""
    return word.astype(jnp.int32).astype(jnp.float32) * np.float32(2.0**-31)


def _on_circle(word: jax.Array) -> Pair:
    """Cosine and sine of a random angle: two bits choose the quarter, the others turn within it.

    Taylor polynomials on |angle| <= pi/4, where the next term is below 4e-7: a library's cosine
    must reduce any angle first and takes four times as long.
    """
    angle = _signed(word << np.uint32(2)) * np.float32(np.pi / 4)
    square = angle * angle
    sine = angle * _polynomial(square, (1, -1 / 6, 1 / 120, -1 / 5040, 1 / 362880))
    cosine = _polynomial(square, (1, -1 / 2, 1 / 24, -1 / 720, 1 / 40320))
    is_odd = (word >> np.uint32(30)) & np.uint32(1) == 1
    is_low = word >> np.uint32(31) == 1
    cosine, sine = jnp.where(is_odd, -sine, cosine), jnp.where(is_odd, cosine, sine)
    return jnp.where(is_low, -cosine, cosine), jnp.where(is_low, -sine, sine)


def _polynomial(x: jax.Array, coefficients: tuple[float, ...]) -> jax.Array:
    value = jnp.full_like(x, coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        value = value * x + np.float32(coefficient)
    return value
