"""Hyperplanes between ellipsoids of which one or both have axes of their own.

Every w proves what `separation` says it proves; here w = (P_a + kappa P_b)^-1 delta, P the regions'
shape matrices (gap S)(gap S)', by Woodbury's identity in O(d k^2). How well w was solved for plays
no part in the proof: w . delta is lowered and the reaches ||S' w|| are raised by what their own
rounding can do. S' w needs no inverse, so that the rounding of the directions plays none either.
"""

import math

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.axes import thetas, thetas_inside, thetas_outside
from aniso_jax.geometry.balls import norm
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.rounding import slack, total
from aniso_jax.geometry.separation import dual_norm, steps


def tilted_separation(a: Region, b: Region, *, enough: float) -> jax.Array:
    """A factor by which both regions may grow and stay apart; the search ends above `enough`.

    At the best w, kappa = reach_a / reach_b: what tells on which side of it a kappa lies.
    """
    State = tuple[jax.Array, jax.Array, jax.Array, jax.Array]

    def step(state: State) -> State:
        count, low, high, best = state
        middle = (low + high) / 2
        w = _witness(a, b, jnp.exp(middle))
        reach_a, reach_b = reach_along(a, w), reach_along(b, w)
        found = between(a.center - b.center, w) / (reach_a + reach_b)
        up = jnp.exp(middle) * reach_b < reach_a
        best = jnp.where(found > best, found, best)  # never a NaN
        return count + 1, jnp.where(up, middle, low), jnp.where(up, high, middle), best

    (low_a, high_a), (low_b, high_b) = _log_reaches(a), _log_reaches(b)
    start = jnp.int32(0), low_a - high_b, high_a - low_b, jnp.zeros_like(low_a)
    most = steps(low_a.dtype)
    goes_on = lambda state: (state[0] < most) & (state[3] <= enough)  # noqa: E731
    return jax.lax.while_loop(goes_on, step, start)[3]


def between(offset: jax.Array, w: jax.Array) -> jax.Array:
    """w . (x_a - x_b), rounded down; its terms have either sign."""
    terms = w * offset
    return total(terms) - 2 * slack(terms.dtype, terms.size) * total(jnp.abs(terms))


def reach_along(region: Region, w: jax.Array) -> jax.Array:
    """gap ||S' w||_q, above what the rounding of S' w can hide; `margin` covers that of the rest.

    With z = diag(theta) w: k scalar products with z are wrong by `slack` ||z||, and the sum of
    k + 1 terms by (k + 2) eps of their lengths; in l2, which is never less than the largest entry.
    """
    scale = region.scale
    if not isinstance(scale, Rotated):
        return region.gap * dual_norm(scale.push(w), region.order)
    k, eps = scale.directions, float(np.finfo(w.dtype).eps)
    stretched = math.sqrt(k) * jnp.max(jnp.abs(jnp.asarray(scale.stretch) - 1))
    sums = 1.1 * (slack(w.dtype, w.size) + (k + 2) * eps) * stretched + (k + 2) * eps
    hidden = sums * norm(jnp.asarray(scale.theta) * w, 2)
    return region.gap * (dual_norm(scale.adjoint(w), region.order) + hidden)


def _witness(a: Region, b: Region, kappa: jax.Array) -> jax.Array:
    """(P_a + kappa P_b)^-1 delta with a peak of 1."""
    diagonal_a, rows_a, weights_a = _shape_matrix(a)
    diagonal_b, rows_b, weights_b = _shape_matrix(b)
    inverse = 1 / (jnp.square(diagonal_a) + kappa * jnp.square(diagonal_b))
    rows = jnp.concatenate([rows_a, jnp.sqrt(kappa) * rows_b])
    weights = jnp.concatenate([weights_a, weights_b])
    offset = jnp.ravel(a.center - b.center)
    inner = jnp.eye(len(rows)) + weights[:, None] * ((rows * inverse) @ rows.T)
    part = jnp.linalg.solve(inner, weights * (rows @ (inverse * offset)))
    w = inverse * (offset - part @ rows)
    return jnp.reshape(w / jnp.max(jnp.abs(w)), a.center.shape)


def _shape_matrix(region: Region) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(diagonal, rows, weights): P = diag(diagonal)^2 + rows' diag(weights) rows."""
    scale, ones = region.scale, jnp.ones_like(region.center)
    if not isinstance(scale, Rotated):
        diagonal = jnp.ravel(region.gap * thetas(scale, region.center))
        return diagonal, jnp.zeros((0, diagonal.size)), jnp.zeros(0)
    diagonal = jnp.ravel(region.gap * scale.theta * ones)
    rows = jnp.reshape(jnp.asarray(scale.basis), (scale.directions, -1)) * diagonal
    return diagonal, rows, jnp.square(jnp.asarray(scale.stretch)) - 1


def _log_reaches(region: Region) -> tuple[jax.Array, jax.Array]:
    """Between what gap ||S' w|| lies for ||w|| = 1, in logarithms."""
    shortest = jnp.min(thetas_inside(region.scale, region.center, 2))
    longest = jnp.max(thetas_outside(region.scale, region.center, 2))
    tiny = float(np.finfo(longest.dtype).tiny)
    return jnp.log(jnp.maximum(region.gap * shortest, tiny)), jnp.log(region.gap * longest)
