"""Adam on the volume of a rotated region: theta and t together, the directions fixed."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import jax
import jax.numpy as jnp

from aniso_jax.geometry.rotated import Rotated
from aniso_jax.optimize.ascent import VolumeAscent
from aniso_jax.optimize.axes import first_axes
from aniso_jax.optimize.choice import choose
from aniso_jax.optimize.curvature import gauss_newton
from aniso_jax.optimize.leaning import vote_directions
from aniso_jax.optimize.objective import log_gap
from aniso_jax.optimize.problem import Optimized, Problem
from aniso_jax.optimize.turned_axes import cut_axes, lengths, share_at_cap
from aniso_jax.smoothing.noise import blocks_for


class Turn(NamedTuple):
    """Where the ascent stands, and the best scale it has seen; the basis never changes."""

    scale: Rotated
    adam: Any
    best: Rotated
    best_value: jax.Array
    steps_done: jax.Array


@dataclass(frozen=True, kw_only=True)
class RotatedAscent:
    """`VolumeAscent` over theta and t together, in directions found at the start.

    Attributes:
      ascent: all settings of the ascent.
      directions: k, at most; no more than there are coordinates (classes less one, for
        "gauss-newton").
      source: "votes": the gradient covariance of the label's soft votes under the noise
        (`vote_directions`); "gauss-newton": the curvature of the cross-entropy at x itself
        (`gauss_newton`). Both in units of the start.
      draws: of the gradient covariance.
    """

    ascent: VolumeAscent = VolumeAscent()  # noqa: RUF009, frozen
    directions: int = 9
    source: Literal["votes", "gauss-newton"] = "votes"
    draws: int = 128

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return self.ascent.steps

    def init(self, problem: Problem) -> Turn:
        """The start, with its directions, none of them stretched yet."""
        basis = jax.lax.stop_gradient(self._basis(problem))
        ones = jnp.ones(len(basis), basis.dtype)
        scale = Rotated(theta=first_axes(problem), basis=basis, stretch=ones)
        adam = self.ascent.optimiser().init(self._variable(scale))
        return Turn(scale, adam, scale, jnp.array(-jnp.inf, basis.dtype), jnp.int32(0))

    def step(self, problem: Problem, state: Turn) -> Turn:
        """One projected step on fresh draws, which also judge the scale they found."""
        basis = state.scale.basis

        def loss(variable: Any) -> tuple[jax.Array, jax.Array]:
            scale = self._scale(variable, basis)
            block = state.steps_done * blocks_for(self.ascent.n)
            gap = self._gap(problem, scale, self.ascent.n, block, self.ascent.resolution)
            return -self.objective(gap, scale), gap

        variable = self._variable(state.scale)
        (value, gap), slope = jax.value_and_grad(loss, has_aux=True)(variable)
        update, adam = self.ascent.optimiser().update(slope, state.adam)
        moved = self._scale(jax.tree.map(jnp.add, variable, update), basis)
        better = -value > state.best_value
        return Turn(
            scale=cut_axes(problem, moved, gap, self.ascent.reach),
            adam=adam,
            best=_chosen(better, state.scale, state.best),
            best_value=jnp.where(better, -value, state.best_value),
            steps_done=state.steps_done + 1,
        )

    def finish(self, problem: Problem, state: Turn) -> Optimized:
        """The best of the start, the best iterate and the last one, on one set of fresh draws.

        An empty region (gap <= 0) never beats the start, however long its axes.
        """
        first_block = self.steps * blocks_for(self.ascent.n)
        start = Rotated(
            theta=first_axes(problem),
            basis=state.scale.basis,
            stretch=jnp.ones_like(state.scale.stretch),
        )

        def judge(scale: Rotated) -> tuple[jax.Array, jax.Array]:
            gap = self._gap(problem, scale, self.ascent.check, first_block)
            return gap, jnp.where(gap > 0, self.objective(gap, scale), -jnp.inf)

        chosen = choose(
            [start, state.best, state.scale],
            judge=judge,
            fit=lambda scale, gap: cut_axes(problem, scale, gap, self.ascent.reach),
        )
        return Optimized(
            scale=chosen.scale,
            gap=chosen.gap,
            capped_share=share_at_cap(problem, chosen.scale, chosen.gap_before),
            improved=chosen.improved,
        )

    def objective(self, gap: jax.Array, scale: Rotated) -> jax.Array:
        """That of `VolumeAscent`, with log |det S| / d, and min(theta) min(1, min t) as radius.

        For l1 the latter stands for the length of axes: it is no radius there.
        """
        theta, stretch = jnp.asarray(scale.theta), jnp.asarray(scale.stretch)
        mean = scale.log_abs_det(scale.dimension) / scale.dimension
        least = jnp.log(jnp.min(theta)) + jnp.log(jnp.minimum(jnp.min(stretch), 1.0))
        if self.ascent.log_space:
            return log_gap(gap) + mean + self.ascent.kappa * (log_gap(gap) + least)
        return gap * jnp.exp(mean) + self.ascent.kappa * gap * jnp.exp(least)

    def _basis(self, problem: Problem) -> jax.Array:
        """The directions, orthonormal, in units of the start."""
        network = problem.apply_fn, problem.params, problem.x
        if self.source == "gauss-newton":
            _, basis = gauss_newton(*network, scale=problem.start)
            return basis[: self.directions]
        ascent = self.ascent
        first = self.steps * blocks_for(ascent.n) + blocks_for(ascent.check)
        _, basis = vote_directions(
            *network,
            problem.key,
            law=problem.law,
            scale=problem.start,
            label=problem.label,
            k=min(self.directions, self.draws, problem.x.size),
            n=self.draws,
            first_block=first,
        )
        return basis

    def _variable(self, scale: Rotated) -> Any:
        """Theta, and the lengths ||S V_a||: what lies along the directions stays as theta grows.

        With t itself the two would wait for each other, where t must not fall before theta rises.
        """
        theta, stretch = jnp.asarray(scale.theta), jnp.asarray(scale.stretch)
        pair = theta, stretch * lengths(theta, jnp.asarray(scale.basis))
        return jax.tree.map(jnp.log, pair) if self.ascent.log_space else pair

    def _scale(self, variable: Any, basis: Any) -> Rotated:
        theta, along = jax.tree.map(jnp.exp, variable) if self.ascent.log_space else variable
        return Rotated(theta=theta, basis=basis, stretch=along / lengths(theta, basis))

    def _gap(
        self,
        problem: Problem,
        scale: Rotated,
        n: int,
        first_block: jax.Array | int,
        resolution: int | None = None,
    ) -> jax.Array:
        return problem.soft_gap(
            scale,
            n=n,
            first_block=first_block,
            antithetic=self.ascent.antithetic,
            resolution=resolution,
        )


def _chosen(condition: jax.Array, one: Rotated, other: Rotated) -> Rotated:
    chosen: Rotated = jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)
    return chosen
