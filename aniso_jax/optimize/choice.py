"""The last word of a search: its candidates on fresh draws, and the best of them cut to fit."""

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp

Scales = TypeVar("Scales")

Judge = Callable[[Any], tuple[jax.Array, jax.Array]]
"""From a scale to its soft gap and its value."""


class Judged(NamedTuple):
    """A scale, its soft gap and its value."""

    scale: Any
    gap: jax.Array
    value: jax.Array


class Choice(NamedTuple):
    """What is kept.

    Attributes:
      scale: the best candidate, cut to fit; or the start, if that is worth no less.
      gap: its soft gap.
      gap_before: that of the best candidate before it was cut.
      improved: whether it is not the start.
    """

    scale: Any
    gap: jax.Array
    gap_before: jax.Array
    improved: jax.Array


def choose(
    candidates: list[Scales], *, judge: Judge, fit: Callable[[Scales, jax.Array], Scales]
) -> Choice:
    """The best candidate, fitted and judged again, since the fitting may have moved it.

    All evaluations are turns of one loop, so that the network and the noise are compiled once.

    Args:
      candidates: the start, then what was found; as good as one another, the earlier is taken.
      judge: on draws that none of them has seen.
      fit: from a scale and its gap to one that a region may have.
    """
    start, turns = candidates[0], len(candidates) + 1
    rows = jax.tree.map(lambda *leaves: jnp.stack(leaves), *candidates, start)  # one for the fitted

    def turn(best: Judged, row: tuple[Any, jax.Array]) -> tuple[Judged, Judged]:
        scale, number = row
        scale = _where(number == turns - 1, fit(best.scale, best.gap), scale)
        judged = Judged(scale, *judge(scale))
        is_better = (number == 0) | ((judged.value > best.value) & (number < turns - 1))
        return _where(is_better, judged, best), judged

    shapes = jax.eval_shape(judge, start)
    unknown = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
    first = Judged(jax.tree.map(lambda leaf: leaf[0], rows), *unknown)
    best, judged = jax.lax.scan(turn, first, (rows, jnp.arange(turns)))
    began, fitted = (jax.tree.map(lambda leaf, at=at: leaf[at], judged) for at in (0, -1))
    improved = fitted.value > began.value
    kept = _where(improved, fitted, began)
    return Choice(scale=kept.scale, gap=kept.gap, gap_before=best.gap, improved=improved)


def _where(condition: jax.Array, one: Any, other: Any) -> Any:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), one, other)
