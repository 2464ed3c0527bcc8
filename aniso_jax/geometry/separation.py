"""Hyperplanes between two regions: found by a search, believed after a check.

With q dual to p, any w with

    w . (x_a - x_b)  >  gap_a ||S_a' w||_q + gap_b ||S_b' w||_q

proves that the regions have no common point: both sides are lengths along w, between the centers
and of the two regions' reach. So a search for w can never make a proof wrong. For diagonal scales
the best w is one of a family with a single number kappa > 0 (lambda, mu the semi-axes):

    l2: w = delta / (lambda^2 + kappa mu^2)        l1: w = sign(delta) min(1 / lambda, kappa / mu)

which is the dual D(s) at kappa = s / (1 - s). A scale with axes of its own needs another family
and ||S' w||; the inequality stays.

Tolerance. A region is asked to stay away with the factor 1 + `margin` on both reaches, margin =
4 slack. Sums are made in pairs, so that the two sides are wrong by no more than about
(1.5 log2 d + 14) half-eps together, less than one slack = (log2 d + 8) eps; a point that rounding
lets into a region lies in the region enlarged by less than two. What is called disjoint therefore
stays disjoint when both regions are enlarged by all that rounding can do to a membership test.
There is no matrix product and no difference of squares, hence neither TF32 nor cancellation.
"""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.balls import norm
from aniso_jax.geometry.rounding import slack, total


def steps(dtype: jnp.dtype) -> int:
    """Bisections of a bracket over log kappa, at most 111 wide, until it is below any tolerance.

    Then it is no wider than the rounding of log kappa itself, which `margin` exceeds; in l1 the
    value has kinks, and what is off in log kappa is off in the value.

    >>> steps(jnp.dtype("float32")), 111 / 2 ** steps(jnp.dtype("float64")) < 1e-15
    (28, True)
    """
    return 28 if np.finfo(dtype).bits <= 32 else 60


def margin(dtype: jnp.dtype, dimension: int) -> float:
    """Relative distance that disjoint regions keep.

    >>> 0 < margin(jnp.float32, 2) < margin(jnp.float32, 150_528) < 2e-5
    True
    """
    return 4 * slack(dtype, dimension)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Pair:
    """Two regions in the units of the first one's semi-axes.

    Attributes:
      offset: (x_a - x_b) / lambda.
      ratio: mu / lambda.
      order: of the norm; static.
    """

    offset: jax.Array
    ratio: jax.Array
    order: int = field(metadata={"static": True})


def separation(pair: Pair, *, enough: float) -> jax.Array:
    """The largest factor by which both regions may grow, found so far; ends above `enough`.

    Max over kappa of w . delta / (||Lambda w|| + ||M w||), which rises and then falls: by
    bisection over log kappa; 0 where nothing is found.
    """
    State = tuple[jax.Array, jax.Array, jax.Array, jax.Array]

    def step(state: State) -> State:
        count, low, high, best = state
        middle = (low + high) / 2
        between, reach_a, reach_b = reaches(pair, witness(pair, middle))
        found = between / (reach_a + reach_b)
        if pair.order == 1:
            held, free = saturated(pair, middle)
            up = free > held
        else:
            up = jnp.exp(middle) * reach_b < reach_a
        best = jnp.where(found > best, found, best)  # never a NaN
        return count + 1, jnp.where(up, middle, low), jnp.where(up, high, middle), best

    log_ratio = jnp.log(pair.ratio)
    turning = log_ratio if pair.order == 1 else -log_ratio
    low, high = jnp.min(turning), jnp.max(turning)
    most = steps(low.dtype)

    def goes_on(state: State) -> jax.Array:
        return (state[0] < most) & (state[3] <= enough)

    return jax.lax.while_loop(goes_on, step, (jnp.int32(0), low, high, jnp.zeros_like(low)))[3]


def witness(pair: Pair, log_kappa: jax.Array) -> jax.Array:
    """Lambda w for the member of the family at kappa."""
    if pair.order == 1:
        return jnp.sign(pair.offset) * jnp.minimum(1, jnp.exp(log_kappa) / pair.ratio)
    return pair.offset / (1 + jnp.square(pair.ratio * jnp.exp(log_kappa / 2)))


def reaches(pair: Pair, v: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """(w . delta, ||Lambda w||_q, ||M w||_q) for any v = Lambda w, w scaled to a peak of 1.

    The peak keeps what underflows below 1e-38 of the largest reach.
    """
    peak = jnp.max(jnp.abs(v))
    v = v / jnp.where(peak > 0, peak, 1)
    return total(v * pair.offset), dual_norm(v, pair.order), dual_norm(pair.ratio * v, pair.order)


def dual_norm(v: jax.Array, order: int) -> jax.Array:
    """||v||_q, q dual to the norm order."""
    return jnp.max(jnp.abs(v)) if order == 1 else norm(v, 2)


def saturated(pair: Pair, log_kappa: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The l1 dual's two sums of |delta|: over lambda where w is held by it, over mu elsewhere."""
    size, is_held = jnp.abs(pair.offset), pair.ratio < jnp.exp(log_kappa)
    held = total(jnp.where(is_held, size, 0))
    return held, total(jnp.where(is_held, 0, size / pair.ratio))
