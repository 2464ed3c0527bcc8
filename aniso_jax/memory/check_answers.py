"""The log of answers doubted: whole, one a stored region, and none larger than its region."""

from collections import Counter
from collections.abc import Iterator

import numpy as np

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.memory.log import Logged, read_answers
from aniso_jax.memory.rows import from_bytes
from aniso_jax.memory.sqlite import errors_said
from aniso_jax.memory.store import MemoryFile

_STORED = ("keep", "shrink")


def answer_troubles(memory: MemoryFile) -> Iterator[str]:
    """Every trouble of a memory's answers, one sentence each.

    A stored region is what its answer claimed, to the last bit. What was adopted has the region's
    class and at most its gap; where in the region the input lay is not logged.

    Raises:
      MemoryDamaged: an answer or a region is missing or was changed; the sentence names it.
    """
    with errors_said(memory.path):
        regions = [(row.label, row.gap) for row in memory.rows()]
        stored: Counter[int | None] = Counter()
        for number, answer in enumerate(read_answers(memory.connection, memory.path), start=1):
            stored[answer.region] += answer.verdict in _STORED
            if not _is_allowed(answer, regions):
                yield f"Answer {number} ({answer.verdict}) claims more than its region holds."
    for number in range(1, len(regions) + 1):
        if stored[number] != 1:
            yield f"Region {number} belongs to {stored[number]} answers."


def _is_allowed(answer: Logged, regions: list[tuple[int, np.ndarray]]) -> bool:
    gap = from_bytes(answer.gap, ())
    if answer.region is None:
        return answer.verdict == "abstain" and answer.label == ABSTAIN and bool(gap == 0)
    if not 0 < answer.region <= len(regions):
        return False
    label, whole = regions[answer.region - 1]
    fits = gap == whole if answer.verdict in _STORED else 0 <= gap <= whole
    return answer.label == label and bool(fits)
