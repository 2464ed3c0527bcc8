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
_LATE = 600.0  # seconds without any answer, after which those who are free are asked too


def answered(
    ray: ModuleType, actors: Sequence[Any], shared: Any, calls: Sequence[Any]
) -> Iterator[tuple[int, Any]]:
    """Every call's number with its answer, each from whichever actor was free.

    An actor is asked once it is ready: one for which the cluster has no room holds nothing up. Near
    the end nobody is given a second call that another could begin at once. Where nobody answers for
    ten minutes, those who are free are asked for what the others hold, who may never answer: an
    actor whose machine is gone waits for room to be started again. The first answer counts.

    Args:
      actors: with the methods `ready(shared)` and `compute(shared, call)`.

    Raises:
      RuntimeError: an actor died again and again.
      Exception: whatever an actor raised.
    """
    if not calls:
        return
    desk = _Desk(actors, shared, calls)
    _await_first(ray, list(desk.asked))
    while len(desk.done) < len(calls):
        replies, _ = ray.wait(list(desk.asked), num_returns=1, timeout=_LATE)
        if not replies:
            desk.ask_others()
            continue
        (reply,) = replies
        at, number = desk.asked.pop(reply)
        is_first = number not in desk.done
        answer = _fetched(ray, reply) if is_first else None
        if number is not None:
            desk.done.add(number)
        desk.give(at)
        if number is not None and is_first:
            yield number, answer


class _Desk:
    """Which calls wait, who was asked what, and what is answered."""

    def __init__(self, actors: Sequence[Any], shared: Any, calls: Sequence[Any]) -> None:
        self._actors, self._shared, self._calls = actors, shared, calls
        self._waiting = deque(range(len(calls)))
        self._free: set[int] = set()
        self.done: set[int] = set()
        self.asked: dict[Any, tuple[int, int | None]] = {
            actor.ready.remote(shared): (at, None) for at, actor in enumerate(actors)
        }

    def give(self, at: int) -> None:
        """Calls that wait to an actor that has answered; it is free where there is none."""
        most = _IN_FLIGHT if len(self._waiting) > len(self._actors) else 1
        while self._waiting and len(self._held(at)) < most:
            self._ask(at, self._waiting.popleft())
        if not self._held(at):
            self._free.add(at)

    def ask_others(self) -> None:
        """What has no answer yet, the oldest first, to those who are free."""
        for at, number in zip(sorted(self._free), self._late(), strict=False):
            self._free.remove(at)
            self._ask(at, number)

    def _ask(self, at: int, number: int) -> None:
        reply = self._actors[at].compute.remote(self._shared, self._calls[number])
        self.asked[reply] = at, number

    def _held(self, at: int) -> list[int]:
        """What an actor was asked and has not answered."""
        return [n for actor, n in self.asked.values() if actor == at and n is not None]

    def _late(self) -> list[int]:
        """What one actor alone was asked and nobody has answered, the oldest first."""
        numbers = [n for _, n in self.asked.values() if n is not None and n not in self.done]
        return [n for n in numbers if numbers.count(n) == 1]


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
