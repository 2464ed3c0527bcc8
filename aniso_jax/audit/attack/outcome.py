"""What an attack finds: confirmed candidates of an input, and all inputs of a run together."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Call:
    """A confirmed candidate, counterexample or not.

    Attributes:
      kind: of candidate.
      point: the point x' itself, float32.
      gauge: where in the region it lies, 0 at the input, 1 on the outline; never above 1.
      label, rival: the certified class, and the other class chosen before the votes were drawn.
      votes: of every class among n fresh draws at x'.
      p_value: of "the label is at least as likely as the rival at x'", given these votes.
      refutes: whether the p-value is at most the attack's level.
    """

    kind: str
    point: NDArray[np.float32]
    gauge: float
    label: int
    rival: int
    votes: tuple[int, ...]
    p_value: float
    refutes: bool

    @property
    def lead(self) -> float:
        """How far the label is ahead of the rival, as a share of all votes."""
        return (self.votes[self.label] - self.votes[self.rival]) / max(sum(self.votes), 1)


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the attack on one input found.

    Attributes:
      tried: candidates by kind, all of them proved to be inside the region.
      soft_margin: the smallest soft margin found, p_label less the strongest other class's.
      calls: the confirmed candidates, the closest to a counterexample first.
    """

    tried: Counter[str]
    soft_margin: float
    calls: tuple[Call, ...]


@dataclass(frozen=True, kw_only=True)
class Attacked:
    """What an attack on a run found.

    Attributes:
      certified: inputs that the run certifies.
      outcomes: by index of the attacked input.
      n, alpha, level: fresh draws of a confirmation, the attack's error, and each confirmation's.
    """

    certified: int
    outcomes: dict[int, Outcome]
    n: int
    alpha: float
    level: float

    @property
    def tried(self) -> Counter[str]:
        """Candidates by kind, over all inputs."""
        return sum((outcome.tried for outcome in self.outcomes.values()), Counter())

    @property
    def calls(self) -> list[tuple[int, Call]]:
        """All confirmed candidates with their input's index, the closest call first."""
        calls = [(i, call) for i, outcome in self.outcomes.items() for call in outcome.calls]
        return sorted(calls, key=lambda found: (found[1].p_value, found[1].lead))

    @property
    def counterexamples(self) -> list[tuple[int, Call]]:
        """The confirmed candidates that refute their certificate, with their input's index."""
        return [(index, call) for index, call in self.calls if call.refutes]

    @property
    def soft_margin(self) -> float:
        """The smallest soft margin found in any region."""
        return min((outcome.soft_margin for outcome in self.outcomes.values()), default=1.0)

    @property
    def status(self) -> int:
        """Exit status: 1 where a certificate is refuted."""
        return int(bool(self.counterexamples))
