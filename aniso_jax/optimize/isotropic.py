"""Data-dependent isotropic scales: sigma * gap(sigma) is maximised per input."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Isotropic
from aniso_jax.optimize.problem import Optimized, Problem, Search, pose, run
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import blocks_for
from aniso_jax.smoothing.votes import ApplyFn

_GOLDEN = 0.6180339887


class Bracket(NamedTuple):
    """low < left < right < high in log sigma, with the radii at the two inner points."""

    low: jax.Array
    left: jax.Array
    right: jax.Array
    high: jax.Array
    at_left: jax.Array
    at_right: jax.Array


@dataclass(frozen=True, kw_only=True)
class GoldenSection:
    """Golden-section search over log sigma with common draws: the radius is quasi-concave there.

    Attributes:
      steps: evaluations after the first two; each shrinks the bracket to 0.618 of its width.
      n: draws of an evaluation, the same ones each time, so that differences have no noise.
      factor: the bracket is [start / factor, start * factor].
    """

    steps: int = 11
    n: int = 256
    factor: float = 8.0

    def init(self, problem: Problem) -> Bracket:
        """Two evaluations inside the widest bracket."""
        center, width = jnp.log(_sigma(problem)), jnp.log(self.factor)
        low, high = center - width, center + width
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        inner = jnp.stack([left, right])
        at = jax.lax.map(lambda place: self._radius(problem, place), inner)  # compiled once
        return Bracket(low, left, right, high, at[0], at[1])

    def step(self, problem: Problem, state: Bracket) -> Bracket:
        """Drop the worse outer part; one new evaluation."""
        low, left, right, high, at_left, at_right = state
        goes_left = at_left >= at_right
        low, high = jnp.where(goes_left, low, left), jnp.where(goes_left, right, high)
        new = jnp.where(goes_left, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_new = self._radius(problem, new)
        return Bracket(
            low=low,
            left=jnp.where(goes_left, new, right),
            right=jnp.where(goes_left, left, new),
            high=high,
            at_left=jnp.where(goes_left, at_new, at_right),
            at_right=jnp.where(goes_left, at_left, at_new),
        )

    def finish(self, problem: Problem, state: Bracket) -> Optimized:
        """The better inner point, if it also beats the start on fresh draws."""
        best = jnp.where(state.at_left >= state.at_right, state.left, state.right)
        return _keep_better(problem, jnp.exp(best), n=self.n, first_block=blocks_for(self.n))

    def _radius(self, problem: Problem, log_sigma: jax.Array) -> jax.Array:
        sigma = jnp.exp(log_sigma)
        return sigma * problem.soft_gap(Isotropic(sigma=sigma), n=self.n, first_block=0)


class Ascent(NamedTuple):
    """Where gradient ascent stands."""

    sigma: jax.Array
    steps_done: jax.Array


@dataclass(frozen=True, kw_only=True)
class GradientAscent:
    """Stochastic gradient ascent on sigma * gap, as published; the last iterate or the start.

    Attributes:
      steps, learning_rate, n: the published values by default.
      floor: sigma never falls below this share of the start, so that it stays positive.

    Reference: Alfarra et al. 2022, Algorithm 1.
    """

    steps: int = 900
    learning_rate: float = 0.04
    n: int = 100
    floor: float = 1 / 64

    def init(self, problem: Problem) -> Ascent:
        """The start, nothing evaluated yet."""
        return Ascent(_sigma(problem), jnp.int32(0))

    def step(self, problem: Problem, state: Ascent) -> Ascent:
        """One gradient step on fresh draws."""

        def radius(sigma: jax.Array) -> jax.Array:
            block = state.steps_done * blocks_for(self.n)
            return sigma * problem.soft_gap(Isotropic(sigma=sigma), n=self.n, first_block=block)

        moved = state.sigma + self.learning_rate * jax.grad(radius)(state.sigma)
        return Ascent(jnp.maximum(moved, self.floor * _sigma(problem)), state.steps_done + 1)

    def finish(self, problem: Problem, state: Ascent) -> Optimized:
        """The last iterate, as published, if it beats the start on fresh draws."""
        first_block = self.steps * blocks_for(self.n)
        return _keep_better(problem, state.sigma, n=4 * self.n, first_block=first_block)


golden_section = GoldenSection()
"""The default: a bracketed search by common random numbers, forward passes only."""

published_isotropic = GradientAscent()
"""900 gradient steps of 100 draws, learning rate 0.04."""


def optimize_isotropic(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    init: Isotropic,
    label: jax.Array | int | None = None,
    settings: Search[Any] = golden_section,
) -> Optimized:
    """Find the sigma with the largest soft radius sigma * gap(sigma) at x.

    Args:
      apply_fn, params, x, key: as in `certify`; the same key may be used there, since phases
        never share draws.
      law: the noise.
      init: where to start, usually the sigma of training.
      label: the class to certify; None takes the top class of soft votes at `init`.
      settings: `golden_section` or `published_isotropic`.

    Returns:
      `Optimized`, with an `Isotropic` scale; at least as good as `init` on fresh soft votes.

    Guarantee: none about the smoothed classifier; only `certify` certifies.

    Reference: Alfarra et al. 2022; Kung and Chen 2024 (quasi-concavity).

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> best = aj.optimize_isotropic(f, jnp.array([9.0, 0.0]), jnp.array([1.0, 0.0]),
    ...                              jax.random.key(0), law=aj.gaussian,
    ...                              init=aj.Isotropic(sigma=0.1))
    >>> bool(best.scale.sigma > 0.1)
    True
    """
    if not isinstance(init, Isotropic):
        raise ValueError(f"init must be an Isotropic scale, got {type(init).__name__}.")
    return run(settings, pose(apply_fn, params, x, key, law=law, init=init, label=label))


def _sigma(problem: Problem) -> jax.Array:
    return jnp.asarray(problem.start.inradius(problem.law.order), jnp.float32)


def _keep_better(
    problem: Problem, sigma: jax.Array, *, n: int, first_block: jax.Array | int
) -> Optimized:
    """`sigma` or the start, whichever has the larger radius on fresh draws."""
    start = _sigma(problem)

    def gap(sigma: jax.Array) -> jax.Array:
        return problem.soft_gap(Isotropic(sigma=sigma), n=n, first_block=first_block)

    gaps = jax.lax.map(gap, jnp.stack([start, sigma]))  # compiled once
    improved = sigma * gaps[1] > start * gaps[0]
    return Optimized(
        scale=Isotropic(sigma=jnp.where(improved, sigma, start)),
        gap=jnp.where(improved, gaps[1], gaps[0]),
        capped_share=jnp.float32(0),
        improved=improved,
    )
