"""Calls timed in turn, so that what else the machine does meets all alike; compilation apart."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
from pipelines.measures import spread

Seconds = dict[str, list[float]]


def compiled(call: Callable[..., Any], *given: Any) -> tuple[Callable[[], Any], float]:
    """The call on these arguments, ready to run, and the seconds that compiling took."""
    start = time.perf_counter()
    ready = jax.jit(call).lower(*given).compile()
    return partial(ready, *given), time.perf_counter() - start


def in_turn(calls: dict[str, Callable[[], Any]], repeats: int) -> Seconds:
    """Seconds of each call, one after the other; the first round only warms up."""
    seconds: Seconds = {kind: [] for kind in calls}
    for _ in range(repeats + 1):
        for kind, call in calls.items():
            start = time.perf_counter()
            jax.block_until_ready(call())
            seconds[kind].append(time.perf_counter() - start)
    return {kind: taken[1:] for kind, taken in seconds.items()}


def ratio(seconds: Seconds, kind: str, to: str) -> dict[str, float]:
    """Of neighbours in time: median, least and most."""
    pairs = zip(seconds[kind], seconds[to], strict=True)
    return spread([one / other for one, other in pairs])
