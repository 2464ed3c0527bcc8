"""Progress as JSON lines, for programs that read the log of a job."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from aniso_jax.runs.engine import Finished
from aniso_jax.runs.pace import Estimate
from aniso_jax.runs.progress import line
from aniso_jax.runs.runner import PartDone
from aniso_jax.runs.watch import Watch

_EVERY = 10.0  # seconds between lines of progress


class JsonLines(Watch):
    """One JSON object a line on standard error, each with an `event` and `seconds` since the start.

    Events: `start` (inputs), `estimate` (inputs, total_seconds, draws_per_second, at_most),
    `progress` (inputs_done, inputs, draws, abstained, correct, drawn; one in ten seconds, and at
    the end), `part` (part, fresh), `less` (draws: memory ran out, so many at once from now on),
    `fewer` (inputs: the same of inputs that are searched together).
    Counts of draws and answers are of the inputs certified by this process; `drawn` counts those of
    inputs that are not done, too, but no selection's and no actor's. `warning`, `stopped` and
    `error` have a `text` instead of the seconds; the last two end the log.
    """

    def __init__(self) -> None:
        self._begin = self._said = time.monotonic()
        self._done, self._inputs = 0, 0
        self._tally = {"draws": 0, "abstained": 0, "correct": 0, "drawn": 0}

    def start(self, inputs: int) -> None:
        """A run begins."""
        self._inputs = inputs
        self._say("start", inputs=inputs)

    def estimate(self, estimate: Estimate) -> None:
        """How long all will take."""
        self._say(
            "estimate",
            inputs=estimate.inputs,
            total_seconds=round(estimate.seconds, 1),
            draws_per_second=round(estimate.draws_per_second, 1),
            at_most=estimate.at_most,
        )

    def less(self, draws: int) -> None:
        """Memory ran out."""
        self._say("less", draws=draws)

    def fewer(self, inputs: int) -> None:
        """Memory ran out in a search."""
        self._say("fewer", inputs=inputs)

    def drew(self, draws: int) -> None:
        """Draws were made."""
        self._tally["drawn"] += draws
        self.inputs(0)

    def input(self, done: Finished) -> None:
        """An input was certified."""
        self._tally["draws"] += done.draws
        self._tally["abstained"] += done.abstained
        self._tally["correct"] += done.correct
        self.inputs(1)

    def part(self, done: PartDone) -> None:
        """A part is there."""
        if not done.fresh:
            self.inputs(len(done.table))
        self._say("part", part=done.part, fresh=done.fresh)

    def inputs(self, count: int) -> None:
        """So many more inputs are done."""
        self._done += count
        now, at_end = time.monotonic(), count and self._done >= self._inputs
        if now - self._said >= _EVERY or at_end:
            self._said = now
            self._say("progress", inputs_done=self._done, inputs=self._inputs, **self._tally)

    def _say(self, event: str, **facts: Any) -> None:
        seconds = round(time.monotonic() - self._begin, 3)
        print(
            json.dumps({"event": event, "seconds": seconds, **facts}), file=sys.stderr, flush=True
        )


def said(event: str, text: str) -> None:
    """A sentence for people."""
    print(f"aniso-jax: {text}", file=sys.stderr, flush=True)


def said_as_json(event: str, text: str) -> None:
    """The same sentence for programs."""
    print(json.dumps({"event": event, "text": text}), file=sys.stderr, flush=True)


@contextmanager
def watched(title: str, *, log_json: bool) -> Iterator[Watch]:
    """Whoever tells how far a run is: a line for people, or lines for programs."""
    if log_json:
        yield JsonLines()
        return
    with line() as progress:
        progress.title(title)
        yield progress
