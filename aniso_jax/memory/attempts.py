"""Which draws an input was certified with, or is about to be: another try needs its own alpha."""

import contextlib
import hashlib
import sqlite3
from pathlib import Path

from aniso_jax.memory.rows import changed, owner_of
from aniso_jax.memory.sqlite import MemoryRefused

_FOUND = "SELECT input, draws, digest FROM attempts WHERE input = ?"
_ALL = "SELECT input, draws, digest FROM attempts"
_ANSWERED = "SELECT draws FROM answers WHERE input = ? AND draws != ? LIMIT 1"
_UNTRIED = (
    "SELECT count(*) FROM answers WHERE NOT EXISTS (SELECT 1 FROM attempts "
    "WHERE attempts.input = answers.input AND attempts.draws = answers.draws)"
)


def text(name: str, given: object) -> str:
    """A text as the file gives it back, to the letter; of anything else no digest would fit again.

    Raises:
      MemoryRefused: it is none.
    """
    with contextlib.suppress(UnicodeEncodeError):
        if isinstance(given, str):
            return given.encode().decode()  # a plain one of NumPy's own kind, too
    raise MemoryRefused(f"{name} is {given!r}; wanted a text that can be written down as UTF-8.")


def check_draws(connection: sqlite3.Connection, name: str, *, draws: str, path: Path) -> None:
    """Refuse an input that was asked, or is being asked, with other draws.

    Raises:
      MemoryRefused: it was.
      MemoryDamaged: what was written of it was changed.
    """
    tried = [_whole(row, connection, path) for row in connection.execute(_FOUND, (name,))]
    tried += (other for (other,) in connection.execute(_ANSWERED, (name, draws)))
    for other in tried:
        if other != draws:
            raise MemoryRefused(
                f"{path} was asked about this input (content {name[:16]}) before with other draws "
                f"({_differing(other, draws)}); a second try needs its own share of alpha: ask as "
                "the first time (certify --memory or memory_certify, which never draw alike; the "
                "same seed, plan and scale), or give another memory."
            )


def write_attempt(connection: sqlite3.Connection, name: str, draws: str) -> None:
    """Write down that an input's certificate is about to be drawn; inside a transaction."""
    digest = _digest(owner_of(connection), name, draws)
    connection.execute("INSERT OR IGNORE INTO attempts VALUES (?, ?, ?)", (name, draws, digest))


def check_attempts(connection: sqlite3.Connection, path: Path) -> None:
    """Refuse a file in which an attempt was changed, or that of an answer is missing.

    Raises:
      MemoryDamaged: it was.
    """
    for row in connection.execute(_ALL):
        _whole(row, connection, path)
    if connection.execute(_UNTRIED).fetchone()[0]:
        raise changed(path, "the attempt of an answer")


def _whole(row: tuple[str, str, bytes], connection: sqlite3.Connection, path: Path) -> str:
    """The draws of an attempt that has the bytes that were written."""
    name, draws, digest = row
    if digest != _digest(owner_of(connection), name, draws):
        raise changed(path, f"the attempt at input {str(name)[:16]}")
    return draws


def _digest(owner: str, name: str, draws: str) -> bytes:
    return hashlib.sha256(repr((owner, name, draws)).encode()).digest()


def _differing(there: str, asked: str) -> str:
    """The fields, which semicolons part, in which two descriptions of draws differ."""
    pairs = zip(there.split("; "), asked.split("; "), strict=False)
    fields = [f"{old}, now {new}" for old, new in pairs if old != new]
    return "; ".join(fields) or f"{there}, now {asked}"
