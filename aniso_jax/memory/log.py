"""The log of answers: who was asked with which draws, and what was claimed; abstentions too."""

import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.answers import MemoryAnswer, MemoryVerdict
from aniso_jax.memory.attempts import check_draws, write_attempt
from aniso_jax.memory.rows import as_bytes, changed, from_bytes, owner_of, read_row

_COLUMNS = "input, draws, run, verdict, label, gap, region, asked, claimed"
_SAME = (
    f"SELECT id, digest, {_COLUMNS} FROM answers WHERE input = ? AND draws = ? AND run = ? "
    "ORDER BY id"
)
_ALL = f"SELECT id, digest, {_COLUMNS} FROM answers ORDER BY id"
_LAST = "SELECT id, digest FROM answers ORDER BY id DESC LIMIT 1"
_ENDS = f"SELECT id, digest, {_COLUMNS} FROM answers ORDER BY id DESC LIMIT 2"
_DIGEST = "SELECT digest FROM answers WHERE id = ?"
_LABEL = "SELECT label FROM regions WHERE id = ?"


@dataclass(frozen=True, kw_only=True)
class Logged:
    """One answer as the log keeps it.

    Attributes:
      input: `content_id` of the input.
      draws, run: as asked.
      verdict: keep, shrink, adopt or abstain.
      label: the class answered, or -1.
      gap: of the claimed region, float32.
      region: number of the stored region on which the claim rests; None on abstention.
      asked, claimed: log-volumes in nats of the own region and of what is claimed for its class,
        up to the constant of the norm; None where empty. Their difference is what memory cost.
      theta: of the claimed region, where it was read again; not logged.
    """

    input: str
    draws: str
    run: str
    verdict: str
    label: int
    gap: bytes
    region: int | None
    asked: float | None
    claimed: float | None
    theta: NDArray[np.float32] | None = None

    @classmethod
    def of(
        cls, answer: MemoryAnswer, new: Region, own: int, *, name: str, draws: str, run: str
    ) -> "Logged":
        """What is logged of an answer to a certificate of the class `own`."""
        verdict = MemoryVerdict(int(answer.verdict))
        is_own = int(answer.label) == own
        return cls(
            input=name,
            draws=draws,
            run=run,
            verdict=verdict.name.lower(),
            label=int(answer.label),
            gap=as_bytes(answer.region.gap),
            region=None if verdict == MemoryVerdict.ABSTAIN else int(answer.index),
            asked=log_volume(new),
            claimed=log_volume(answer.region) if is_own else None,
        )

    def answer(self, new: Region, order: int) -> MemoryAnswer:
        """The answer that was given, once more."""
        theta = new.scale.push(jnp.ones_like(new.center)) if self.theta is None else self.theta
        return MemoryAnswer(
            verdict=jnp.int32(MemoryVerdict[self.verdict.upper()]),
            label=jnp.int32(self.label),
            region=Region(
                center=new.center,
                scale=Diagonal(theta=jnp.reshape(jnp.asarray(theta), new.center.shape)),
                gap=jnp.asarray(from_bytes(self.gap, ())),
                order=order,
            ),
            index=jnp.int32(-1 if self.region is None else self.region),
        )


def logged_answer(
    connection: sqlite3.Connection, name: str, *, draws: str, run: str, path: Path
) -> Logged | None:
    """The answer that an input got to this very question; None where it got none.

    Raises:
      MemoryRefused: it was asked with other draws. A second try at a certificate would need its
        own share of alpha.
      MemoryDamaged: the answer, or the region it rests on, has other bytes than were written.
    """
    check_draws(connection, name, draws=draws, path=path)
    found = connection.execute(_SAME, (name, draws, run)).fetchone() if run else None
    if found is None:
        return None
    number, digest, *values = found
    before = connection.execute(_DIGEST, (number - 1,)).fetchone()
    if digest != _chained(owner_of(connection), number, before, values):
        raise changed(path, f"answer {number}")
    logged = _of_row(values)
    if logged.region is None:
        return logged
    return replace(logged, theta=read_row(connection, path, logged.region).theta)


def read_answers(connection: sqlite3.Connection, path: Path) -> Iterator[Logged]:
    """Every answer, in order.

    Raises:
      MemoryDamaged: an answer is missing, or has other bytes than were written.
    """
    before, owner = None, owner_of(connection)
    for expected, (number, digest, *values) in enumerate(connection.execute(_ALL), start=1):
        if number != expected or digest != _chained(owner, number, before, values):
            raise changed(path, f"answer {expected}")
        before, logged = (digest,), _of_row(values)
        if len(logged.gap) != len(as_bytes(0.0)):
            raise changed(path, f"the gap of answer {expected}")
        yield logged


def check_last_answer(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file whose last answer is another memory's; one look, whatever the file holds.

    Raises:
      MemoryDamaged: it is, or was changed.
    """
    last, *before = connection.execute(_ENDS).fetchall() or [None]
    if last is None:
        return
    number, digest, *values = last
    chain = (before[0][1],) if before else None
    if digest != _chained(owner_of(connection), number, chain, values):
        raise changed(path, f"answer {number}")


def write_answer(connection: sqlite3.Connection, logged: Logged, *, path: Path) -> None:
    """Log an answer, and the attempt it came of where that is not logged.

    Inside the caller's transaction, after the region it stores.

    Raises:
      MemoryDamaged: the file does not hold the region that the answer rests on.
    """
    _check_region(connection, logged, path)
    write_attempt(connection, logged.input, logged.draws)
    values = tuple(getattr(logged, name) for name in _COLUMNS.split(", "))
    before = connection.execute(_LAST).fetchone()
    number = 1 if before is None else before[0] + 1
    chain = None if before is None else before[1:]
    digest = _chained(owner_of(connection), number, chain, values)
    marks = ", ".join("?" * (len(values) + 2))
    add = f"INSERT INTO answers (id, digest, {_COLUMNS}) VALUES ({marks})"
    connection.execute(add, (number, digest, *values))


def _chained(owner: str, number: int, before: tuple[bytes] | None, values: Sequence[Any]) -> bytes:
    """A digest of an answer, its memory's number and, through the one before it, of all before."""
    chain = None if before is None else before[0]
    return hashlib.sha256(repr((chain, owner, number, *values)).encode()).digest()


def _of_row(values: Sequence[Any]) -> Logged:
    named: dict[str, Any] = dict(zip(_COLUMNS.split(", "), values, strict=True))
    return Logged(**named)


def _check_region(connection: sqlite3.Connection, logged: Logged, path: Path) -> None:
    """What is held in RAM is not believed over the file."""
    if logged.region is None:
        return
    found = connection.execute(_LABEL, (logged.region,)).fetchone()
    if found != (logged.label,):
        raise changed(path, f"region {logged.region}, of class {logged.label},")


def log_volume(region: Region) -> float | None:
    """d log gap + log det S in float64, on the host; None where the region is empty."""
    gap = float(region.gap)
    if not 0 < gap < np.inf:
        return None
    theta = np.asarray(jax.device_get(region.scale.push(jnp.ones_like(region.center))), np.float64)
    if not np.all(np.isfinite(theta) & (theta > 0)):
        return None
    return float(theta.size * np.log(gap) + np.sum(np.log(theta))) + 0.0  # SQLite has no -0.0
