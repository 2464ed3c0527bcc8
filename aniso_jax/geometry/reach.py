"""How far a region may grow before it meets another one: a search for the best hyperplane.

In units of the first region's semi-axes, with o = delta / lambda, r = mu / lambda and v = Lambda w,
every kappa > 0 proves a reach of the second, (v . o - ||v||_q) / ||r v||_q:

    l2: v = o / (1 + kappa r^2)        l1: v = sign(o) min(1, kappa / r)

It is largest where the two touch on the first one's outline: in l2 where ||v||_2 = 1, in l1 where
the sum of |o| over r < kappa passes 1. The former is an equation as trust regions have it, with
1 / ||v|| concave in kappa: Newton's steps for it come from below, never pass it and mostly need
five. Where they go slowly the bracket is halved after them.
"""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.balls import norm
from aniso_jax.geometry.rounding import total
from aniso_jax.geometry.separation import Pair, reaches, saturated, steps, witness

_NEWTON = 8
"""Newton's steps before the first halving."""

Bracket = tuple[jax.Array, jax.Array]


def free_reach(pair: Pair, *, tolerance: float, enough: jax.Array | float) -> jax.Array:
    """The factor to which the second region may grow or must shrink; 0 where none is found.

    What is found below `enough` is the same whatever `enough` is; the search ends once it is there.
    The tolerance brings the centers nearer before anything else, so that the turning point is the
    one of the value: between very long and very short axes the two lie far apart.
    """
    pair = replace(pair, offset=pair.offset / (1 + tolerance))
    low, high = _bracket(pair)
    State = tuple[jax.Array, jax.Array, jax.Array, jax.Array, jax.Array]

    most, still = _NEWTON + steps(low.dtype), 4 * float(np.finfo(low.dtype).eps)

    def step(state: State) -> State:
        count, low, high, at, best = state
        between, reach_a, reach_b = reaches(pair, witness(pair, at))
        found = (between - reach_a) / reach_b
        best = jnp.where(found > best, found, best)  # never a NaN
        is_below, newton = _turn(pair, at)
        low, high = jnp.where(is_below, at, low), jnp.where(is_below, high, at)
        middle = (low + high) / 2
        is_usable = (count < _NEWTON) & (low < newton) & (newton < high)
        is_done = jnp.abs(newton - at) <= still * jnp.maximum(jnp.abs(at), 1)
        is_done = is_done | (middle <= low) | (middle >= high)  # what floats can tell apart
        count = jnp.where(is_done, most, count + 1)
        return count, low, high, jnp.where(is_usable, newton, middle), best

    def goes_on(state: State) -> jax.Array:
        return (state[0] < most) & (state[4] < enough)

    # From the side where a region much smaller than the first one is proved free at once.
    first = high if pair.order == 1 else low
    start = jnp.int32(0), low, high, first, jnp.zeros_like(low)
    return jax.lax.while_loop(goes_on, step, start)[4]


def _turn(pair: Pair, log_kappa: jax.Array) -> Bracket:
    """(whether the best kappa lies above, where to look next; NaN for no proposal)."""
    if pair.order == 1:
        return saturated(pair, log_kappa)[0] < 1, jnp.full_like(log_kappa, jnp.nan)
    v = witness(pair, log_kappa)
    length = norm(v, 2)
    # kappa r^2 / (1 + kappa r^2), whatever overflows
    lost = 1 / (1 + jnp.square(jnp.exp(-log_kappa / 2) / pair.ratio))
    share = total(jnp.square(v / length) * lost)
    return length > 1, log_kappa + jnp.log1p((length - 1) / share)


def _bracket(pair: Pair) -> Bracket:
    """Where the best log kappa must lie, from the smallest and the largest ratio alone."""
    log_ratio = jnp.log(pair.ratio)
    shortest, longest = jnp.min(log_ratio), jnp.max(log_ratio)
    if pair.order == 1:
        return shortest, longest
    beyond = jnp.log(jnp.maximum(norm(pair.offset, 2) - 1, 1e-30))
    return beyond - 2 * longest, beyond - 2 * shortest
