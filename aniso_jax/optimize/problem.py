"""What every search is given, and what every search returns."""

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale
from aniso_jax.geometry.shown import code, scale_text, table
from aniso_jax.optimize.objective import soft_gap
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.soft import soft_votes
from aniso_jax.smoothing.votes import ApplyFn, check_input

State = TypeVar("State")


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Problem:
    """One input for which a scale is sought; make it with `pose`.

    Attributes:
      params, x, key: as in `certify`; only draws of the optimise phase are used.
      start: the scale to start from, to stay above, and to fall back to.
      label: the class to certify, held fixed through the search.
      apply_fn, law: static.
    """

    params: Any
    x: jax.Array
    key: jax.Array
    start: Scale
    label: jax.Array
    apply_fn: ApplyFn = field(metadata={"static": True})
    law: Law = field(metadata={"static": True})

    def soft_gap(
        self,
        scale: Scale,
        *,
        n: int,
        first_block: jax.Array | int,
        antithetic: bool = False,
        resolution: int | None = None,
    ) -> jax.Array:
        """Soft gap of the label at `scale` on n draws from block `first_block` on.

        It saturates as `resolution` draws would: n by default.
        """
        votes = soft_votes(
            self.apply_fn,
            self.params,
            self.x,
            self.key,
            law=self.law,
            scale=scale,
            n=n,
            antithetic=antithetic,
            first_block=first_block,
        )
        return soft_gap(votes, self.label, law=self.law, n=resolution or n)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Optimized:
    """The scale that a search returns.

    Attributes:
      scale: never worse than the start on the search's own check draws.
      gap: soft gap on those draws. A heuristic; it certifies nothing.
      capped_share: share of semi-axes at the cap beyond which volume is fictitious (above 80 %
        of it, since the gap that sets the cap is estimated).
      improved: whether the search left its start.
    """

    scale: Scale
    gap: jax.Array
    capped_share: jax.Array
    improved: jax.Array

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        if jnp.ndim(self.gap) != 0:
            return code(self)
        rows = {
            "scale": scale_text(self.scale),
            "soft gap (certifies nothing)": f"{float(self.gap):.4f}",
            "axes capped": f"{float(self.capped_share):.1%}",
            "left its start": "yes" if bool(self.improved) else "no",
        }
        return table(rows)


class Search(Protocol[State]):
    """A search in three pure parts; settings are its frozen, static fields."""

    @property
    def steps(self) -> int:
        """How many steps there are."""
        ...

    def init(self, problem: Problem) -> State:
        """The state before the first step."""
        ...

    def step(self, problem: Problem, state: State) -> State:
        """One step: pure, the same for scan, vmap and a loop on the host."""
        ...

    def finish(self, problem: Problem, state: State) -> Optimized:
        """The best scale seen, checked against the start on fresh draws."""
        ...


def pose(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    init: Scale,
    label: jax.Array | int | None = None,
    n: int = 128,
) -> Problem:
    """A `Problem`; label=None takes the top class of n soft votes at `init` and holds it."""
    x = check_input(x)
    if label is None:
        votes = soft_votes(apply_fn, params, x, key, law=law, scale=init, n=n)
        label = jnp.argmax(votes)
    return Problem(
        params=params,
        x=x,
        key=key,
        start=init,
        label=jnp.asarray(label),
        apply_fn=apply_fn,
        law=law,
    )


def run(search: Search[State], problem: Problem) -> Optimized:
    """The whole search as one scan over its public step."""

    def body(state: State, _: None) -> tuple[State, None]:
        return search.step(problem, state), None

    state, _ = jax.lax.scan(body, search.init(problem), length=search.steps)
    return search.finish(problem, state)
