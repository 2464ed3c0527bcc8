"""A line that shows how fast it goes and how long it will still take."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from aniso_jax.runs.durations import duration
from aniso_jax.runs.engine import Finished
from aniso_jax.runs.pace import Estimate
from aniso_jax.runs.runner import PartDone
from aniso_jax.runs.watch import Watch

_PLAIN_EVERY = 10.0  # seconds between lines where there is no terminal


class Line(Watch):
    """Progress over inputs: a live bar in a terminal, a plain line now and then elsewhere."""

    def __init__(self, bar: Progress, total: int) -> None:
        self._bar, self._total, self._is_fixed = bar, total, total > 0
        self._task = bar.add_task("", total=total or None, rate="", tally="")
        self._done, self._kept, self._searched = 0, 0, 0
        self._draws, self._drawn = 0, 0
        self._abstained, self._correct, self._seen = 0, 0, 0
        self._begin = self._said = time.monotonic()

    def title(self, text: str) -> None:
        """Name what is being done."""
        self._bar.update(self._task, description=text)

    def start(self, inputs: int) -> None:
        """A run begins; its inputs come to those of runs before, unless the total was given."""
        if not self._is_fixed:
            self._total = self._done + inputs
            self._bar.update(self._task, total=self._total)

    def estimate(self, estimate: Estimate) -> None:
        """How long all will take, where that is worth a line."""
        if estimate.seconds >= _PLAIN_EVERY:
            self._say(estimate.line())

    def less(self, draws: int) -> None:
        """Memory ran out, and it goes on with fewer draws at once."""
        self._say(f"The device's memory ran out; {draws} draws of an input at once from now on.")

    def fewer(self, inputs: int) -> None:
        """Memory ran out, and it goes on with fewer inputs at once."""
        self._say(f"The device's memory ran out; scales of {inputs} inputs are sought together.")

    def drew(self, draws: int) -> None:
        """Draws were made: an input may take many minutes, so that none is done for long."""
        self._drawn += draws
        self._advance(0)

    def input(self, done: Finished) -> None:
        """An input was certified."""
        self._draws += done.draws
        self._abstained += done.abstained
        self._correct += done.correct
        self._seen += 1
        self._advance(1)

    def part(self, done: PartDone) -> None:
        """A part that an earlier run had finished counts as done, and took no time."""
        if not done.fresh:
            self._kept += len(done.table)
            self._advance(len(done.table))

    def inputs(self, count: int) -> None:
        """A scale was found for some inputs."""
        self._searched += count
        self._advance(count)

    def _advance(self, count: int) -> None:
        self._done += count
        self._bar.update(self._task, completed=self._done, rate=self._rate(), tally=self._tally())
        if not self._bar.console.is_terminal:
            self._say_plainly(at_end=count > 0 and self._done >= self._total)

    def _rate(self) -> str:
        seconds = time.monotonic() - self._begin
        if draws := max(self._draws, self._drawn):  # actors tell of finished inputs only
            return f"{draws / seconds:,.0f} draws/s"
        return f"{self._searched / seconds:,.2f} inputs/s" if self._searched else ""

    def _tally(self) -> str:
        if not self._seen:
            return ""
        return f"{self._abstained} abstained, {self._correct / self._seen:.0%} certified right"

    def _say_plainly(self, *, at_end: bool) -> None:
        now = time.monotonic()
        if now - self._said < _PLAIN_EVERY and not at_end:
            return
        self._said = now
        parts = [f"{self._done}/{self._total} inputs", self._rate(), self._tally(), self._left()]
        self._say(", ".join(filter(None, parts)))

    def _left(self) -> str:
        """The time left at the rate of what was done now; nothing before the first input."""
        fresh, missing = self._done - self._kept, self._total - self._done
        if missing and not fresh:
            return ""
        return f"{duration((time.monotonic() - self._begin) / max(fresh, 1) * missing)} left"

    def _say(self, text: str) -> None:
        """A line of its own: above the bar in a terminal."""
        if self._bar.console.is_terminal:
            self._bar.console.print(text, highlight=False)
        else:
            print(text, file=sys.stderr, flush=True)


class _Field(ProgressColumn):
    """One of the texts that a task carries."""

    def __init__(self, name: str) -> None:
        self._name = name
        super().__init__()

    def render(self, task: Task) -> Text:
        return Text(str(task.fields.get(self._name, "")))


@contextmanager
def line(total: int = 0) -> Iterator[Line]:
    """A progress line on standard error; `total` inputs where several runs share the line."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        _Field("rate"),
        _Field("tally"),
        TimeRemainingColumn(compact=True),
    )
    is_off, above = not console.is_terminal, sys.stdout.isatty()  # else what is printed is a file's
    with Progress(*columns, console=console, disable=is_off, redirect_stdout=above) as bar:
        yield Line(bar, total)
