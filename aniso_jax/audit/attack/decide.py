"""Whether a candidate refutes its certificate: screened by a few draws, decided by fresh ones."""

from collections import Counter
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import scipy.special
from numpy.typing import NDArray

from aniso_jax.audit.attack.candidates import gauge_of, surely_inside
from aniso_jax.audit.attack.outcome import Call, Outcome
from aniso_jax.audit.attack.search import Candidates, propose
from aniso_jax.audit.attack.target import Effort, Target, standard
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.soft import soft_votes
from aniso_jax.smoothing.votes import CHUNK, count_votes

_SOFT = 128  # draws that break ties between screened candidates


class Screened(NamedTuple):
    """Of every candidate: votes, soft margin, gauge, and whether it is provably inside."""

    votes: jax.Array
    soft_margin: jax.Array
    gauge: jax.Array
    inside: jax.Array


def attack_region(
    target: Target, *, n: int, level: float, chunk: int = CHUNK, effort: Effort = standard
) -> Outcome:
    """Search the region for a point where the smoothed class is not the label.

    Args:
      target: the claim.
      n: fresh draws that confirm a candidate.
      level: of each confirmation's test; divide by `effort.confirmed` and by the number of inputs
        for one about the whole attack.
      chunk: ceiling of draws held at once.
      effort: how hard to try.

    Guarantee:
      Candidate and rival are fixed before the confirming draws are made, so where the claim is
      true each confirmation refutes it with probability at most `level`: given m votes for
      either class, those for the rival are stochastically at most Bin(m, 1/2).

    Raises:
      ValueError: n draws can never refute at this level.
    """
    check_can_refute(n, level)
    found = propose(target, effort)
    screened = screen(target, found.points, n=effort.screen, chunk=chunk)
    seen: Screened = jax.device_get(screened)
    rivals, leads = _leads(seen, int(target.label))
    best = np.argsort(leads, kind="stable")[: effort.confirmed]
    votes = np.asarray(confirm(target, found.points[best], n=n, chunk=chunk))
    calls = [
        _call(target, found, seen, int(at), rival=int(rivals[at]), votes=counts, level=level)
        for at, counts in zip(best, votes, strict=True)
        if seen.inside[at]
    ]
    return Outcome(
        tried=Counter(kind for kind, is_in in zip(found.kinds, seen.inside, strict=True) if is_in),
        soft_margin=float(np.min(seen.soft_margin[seen.inside], initial=1.0)),
        calls=tuple(sorted(calls, key=lambda call: (call.p_value, call.lead))),
    )


@partial(jax.jit, static_argnames=("n", "chunk"))
def screen(target: Target, points: jax.Array, *, n: int, chunk: int) -> Screened:
    """Look at each point with few draws, the same for all; membership is proved anew here."""

    def one(y: jax.Array) -> Screened:
        soft = soft_votes(
            target.apply_fn,
            target.params,
            y,
            target.key,
            law=target.law,
            scale=target.region.scale,
            n=_SOFT,
        )
        is_label = jnp.arange(soft.size) == target.label
        return Screened(
            votes=_votes(target, y, n=n, chunk=chunk, phase=Phase.SELECT),
            soft_margin=soft[target.label] - jnp.max(jnp.where(is_label, -jnp.inf, soft)),
            gauge=gauge_of(target.region, y, target.steps),
            inside=surely_inside(target.region, y, target.steps),
        )

    screened: Screened = jax.lax.map(one, points)
    return screened


@partial(jax.jit, static_argnames=("n", "chunk"))
def confirm(target: Target, points: jax.Array, *, n: int, chunk: int) -> jax.Array:
    """Votes of every class at each point, of n draws that nothing else has seen."""

    def one(y: jax.Array) -> jax.Array:
        return _votes(target, y, n=n, chunk=chunk, phase=Phase.ESTIMATE)

    votes: jax.Array = jax.lax.map(one, points)
    return votes


def p_value(rival: int, label: int) -> float:
    """P[Bin(rival + label, 1/2) >= rival], in float64, rounded up.

    >>> p_value(5, 0) >= 2**-5, p_value(0, 7)
    (True, 1.0)
    """
    if rival == 0:
        return 1.0
    return min(float(scipy.special.betainc(rival, label + 1, 0.5)) * (1 + 1e-9), 1.0)


def check_can_refute(n: int, level: float) -> None:
    """Refuse an n at which even unanimous votes against the label leave p above the level."""
    if p_value(n, 0) > level:
        smallest = next(m for m in range(n, 5000) if p_value(m, 0) <= level)
        raise ValueError(
            f"n = {n} draws can never refute a certificate at level {level:.2g}, which is alpha "
            f"over the confirmations of the whole attack: take n >= {smallest}."
        )


def _votes(target: Target, y: jax.Array, *, n: int, chunk: int, phase: Phase) -> jax.Array:
    """Votes at y under the run's own smoothing: the one place that knows how it is drawn."""
    return count_votes(
        target.apply_fn,
        target.params,
        y,
        target.key,
        law=target.law,
        scale=target.region.scale,
        n=n,
        chunk=chunk,
        phase=phase,
        grid=target.grid,
    )


def _leads(seen: Screened, label: int) -> tuple[Any, Any]:
    """Each candidate's strongest rival, and the label's lead over it in votes.

    The soft margin is worth at most one vote, and so breaks ties only; a point that is not
    provably inside comes last.
    """
    votes = np.asarray(seen.votes)
    others = np.where(np.arange(votes.shape[-1]) == label, -1, votes)
    rivals = np.argmax(others, axis=-1)
    leads = votes[:, label] - np.max(others, axis=-1) + seen.soft_margin / 2
    return rivals, np.where(seen.inside, leads, np.inf)


def _call(
    target: Target,
    found: Candidates,
    seen: Screened,
    at: int,
    *,
    rival: int,
    votes: NDArray[np.int32],
    level: float,
) -> Call:
    label = int(target.label)
    p = p_value(int(votes[rival]), int(votes[label]))
    return Call(
        kind=found.kinds[at],
        point=np.asarray(found.points[at]),
        gauge=float(seen.gauge[at]),
        label=label,
        rival=rival,
        votes=tuple(votes.tolist()),
        p_value=p,
        refutes=p <= level,
    )
