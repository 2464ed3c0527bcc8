"""Calls that wait in a queue until an actor is free; the answers, whichever comes first."""

import warnings
from collections import deque
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

TRIES = 4
"""How often an actor that died is started again, and a call of its asked for again."""

_IN_FLIGHT = 2  # calls to an actor: the one that it works on, and the next
_PATIENCE = 120.0  # seconds until it is said that no actor has started


def answered(
    ray: ModuleType, actors: Sequence[Any], shared: Any, calls: Sequence[Any]
) -> Iterator[tuple[int, Any]]:
    """Every call's number with its answer, each from whichever actor was free.

    An actor is asked once it is ready: one for which the cluster has no room holds nothing up. Near
    the end nobody is given a second call that another could begin at once.

    Args:
      actors: with the methods `ready(shared)` and `compute(shared, call)`.

    Raises:
      RuntimeError: an actor died again and again.
      Exception: whatever an actor raised.
    """
    waiting, left = deque(enumerate(calls)), len(calls)
    if not left:
        return
    held = [0] * len(actors)
    asked: dict[Any, tuple[int, int | None]] = {
        actor.ready.remote(shared): (at, None) for at, actor in enumerate(actors)
    }
    _await_first(ray, list(asked))
    while left:
        (reply, *_), _ = ray.wait(list(asked), num_returns=1)
        at, number = asked.pop(reply)
        answer = _fetched(ray, reply)
        held[at] -= number is not None
        while waiting and held[at] < (_IN_FLIGHT if len(waiting) > len(actors) else 1):
            following, call = waiting.popleft()
            asked[actors[at].compute.remote(shared, call)] = at, following
            held[at] += 1
        if number is not None:
            left -= 1
            yield number, answer


def _await_first(ray: ModuleType, replies: list[Any]) -> None:
    ready, _ = ray.wait(replies, num_returns=1, timeout=_PATIENCE)
    if not ready:
        warnings.warn(
            f"No actor has started in {_PATIENCE:.0f} s: the cluster may have nothing free; "
            "waiting. Ctrl-C loses nothing.",
            stacklevel=2,
        )


def _fetched(ray: ModuleType, reply: Any) -> Any:
    try:
        return ray.get(reply)
    except ray.exceptions.RayError as error:
        raise _sentence(error) from error


def _sentence(error: Exception) -> Exception:
    """What the actor raised; where Ray speaks for it, what there is to do."""
    last = [line.strip() for line in str(error).splitlines() if line.strip()][-1].rstrip(".")
    if "failed to import on the worker" in str(error):
        return RuntimeError(
            f"An actor cannot load this package ({last}): install the same aniso-jax on every "
            "machine of the cluster."
        )
    cause = getattr(error, "cause", None)
    if isinstance(cause, Exception):
        return cause
    return RuntimeError(
        f"Ray lost an actor for good, after {TRIES} restarts at most ({last}); finished parts are "
        "kept: look into Ray's logs, then run the same command again."
    )
