"""Sequential counting: one pure step that draws, looks, keeps the best gap and says when to stop.

`certify` runs the step in a `while_loop`; a run drives the same step from the host over slots, so
that an input that is decided makes room for the next one. Draw j is the same either way.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from aniso_jax.certification.plan import Plan
from aniso_jax.geometry.rounding import shrink
from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.across import count_across
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.votes import ApplyFn, class_count, count_window, window_size


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Sequence:
    """How far the estimation of one input has come.

    Attributes:
      guess: the selected class.
      drawn: draws counted so far.
      votes: int32 (classes,), their votes.
      history: int32 (looks, classes), the votes at each look reached, 0 elsewhere.
      reached: looks reached.
      gap: the best gap proved so far.
      done: whether nothing more is to be gained.
    """

    guess: jax.Array
    drawn: jax.Array
    votes: jax.Array
    history: jax.Array
    reached: jax.Array
    gap: jax.Array
    done: jax.Array


def begin(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    *,
    scale: Scale,
    plan: Plan,
    selection_votes: jax.Array,
) -> Sequence:
    """Nothing drawn yet; a non-finite input or an invalid scale is done before it begins."""
    classes = class_count(apply_fn, params, x, window_size(1, 1))
    if plan.classes not in (None, classes):
        raise ValueError(
            f"The plan bounds the rivals among {plan.classes} classes, the network has {classes}: "
            f"make it with plan(..., classes={classes})."
        )
    return Sequence(
        guess=jnp.argmax(selection_votes),
        drawn=jnp.int32(0),
        votes=jnp.zeros(classes, jnp.int32),
        history=jnp.zeros((len(plan.looks), classes), jnp.int32),
        reached=jnp.int32(0),
        gap=jnp.float32(0),
        done=~(jnp.all(jnp.isfinite(x)) & scale.is_valid() & plan.fits(x, scale)),
    )


def advance(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    state: Sequence,
    *,
    scale: Scale,
    plan: Plan,
    chunk: int,
    across: str | None = None,
) -> Sequence:
    """Draw up to `chunk` more, not past the next look; at the look, claim and decide.

    Inside `jax.shard_map` each device along the axis `across` of the mesh draws so many. A state
    that is done stays as it is.
    """
    looks = jnp.asarray(plan.looks, jnp.int32)
    end = looks[jnp.minimum(state.reached, len(plan.looks) - 1)]
    window = window_size(chunk, plan.n)
    count = partial(
        count_window,
        *(apply_fn, params, x, key),
        law=plan.law,
        scale=scale,
        stop=end,
        window=window,
        phase=Phase.ESTIMATE,
        grid=plan.grid,
    )
    votes, drawn = count_across(across, count, start=state.drawn, window=window)
    counted = replace(state, votes=state.votes + votes, drawn=drawn)
    looked = jax.tree.map(
        lambda now, before: jnp.where(drawn == end, now, before),
        _look(counted, scale.inradius(plan.law.order), plan),
        counted,
    )
    advanced: Sequence = jax.tree.map(
        lambda new, old: jnp.where(state.done, old, new), looked, state
    )
    return advanced


def claim(plan: Plan, look: jax.Array, votes: jax.Array, guess: jax.Array) -> jax.Array:
    """The gap that these votes prove at this look: one-sided, or two-class where that is larger.

    Rows with a non-finite logit vote for nobody, and nobody bounds how often: with such rows
    p_B <= 1 - p_A is all that is known.
    """
    start = jnp.asarray(plan.starts, jnp.int32)[look]
    lower = plan.lower[start + votes[guess]]
    gap = jnp.maximum(lower, 0.0)
    if plan.upper is None:
        return gap
    rivals = plan.upper[start + votes]
    rival = jnp.max(jnp.where(jnp.arange(votes.size) == guess, -jnp.inf, rivals))
    two_class = jnp.nextafter((lower - rival) / 2, jnp.float32(-jnp.inf))
    complete = jnp.sum(votes) == jnp.asarray(plan.looks, jnp.int32)[look]
    return jnp.where(complete, jnp.maximum(gap, two_class), gap)


def _look(state: Sequence, inradius: jax.Array, plan: Plan) -> Sequence:
    """Claim at the look just reached, keep the best, decide whether to go on."""
    look = state.reached
    gap = jnp.maximum(state.gap, claim(plan, look, state.votes, state.guess))
    done = _is_settled(plan, look, state.votes, state.guess, gap, inradius)
    return replace(
        state,
        history=state.history.at[look].set(state.votes),
        reached=look + 1,
        gap=gap,
        done=done | (look + 1 >= len(plan.looks)),
    )


def _is_settled(
    plan: Plan,
    look: jax.Array,
    votes: jax.Array,
    guess: jax.Array,
    gap: jax.Array,
    inradius: jax.Array,
) -> jax.Array:
    """Whether more draws could not, or would hardly, change the answer.

    Any rule is lawful here: every look's bound holds together with all the others.
    """
    state = plan, look, votes, guess
    reachable = jnp.minimum(_best_case(*state), _ceiling(*state))
    settled = jnp.maximum(gap, reachable) <= 0
    if plan.target is not None:
        proved, possible = (shrink(each * inradius) for each in (gap, reachable))  # as the radius
        settled |= (proved >= plan.target) | (possible < plan.target)
    if plan.tolerance is not None:  # an abstention has nothing that a share could be of
        settled |= (gap > 0) & (_expected(*state) <= gap * (1 + plan.tolerance))
    return settled


def _best_case(plan: Plan, look: jax.Array, votes: jax.Array, guess: jax.Array) -> jax.Array:
    """The largest gap at any later look if every draw to come were a hit."""
    cases = []
    for later, n in enumerate(plan.looks):
        more = jnp.maximum(n - jnp.asarray(plan.looks, jnp.int32)[look], 0)
        case = claim(plan, jnp.int32(later), votes.at[guess].add(more), guess)
        cases.append(jnp.where(later > look, case, 0.0))
    return jnp.max(jnp.stack(cases))


def _ceiling(plan: Plan, look: jax.Array, votes: jax.Array, guess: jax.Array) -> jax.Array:
    """The upper end of the confidence interval whose lower end is the claim.

    A true gap below what is wanted will hardly be proved to be above it, however many the draws.
    Read off the same tables, since the laws are symmetric: a class with k of n votes has a p of at
    most 1 - (the lower bound after n - k), and of at least 1 - (the upper bound after n - k).
    """
    if plan.bound == "curtailed":  # its tables are those of all n draws, not of this look's
        return jnp.asarray(jnp.inf, jnp.float32)
    start = jnp.asarray(plan.starts, jnp.int32)[look]
    misses = jnp.asarray(plan.looks, jnp.int32)[look] - votes
    upper: jax.Array = -plan.lower[start + misses[guess]]
    if plan.upper is None:
        return upper
    others = jnp.where(jnp.arange(votes.size) == guess, -jnp.inf, -plan.upper[start + misses])
    two_class: jax.Array = (upper - jnp.max(others)) / 2
    return jnp.maximum(upper, two_class)


def _expected(plan: Plan, look: jax.Array, votes: jax.Array, guess: jax.Array) -> jax.Array:
    """The gap at the last look if the votes went on in the same proportion."""
    ratio = plan.n / jnp.asarray(plan.looks, jnp.float32)[look]
    scaled = jnp.minimum(jnp.floor(votes * ratio), plan.n).astype(jnp.int32)
    others = jnp.sum(scaled) - scaled[guess]
    return claim(plan, jnp.int32(len(plan.looks) - 1), scaled.at[guess].set(plan.n - others), guess)
