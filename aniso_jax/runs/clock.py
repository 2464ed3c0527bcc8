"""How long a run's stages take, for its side file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds of search and of everything else, lap by lap."""

    def __init__(self) -> None:
        self._optimise, self._lap = 0.0, time.perf_counter()

    @contextmanager
    def optimising(self) -> Iterator[None]:
        """The time inside the block is the search's."""
        start = time.perf_counter()
        yield
        self._optimise += time.perf_counter() - start

    def lap(self) -> dict[str, float]:
        """The seconds since the last lap, and a new one begins."""
        now, optimise = time.perf_counter(), self._optimise
        whole, self._optimise, self._lap = now - self._lap, 0.0, now
        return {"optimise_seconds": optimise, "certify_seconds": whole - optimise}
