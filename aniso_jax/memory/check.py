"""A memory file doubted: its pages, every answer, and every pair of regions again in float64."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from aniso_jax.memory.attempts import check_attempts
from aniso_jax.memory.check_answers import answer_troubles
from aniso_jax.memory.check_pairs import compared
from aniso_jax.memory.sqlite import snapshot
from aniso_jax.memory.store import MemoryFile


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What a memory holds, and what it cost.

    Attributes:
      regions: stored, by class.
      answers: given, by verdict: keep, shrink, adopt, abstain.
        What `query` and `memory_certify` answer from stored regions alone draws nothing, and is
        neither written down nor counted: the same regions answer it again.
      inputs: that answers were given to; as many certificates were attempted, or more.
      nats: log-volume that each certificate lost, infinity where nothing is claimed for its class.
    """

    regions: dict[int, int]
    answers: dict[str, int]
    inputs: int
    nats: tuple[float, ...]


def overview(memory: MemoryFile) -> Overview:
    """Counts and costs of a memory, from its log."""
    ask = memory.connection.execute
    with snapshot(memory.connection, memory.path):
        labels = dict(ask("SELECT label, count(*) FROM regions GROUP BY label ORDER BY label"))
        verdicts = dict(ask("SELECT verdict, count(*) FROM answers GROUP BY verdict"))
        inputs = ask("SELECT count(DISTINCT input) FROM answers").fetchone()[0]
        lost = ask("SELECT asked - claimed FROM answers WHERE asked IS NOT NULL").fetchall()
    nats = tuple(math.inf if found is None else found for (found,) in lost)
    return Overview(regions=labels, answers=verdicts, inputs=inputs, nats=nats)


def check(memory: MemoryFile) -> list[str]:
    """Every trouble of a memory file, one sentence each; empty where it keeps what it promises.

    Pages, indexes, hashes and the order of regions and answers, and the attempts; that each answer
    claims what its region allows, and each stored region belongs to one answer; and that regions of
    different classes are disjoint, in float64, each one enlarged by the rounding of a membership
    test. The pairs take time that grows with the square of the number of regions; two blocks of
    them are held.

    Raises:
      MemoryDamaged: a region, an answer or an attempt is missing or was changed; the sentence
        names it.
    """
    return [trouble for _, troubles in checked(memory) for trouble in troubles]


def checked(memory: MemoryFile) -> Iterator[tuple[int, list[str]]]:
    """The same step by step: (regions compared with all before them, troubles found there).

    All of one moment: what others store meanwhile is not looked at, and stays in the log.
    """
    with snapshot(memory.connection, memory.path):
        pages = memory.connection.execute("PRAGMA integrity_check").fetchall()
        troubles = [f"SQLite finds: {line}." for (line,) in pages if line != "ok"]
        check_attempts(memory.connection, memory.path)
        yield 0, [*troubles, *answer_troubles(memory)]
        yield from compared(memory)
