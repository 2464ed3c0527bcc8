"""Where in a region the smoothed class is likeliest to differ: climbs, curved directions, ends.

One jitted function gives slopes of the soft margin, and a loop on the host drives it: on CPU a
backward convolution inside a scan is several times slower.
"""

from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.audit.attack.candidates import (
    end_coordinates,
    ends,
    point_inside,
    steepest,
    to_ball,
    to_outline,
)
from aniso_jax.audit.attack.target import Effort, Target
from aniso_jax.smoothing.noise import blocks_for
from aniso_jax.smoothing.soft import soft_votes

_REACH = 0.5  # of a curvature's difference, in standard deviations of the noise
_CHANCE = 1000  # folded into the key for what is no noise; far from every phase


class Candidates(NamedTuple):
    """Points inside a region, (candidates, *shape), and what kind each one is."""

    points: jax.Array
    kinds: tuple[str, ...]


def propose(target: Target, effort: Effort) -> Candidates:
    """Candidates of every kind: climb, curved, steepest, and axis (l2) or vertex (l1).

    All lie provably inside the region. The same effort and dimension give as many of each kind.
    """
    starts = _starts(target, effort.climbs)
    slopes = _slopes(target, np.zeros(starts.shape, np.float32), _fresh(0, effort), effort)
    curved = curved_directions(target, starts, effort)
    climbed = climb(target, _started(starts, curved), effort)
    points = _points(target, slopes, climbed, curved, each=effort.ends)
    kinds = ["climb"] * len(climbed) + ["curved"] * 2 * len(curved) + ["steepest"]
    end = "axis" if target.law.order == 2 else "vertex"
    return Candidates(points, (*kinds, *[end] * (len(points) - len(kinds))))


def climb(target: Target, starts: jax.Array, effort: Effort) -> jax.Array:
    """Projected ascents of the soft margin in whitened coordinates; (climbs, *shape) as `starts`.

    Steps go to the steepest point of a ball of radius 2 gap / (step + 2), so that the first one
    reaches the outline; every step sees fresh draws.
    """
    u = starts
    for step in range(effort.steps):
        slopes = _slopes(target, u, _fresh(step + 1, effort), effort)
        u = _stepped(target, u, slopes, 2.0 / (step + 2))
    return u


def curved_directions(target: Target, starts: jax.Array, effort: Effort) -> Any:
    """Directions in which the soft margin at the center curves most, as far as the outline.

    Block power steps with H v = (slope(h v) - slope(-h v)) / (2 h), all on the same draws. The
    difference over h, a part of the noise, sees the kinks of a network of relus, which a
    derivative of its derivative at each draw misses.

    Returns:
      (min(climbs / 2, d), *shape).
    """
    count, region = min(effort.climbs // 2, target.region.dimension), target.region
    v = _orthonormal(np.asarray(starts[1 : count + 1]))
    shared = np.full(2 * count, _fresh(effort.steps + 1, effort)[0])
    for _ in range(effort.turns):
        ahead = np.float32(_REACH * target.law.std) * v
        slopes = _slopes(target, np.concatenate([ahead, -ahead]), shared, effort)
        v = _orthonormal(np.asarray(slopes[:count] - slopes[count:]))
    lengths = np.linalg.norm(v.reshape(count, -1), region.order, axis=-1)
    return v * (np.asarray(region.gap) / lengths).reshape(count, *[1] * region.center.ndim)


@partial(jax.jit, static_argnames="n")
def soft_slopes(target: Target, us: jax.Array, blocks: jax.Array, *, n: int) -> jax.Array:
    """Slope in u of p_j - p_label at x + S u, p the soft votes and j the strongest other class."""

    def margin(u: jax.Array, block: jax.Array) -> jax.Array:
        region = target.region
        votes = soft_votes(
            target.apply_fn,
            target.params,
            region.center + region.scale.push(u),
            target.key,
            law=target.law,
            scale=region.scale,
            n=n,
            antithetic=True,
            first_block=block,
        )
        is_label = jnp.arange(votes.size) == target.label
        return jnp.max(jnp.where(is_label, -jnp.inf, votes)) - votes[target.label]

    slopes = jax.vmap(jax.grad(margin))(us, blocks)
    return jnp.where(jnp.isfinite(slopes), slopes, 0.0)


def _slopes(target: Target, us: Any, draws: Any, effort: Effort) -> jax.Array:
    blocks = draws * blocks_for(effort.draws)
    slopes: jax.Array = soft_slopes(target, us, blocks, n=effort.draws)
    return slopes


def _fresh(turn: int, effort: Effort) -> Any:
    """Sets of draws, one for each climb, that no other turn uses."""
    return np.arange(turn * effort.climbs, (turn + 1) * effort.climbs, dtype=np.int32)


@partial(jax.jit, static_argnames="count")
def _starts(target: Target, count: int) -> jax.Array:
    """The center, and points at random directions and depths."""
    where, how_far = jax.random.split(_chance(target, 0))
    region = target.region
    random = jax.random.normal(where, (count, *region.center.shape))
    outline = jax.vmap(lambda u: to_outline(u, region.gap, region.order))(random)
    depth = jax.random.uniform(how_far, (count, *[1] * region.center.ndim))
    return (outline * depth).at[0].set(0.0)


@jax.jit
def _stepped(target: Target, us: jax.Array, slopes: jax.Array, share: jax.Array) -> jax.Array:
    gap, order = target.region.gap, target.region.order

    def one(u: jax.Array, slope: jax.Array) -> jax.Array:
        return to_ball(u + steepest(slope, share * gap, order), gap, order)

    return jax.vmap(one)(us, slopes)


@partial(jax.jit, static_argnames="each")
def _points(
    target: Target, slopes: jax.Array, climbed: jax.Array, curved: jax.Array, *, each: int
) -> jax.Array:
    """The points of all kinds, in the order of `propose`."""
    region, slope = target.region, jnp.mean(slopes, axis=0)
    theta = region.scale.push(jnp.ones_like(region.center))
    chosen = end_coordinates(slope, theta, _chance(target, 1), each=each)
    us = (
        climbed,
        curved,
        -curved,
        steepest(slope, region.gap, region.order)[None],
        ends(chosen, region.gap, region.center.shape),
    )
    return jax.vmap(lambda u: point_inside(region, u, target.steps))(jnp.concatenate(us))


def _started(starts: jax.Array, curved: Any) -> Any:
    """Starts of the climbs: half way along the curved directions, for some of the random ones.

    For l1 a step moves one coordinate, and a random point is near the center in each of them.
    """
    own = np.array(starts)
    own[1 : len(curved) + 1] = curved / 2
    return own


def _orthonormal(vectors: Any) -> Any:
    """An orthonormal basis of their span, in their order."""
    basis, _ = np.linalg.qr(vectors.reshape(len(vectors), -1).T)
    return basis.T.reshape(vectors.shape)


def _chance(target: Target, use: int) -> jax.Array:
    return jax.random.fold_in(jax.random.fold_in(target.key, _CHANCE), use)
