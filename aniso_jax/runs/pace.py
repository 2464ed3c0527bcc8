"""How long a run will take, from its first seconds."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from aniso_jax.runs.durations import duration

_PROBE = 1.0  # seconds of drawing, after everything is compiled


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What is to come, if the rates of the first seconds last.

    Attributes:
      inputs: to be certified.
      seconds: for them all.
      draws_per_second: of the estimation.
      at_most: whether inputs may stop before their last draw, so that it may be less.
    """

    inputs: int
    seconds: float
    draws_per_second: float
    at_most: bool

    def line(self) -> str:
        """One line for people.

        >>> Estimate(inputs=10_000, seconds=11_520, draws_per_second=41e3, at_most=False).line()
        '10,000 inputs, 3 h 12 min at 41,000 draws/s'
        """
        most = "at most " * self.at_most
        took = f"{most}{duration(self.seconds)} at {self.draws_per_second:,.0f} draws/s"
        return f"{self.inputs:,} input{'s' * (self.inputs != 1)}, {took}"


class Pace:
    """Adds up what was measured until it says enough; then tells it, once."""

    def __init__(
        self, *, inputs: int, n: int, may_stop: bool, told: Callable[[Estimate], None]
    ) -> None:
        """Of `inputs` to come, with up to n estimation draws each."""
        self._inputs, self._n, self._may_stop, self._told = inputs, n, may_stop, told
        self._draws, self._seconds, self._preparation = 0, 0.0, math.inf
        self._is_told = False

    def prepared(self, inputs: int, seconds: float) -> None:
        """So many scales were found and classes selected; the first time is for compiling."""
        self._preparation = min(self._preparation, seconds / inputs)

    def drew(self, draws: int, seconds: float) -> None:
        """So many draws were made in so many seconds."""
        self._draws += draws
        self._seconds += seconds
        if self._seconds >= _PROBE and self._draws and not self._is_told:
            self._is_told = True
            self._told(self._estimate())

    def _estimate(self) -> Estimate:
        rate = self._draws / self._seconds
        return Estimate(
            inputs=self._inputs,
            seconds=self._inputs * (self._preparation + self._n / rate),
            draws_per_second=rate,
            at_most=self._may_stop,
        )
