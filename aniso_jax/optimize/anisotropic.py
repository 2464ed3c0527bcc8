"""Data-dependent diagonal scales: the volume of the region is maximised per input."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from aniso_jax.geometry.balls import semi_axis_cap
from aniso_jax.geometry.scales import Diagonal, Scale
from aniso_jax.optimize.problem import Optimized, Problem, pose, run
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import blocks_for
from aniso_jax.smoothing.votes import ApplyFn

_AT_CAP = 0.8  # a step's few draws know the gap, and so the cap, to about this


class Climb(NamedTuple):
    """Where the ascent stands, and the best theta it has seen."""

    theta: jax.Array
    adam: Any
    best: jax.Array
    best_value: jax.Array
    steps_done: jax.Array


@dataclass(frozen=True, kw_only=True)
class VolumeAscent:
    """Adam on the volume objective, projected onto theta >= start and onto the cap.

    Attributes:
      steps, n, learning_rate: n draws a step, fresh at every step.
      kappa: weight of the radius beside the proxy radius.
      log_space: ascend in log theta on
          log gap + mean(log theta) + kappa (log gap + log min theta),
        which is free of scale, so one learning rate serves all coordinates; otherwise ascend in
        theta on the published objective, gap (prod theta)^(1/d) + kappa gap min theta.
      antithetic: draws in pairs z, -z.
      check: fresh draws on which best, last and start are compared at the end.
      capped: keep every semi-axis where volume is not fictitious; see `semi_axis_cap`.
    """

    steps: int = 40
    n: int = 50
    learning_rate: float = 0.1
    kappa: float = 0.2
    log_space: bool = True
    antithetic: bool = True
    check: int = 256
    capped: bool = True

    def init(self, problem: Problem) -> Climb:
        """The start, nothing evaluated yet."""
        theta = _start(problem)
        adam = self._adam().init(self._variable(theta))
        return Climb(theta, adam, theta, jnp.array(-jnp.inf, theta.dtype), jnp.int32(0))

    def step(self, problem: Problem, state: Climb) -> Climb:
        """One projected step on fresh draws, which also judge the theta they found."""
        variable = self._variable(state.theta)

        def loss(variable: jax.Array) -> tuple[jax.Array, jax.Array]:
            theta = jnp.exp(variable) if self.log_space else variable
            block = state.steps_done * blocks_for(self.n)
            gap = self._gap(problem, theta, n=self.n, first_block=block)
            return -self.objective(gap, theta), gap

        (value, gap), slope = jax.value_and_grad(loss, has_aux=True)(variable)
        update, adam = self._adam().update(slope, state.adam)
        moved = variable + update
        better = -value > state.best_value
        return Climb(
            theta=self._project(problem, jnp.exp(moved) if self.log_space else moved, gap),
            adam=adam,
            best=jnp.where(better, state.theta, state.best),
            best_value=jnp.where(better, -value, state.best_value),
            steps_done=state.steps_done + 1,
        )

    def finish(self, problem: Problem, state: Climb) -> Optimized:
        """The best of the start, the best iterate and the last one, on one set of fresh draws.

        An empty region (gap <= 0) never beats the start, however long its axes.
        """
        first_block = self.steps * blocks_for(self.n)
        thetas = jnp.stack([_start(problem), state.best, state.theta])

        def judge(theta: jax.Array) -> tuple[jax.Array, jax.Array]:
            gap = self._gap(problem, theta, n=self.check, first_block=first_block)
            return gap, jnp.where(gap > 0, self.objective(gap, theta), -jnp.inf)

        gaps, values = jax.lax.map(judge, thetas)
        winner = jnp.argmax(values)
        fitted = self._project(problem, thetas[winner], gaps[winner])
        fitted_gap, fitted_value = judge(fitted)  # the projection may have moved it
        improved = fitted_value > values[0]
        theta = jnp.where(improved, fitted, thetas[0])
        return Optimized(
            scale=Diagonal(theta=theta),
            gap=jnp.where(improved, fitted_gap, gaps[0]),
            capped_share=jnp.mean(theta >= _AT_CAP * _cap(problem, gaps[winner])),
            improved=improved,
        )

    def objective(self, gap: jax.Array, theta: jax.Array) -> jax.Array:
        """What is climbed, at a soft gap and its theta."""
        if self.log_space:
            log_gap, log_theta = _log(gap), jnp.log(theta)
            radius = log_gap + jnp.min(log_theta)
            return log_gap + jnp.mean(log_theta) + self.kappa * radius
        mean_axis = jnp.exp(jnp.mean(jnp.log(theta)))
        return gap * mean_axis + self.kappa * gap * jnp.min(theta)

    def _gap(
        self, problem: Problem, theta: jax.Array, *, n: int, first_block: jax.Array | int
    ) -> jax.Array:
        scale = Diagonal(theta=theta)
        return problem.soft_gap(scale, n=n, first_block=first_block, antithetic=self.antithetic)

    def _variable(self, theta: jax.Array) -> jax.Array:
        return jnp.log(theta) if self.log_space else theta

    def _project(self, problem: Problem, theta: jax.Array, gap: jax.Array) -> jax.Array:
        """Onto start <= theta <= cap; the start wins where the two cross."""
        upper = _cap(problem, gap) if self.capped else jnp.inf
        return jnp.maximum(jnp.minimum(theta, upper), _start(problem))

    def _adam(self) -> Any:
        import optax  # here, so that importing aniso_jax stays light

        # A gradient that is not finite moves nothing: one overflow in a backward pass would
        # otherwise leave NaN in every later theta.
        return optax.apply_if_finite(optax.adam(self.learning_rate), self.steps)


def _start(problem: Problem) -> jax.Array:
    return problem.start.push(jnp.ones_like(problem.x))


def _cap(problem: Problem, gap: jax.Array) -> jax.Array:
    """Largest theta whose semi-axis gap * theta still speaks about inputs in a unit interval."""
    return semi_axis_cap(problem.x.size, problem.law.order) / jnp.maximum(gap, 0.01)


def _log(gap: jax.Array) -> jax.Array:
    """log gap, continued as a straight line below 0.01: no gap is without a direction upward."""
    edge = 0.01
    above = jnp.maximum(gap, edge)
    return jnp.where(gap > edge, jnp.log(above), jnp.log(edge) + (gap - edge) / edge)


default_anisotropic = VolumeAscent()
"""What measures best at a fifth of the published evaluations."""

published_anisotropic = VolumeAscent(
    steps=100, n=100, learning_rate=0.04, kappa=2.0, log_space=False, antithetic=False
)
"""100 Adam steps of 100 draws, learning rate 0.04, kappa 2, in theta itself."""


def optimize_anisotropic(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    init: Scale,
    label: jax.Array | int | None = None,
    settings: VolumeAscent = default_anisotropic,
) -> Optimized:
    """Find a diagonal scale of large certified volume at x, nowhere below `init`.

    Args:
      apply_fn, params, x, key: as in `certify`; the same key may be used there, since phases
        never share draws.
      law: the noise.
      init: an isotropic or diagonal scale, usually the result of `optimize_isotropic`; theta
        stays above it in every coordinate.
      label: the class to certify; None takes the top class of soft votes at `init`.
      settings: a `VolumeAscent`: `default_anisotropic` or `published_anisotropic`.

    Returns:
      `Optimized`, with a `Diagonal` scale; at least as good as `init` on fresh soft votes.

    Guarantee: none about the smoothed classifier; only `certify` certifies. That the region
    contains the isotropic one is encouraged (theta >= init), not certain, since its gap is
    estimated anew: ask `surely_contains`.

    Reference: Eiras et al. 2022, Algorithm 1.

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> best = aj.optimize_anisotropic(f, jnp.array([9.0, 0.5]), jnp.array([1.0, 0.0]),
    ...                                jax.random.key(0), law=aj.gaussian,
    ...                                init=aj.Isotropic(sigma=0.2))
    >>> theta = best.scale.theta
    >>> bool(theta[1] > theta[0] >= 0.2)   # longer where f hardly looks
    True
    """
    return run(settings, pose(apply_fn, params, x, key, law=law, init=init, label=label))
