"""Certification of one input: select a class, bound its probability, claim a region."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from aniso_jax.certification.plan import Plan
from aniso_jax.certification.sequence import Sequence, advance, begin, claim
from aniso_jax.certification.status import ABSTAIN, Status, gravest
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Scale
from aniso_jax.geometry.shown import code, down, table
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.votes import CHUNK, ApplyFn, check_input, count_votes


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Certification:
    """What is known about one input.

    Attributes:
      label: the certified class, or ABSTAIN (-1).
      region: where the smoothed classifier surely answers `label`; its gap is 0 on abstention. On a
        grid its center stands for the grid point itself, of which it is the float32 rounding.
      failure: upper bound on 1 - p_A; p_lower is one less it.
      votes: int32 (classes,), the estimation draws counted, at the last look reached.
      history: int32 (looks, classes), the votes at each look, 0 at looks not reached; the record
        from which all else follows.
      reached: looks reached before sampling stopped.
      selection_votes: int32 (classes,), the n0 selection draws.
      status: a `Status`.
    """

    label: jax.Array
    region: Region
    failure: jax.Array
    votes: jax.Array
    history: jax.Array
    reached: jax.Array
    selection_votes: jax.Array
    status: jax.Array

    @property
    def p_lower(self) -> jax.Array:
        """Lower bound on the probability of the selected class, rounded down."""
        return jnp.maximum(jnp.nextafter(1 - self.failure, jnp.float32(-1.0)), 0.0)

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        return _as_html(self) if jnp.ndim(self.label) == 0 else code(self)


def certify(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    plan: Plan,
    chunk: int = CHUNK,
) -> Certification:
    """Certify the class that f, smoothed with the noise S z, answers at x.

    n0 draws select the class c; up to n fresh draws bound p_c from below, read at the plan's
    looks; the region is { x + S u : ||u||_p <= gap }, the best gap of the looks reached.

    Args:
      apply_fn, params: the base classifier, (params, batch) -> logits.
      x: one input, floating point, any shape; vmap over many, with one key each.
      key: this input's key. The scale must not depend on the select and estimate phases of it.
      law, scale: the noise; the scale is frozen here.
      plan: from `plan(law, ...)`.
      chunk: ceiling of draws held at once; never changes the votes.

    Returns:
      A `Certification`. A non-finite x or an invalid scale abstains, with a status; so does what
      does not lie on the plan's grid.

    Guarantee:
      With probability at least 1 - alpha over the draws, the classifier smoothed with *this*
      scale answers `label` on the whole region; in real arithmetic, unless the plan has a grid.
      Says nothing about the base classifier, nor about a classifier whose scale changes with
      the input.

    Raises:
      ValueError: x is not floating point, or the plan was made for another law.

    Reference: Cohen et al. 2019, Thm 1; Yang et al. 2020; Eiras et al. 2022, Thm 1.

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> c = aj.certify(f, jnp.array([1.0, 0.0]), jnp.array([1.0, 0.0]), jax.random.key(0),
    ...                law=aj.gaussian, scale=aj.Isotropic(sigma=0.5),
    ...                plan=aj.plan(aj.gaussian, n=10_000))
    >>> int(c.label), bool(0.9 < c.region.radius() < 1.0)   # the boundary is at distance 1
    (0, True)
    """
    x = check_input(x)
    check_law(law, plan)
    selection = count_votes(
        apply_fn,
        params,
        x,
        key,
        law=law,
        scale=scale,
        n=plan.n0,
        chunk=chunk,
        phase=Phase.SELECT,
        grid=plan.grid,
    )
    state = begin(apply_fn, params, x, scale=scale, plan=plan, selection_votes=selection)

    def step(state: Sequence) -> Sequence:
        return advance(apply_fn, params, x, key, state, scale=scale, plan=plan, chunk=chunk)

    state = jax.lax.while_loop(lambda state: ~state.done, step, state)
    return conclude(
        x,
        scale=scale,
        plan=plan,
        selection_votes=selection,
        history=state.history,
        reached=state.reached,
    )


def conclude(
    x: jax.Array,
    *,
    scale: Scale,
    plan: Plan,
    selection_votes: jax.Array,
    history: jax.Array,
    reached: jax.Array,
) -> Certification:
    """The claim that follows from votes already counted: all of `certify` but the draws.

    Every look's bound holds together with all the others, so the best of those reached is taken.
    """
    guess = jnp.argmax(selection_votes)
    looks = jnp.arange(len(plan.looks), dtype=jnp.int32)
    is_reached = looks < reached
    gaps = jax.vmap(lambda look, votes: claim(plan, look, votes, guess))(looks, history)
    failures = plan.failures[jnp.asarray(plan.starts, jnp.int32) + history[:, guess]]
    gap = jnp.max(jnp.where(is_reached, gaps, 0.0))
    votes = history[jnp.maximum(reached - 1, 0)]
    drawn = jnp.where(reached > 0, jnp.asarray(plan.looks, jnp.int32)[reached - 1], 0)
    center = x if plan.grid is None else plan.grid.point(x)
    lost_rows = (jnp.sum(votes) < drawn) | (jnp.sum(selection_votes) < plan.n0)
    return Certification(
        label=jnp.where(gap > 0, guess, ABSTAIN).astype(jnp.int32),
        region=Region(center=center, scale=scale, gap=gap, order=plan.law.order),
        failure=jnp.min(jnp.where(is_reached, failures, 1.0)),
        votes=votes,
        history=history,
        reached=reached,
        selection_votes=selection_votes,
        status=gravest(x, scale, fits=plan.fits(x, scale), lost_rows=lost_rows, certified=gap > 0),
    )


def check_law(law: Law, plan: Plan) -> None:
    """Refuse a plan whose tables are another law's."""
    if plan.law != law:
        raise ValueError(
            f"The plan was made for the {plan.law.name} law, the noise is {law.name}: "
            f"make the plan with plan(aniso_jax.{law.name}, ...)."
        )


def _as_html(c: Certification) -> str:
    label = "ABSTAIN" if int(c.label) == ABSTAIN else str(int(c.label))
    facts = {"label": label, "p lower": down(c.p_lower, 6)}
    draws = f"{int(c.votes.sum()):,}"
    return table(
        facts | c.region.summary() | {"draws": draws, "status": Status(int(c.status)).name}
    )
