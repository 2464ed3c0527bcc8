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

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import jax
import jax.numpy as jnp

from aniso_jax.geometry.balls import norm
from aniso_jax.geometry.rounding import slack, total

STEPS = 28
"""Bisections over log kappa: its bracket shrinks below any tolerance."""


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


Evaluate = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]
"""From (w . delta, ||Lambda w||_q, ||M w||_q) to what is to be as large as possible."""


def separation(pair: Pair, *, enough: float) -> jax.Array:
    """The largest factor by which both regions may grow, found so far; ends above `enough`.

    Max over kappa of w . delta / (||Lambda w|| + ||M w||), which rises and then falls.
    """

    def value(between: jax.Array, reach_a: jax.Array, reach_b: jax.Array) -> jax.Array:
        return between / (reach_a + reach_b)

    def rises(log_kappa: jax.Array) -> jax.Array:
        if pair.order == 1:
            held, free = _saturated(pair, log_kappa)
            return free > held
        _, reach_a, reach_b = reaches(pair, witness(pair, log_kappa))
        return jnp.exp(log_kappa) * reach_b < reach_a

    log_ratio = jnp.log(pair.ratio)
    turning = log_ratio if pair.order == 1 else -log_ratio
    bracket = jnp.min(turning), jnp.max(turning)
    return search(pair, value, rises, bracket, enough=enough)


def free_reach(pair: Pair, *, tolerance: float) -> jax.Array:
    """The factor to which the second region may grow or must shrink; 0 where none is found.

    Max over kappa of (w . delta / (1 + tolerance) - ||Lambda w||) / ||M w||. At the best w of l2
    the point where the two touch lies on the first one's outline: ||Lambda w|| = 1. The tolerance
    brings the centers nearer before anything else, so that this turning point is the one of the
    value: between very long and very short axes the two lie far apart.
    """
    pair = replace(pair, offset=pair.offset / (1 + tolerance))

    def value(between: jax.Array, reach_a: jax.Array, reach_b: jax.Array) -> jax.Array:
        return (between - reach_a) / reach_b

    def rises(log_kappa: jax.Array) -> jax.Array:
        if pair.order == 1:
            return _saturated(pair, log_kappa)[0] < 1
        return norm(witness(pair, log_kappa), 2) > 1

    return search(pair, value, rises, _bracket_of_touching(pair), enough=jnp.inf)


def search(
    pair: Pair,
    value: Evaluate,
    rises: Callable[[jax.Array], jax.Array],
    bracket: tuple[jax.Array, jax.Array],
    *,
    enough: float,
) -> jax.Array:
    """The best value met in a bisection over log kappa; 0 where none is positive."""
    State = tuple[jax.Array, jax.Array, jax.Array, jax.Array]

    def step(state: State) -> State:
        count, low, high, best = state
        middle = (low + high) / 2
        found = value(*reaches(pair, witness(pair, middle)))
        up = rises(middle)
        best = jnp.where(found > best, found, best)  # never a NaN
        return count + 1, jnp.where(up, middle, low), jnp.where(up, high, middle), best

    def goes_on(state: State) -> jax.Array:
        return (state[0] < STEPS) & (state[3] <= enough)

    start = jnp.int32(0), *bracket, jnp.zeros_like(bracket[0])
    return jax.lax.while_loop(goes_on, step, start)[3]


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
    return total(v * pair.offset), _dual_norm(v, pair.order), _dual_norm(pair.ratio * v, pair.order)


def _dual_norm(v: jax.Array, order: int) -> jax.Array:
    return jnp.max(jnp.abs(v)) if order == 1 else norm(v, 2)


def _saturated(pair: Pair, log_kappa: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The l1 dual's two sums of |delta|: over lambda where w is held by it, over mu elsewhere."""
    size, is_held = jnp.abs(pair.offset), pair.ratio < jnp.exp(log_kappa)
    held = total(jnp.where(is_held, size, 0))
    return held, total(jnp.where(is_held, 0, size / pair.ratio))


def _bracket_of_touching(pair: Pair) -> tuple[jax.Array, jax.Array]:
    """Where ||Lambda w|| = 1 must lie, from the smallest and the largest ratio alone."""
    log_ratio = jnp.log(pair.ratio)
    shortest, longest = jnp.min(log_ratio), jnp.max(log_ratio)
    if pair.order == 1:
        return shortest, longest
    beyond = jnp.log(jnp.maximum(norm(pair.offset, 2) - 1, 1e-30))
    return beyond - 2 * longest, beyond - 2 * shortest
