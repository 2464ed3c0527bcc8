"""Hyperplanes between cross-polytopes of which one or both have axes of their own.

w = A' sign(A delta) is the best one between two of the same scale, in closed form: it proves them
apart where ||A delta||_1 exceeds the sum of their gaps. Between others the plane best for the one
is bent towards the other: what its entries in the other's coordinates, S' w, have above a limit is
cut off. For aligned regions that is the whole family of `separation`. The limits are a few, so
that what is proved is short of the truth; that it is one plays no part in a proof (`tilted`).
"""

import jax
import jax.numpy as jnp

from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.tilted import between, reach_along

_LIMITS = 24
"""Of the entries of S' w, from the largest of them down by a fifth each: to a two-hundredth."""


def polytope_separation(a: Region, b: Region) -> jax.Array:
    """A factor by which both regions may grow and stay apart; 0 where none is found."""
    return jnp.maximum(_from(a, b), _from(b, a))


def _from(a: Region, b: Region) -> jax.Array:
    """The best factor of the planes that are best for `a`, bent towards `b`."""
    offset = a.center - b.center
    best_for_a = _adjoint_pull(a, jnp.sign(a.scale.pull(offset)))
    seen_by_b = _adjoint(b, best_for_a)
    largest = jnp.max(jnp.abs(seen_by_b))

    def found(limit: jax.Array) -> jax.Array:
        bent = _adjoint_pull(b, jnp.clip(seen_by_b, -limit, limit))
        w = bent / jnp.max(jnp.abs(bent))
        return between(offset, w) / (reach_along(a, w) + reach_along(b, w))

    factors = jax.lax.map(found, largest * 0.8 ** jnp.arange(_LIMITS))
    return jnp.max(jnp.where(factors > 0, factors, 0))  # never a NaN


def _adjoint(region: Region, w: jax.Array) -> jax.Array:
    """S' w."""
    scale = region.scale
    return scale.adjoint(w) if isinstance(scale, Rotated) else scale.push(w)


def _adjoint_pull(region: Region, u: jax.Array) -> jax.Array:
    """A' u: S = D M with a symmetric M, so that A' = D^-1 M^-1."""
    scale = region.scale
    if not isinstance(scale, Rotated):
        return scale.pull(u)
    theta = jnp.asarray(scale.theta)
    return scale.pull(u * theta) / theta
