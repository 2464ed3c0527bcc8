"""Adam on the volume of the region, kept between the start and the cap."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Diagonal
from aniso_jax.optimize.axes import capped_share, cut, first_axes
from aniso_jax.optimize.choice import choose
from aniso_jax.optimize.objective import log_gap
from aniso_jax.optimize.problem import Optimized, Problem
from aniso_jax.smoothing.noise import blocks_for


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
      decay: the learning rate falls to 0 along a straight line.
      momentum, memory: Adam's two averages, of the gradient and of its square.
      kappa: weight of the radius beside the proxy radius.
      log_space: ascend in log theta on
          log gap + mean(log theta) + kappa (log gap + log min theta),
        which is free of scale, so one learning rate serves all coordinates; otherwise ascend in
        theta on the published objective, gap (prod theta)^(1/d) + kappa gap min theta.
      antithetic: draws in pairs z, -z.
      resolution: the steps' gap saturates where so many draws would; None for n itself.
      check: fresh draws on which best, last and start are compared at the end.
      reach: longest semi-axis, in multiples of the one beyond which volume is fictitious
        (`semi_axis_cap`).
    """

    steps: int = 34
    n: int = 50
    learning_rate: float = 0.12
    decay: bool = False
    momentum: float = 0.98
    memory: float = 0.99
    kappa: float = 1.1
    log_space: bool = True
    antithetic: bool = True
    resolution: int | None = 150
    check: int = 192
    reach: float = 1.0

    def init(self, problem: Problem) -> Climb:
        """The start, nothing evaluated yet."""
        theta = first_axes(problem)
        adam = self.optimiser().init(self._variable(theta))
        return Climb(theta, adam, theta, jnp.array(-jnp.inf, theta.dtype), jnp.int32(0))

    def step(self, problem: Problem, state: Climb) -> Climb:
        """One projected step on fresh draws, which also judge the theta they found."""
        variable = self._variable(state.theta)

        def loss(variable: jax.Array) -> tuple[jax.Array, jax.Array]:
            theta = jnp.exp(variable) if self.log_space else variable
            block = state.steps_done * blocks_for(self.n)
            gap = self._gap(problem, theta, self.n, block, self.resolution)
            return -self.objective(gap, theta), gap

        (value, gap), slope = jax.value_and_grad(loss, has_aux=True)(variable)
        update, adam = self.optimiser().update(slope, state.adam)
        moved = variable + update
        better = -value > state.best_value
        return Climb(
            theta=cut(problem, jnp.exp(moved) if self.log_space else moved, gap, self.reach),
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

        def judge(theta: jax.Array) -> tuple[jax.Array, jax.Array]:
            gap = self._gap(problem, theta, self.check, first_block)
            return gap, jnp.where(gap > 0, self.objective(gap, theta), -jnp.inf)

        chosen = choose(
            [first_axes(problem), state.best, state.theta],
            judge=judge,
            fit=lambda theta, gap: cut(problem, theta, gap, self.reach),
        )
        return Optimized(
            scale=Diagonal(theta=chosen.scale),
            gap=chosen.gap,
            capped_share=capped_share(problem, chosen.scale, chosen.gap_before),
            improved=chosen.improved,
        )

    def objective(self, gap: jax.Array, theta: jax.Array) -> jax.Array:
        """What is climbed, at a soft gap and its theta."""
        if self.log_space:
            log_theta = jnp.log(theta)
            radius = log_gap(gap) + jnp.min(log_theta)
            return log_gap(gap) + jnp.mean(log_theta) + self.kappa * radius
        mean_axis = jnp.exp(jnp.mean(jnp.log(theta)))
        return gap * mean_axis + self.kappa * gap * jnp.min(theta)

    def _gap(
        self,
        problem: Problem,
        theta: jax.Array,
        n: int,
        first_block: jax.Array | int,
        resolution: int | None = None,
    ) -> jax.Array:
        return problem.soft_gap(
            Diagonal(theta=theta),
            n=n,
            first_block=first_block,
            antithetic=self.antithetic,
            resolution=resolution,
        )

    def _variable(self, theta: jax.Array) -> jax.Array:
        return jnp.log(theta) if self.log_space else theta

    def optimiser(self) -> Any:
        """Adam with these settings, an `optax.GradientTransformation`."""
        import optax  # here, so that importing aniso_jax stays light

        falling = optax.linear_schedule(self.learning_rate, 0.0, self.steps)
        rate = falling if self.decay else self.learning_rate
        # A gradient that is not finite moves nothing: one overflow in a backward pass would
        # otherwise leave NaN in every later theta.
        return optax.apply_if_finite(optax.adam(rate, self.momentum, self.memory), self.steps)
