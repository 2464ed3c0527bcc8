"""Which draws an input was certified with, or is about to be: another try needs its own alpha."""

import sqlite3
from pathlib import Path

from aniso_jax.memory.sqlite import MemoryRefused

_OTHER = (
    "SELECT draws FROM attempts WHERE input = :input AND draws != :draws "
    "UNION ALL SELECT draws FROM answers WHERE input = :input AND draws != :draws LIMIT 1"
)


def check_draws(connection: sqlite3.Connection, name: str, *, draws: str, path: Path) -> None:
    """Refuse an input that was asked, or is being asked, with other draws.

    Raises:
      MemoryRefused: it was.
    """
    other = connection.execute(_OTHER, {"input": name, "draws": draws}).fetchone()
    if other is not None:
        raise MemoryRefused(
            f"{path} was asked about this input (content {name[:16]}) before with other draws "
            f"({_differing(other[0], draws)}); a second try needs its own share of alpha: ask as "
            "the first time (certify --memory or memory_certify, which never draw alike; the same "
            "seed, plan and scale), or give another memory."
        )


def write_attempt(connection: sqlite3.Connection, name: str, draws: str) -> None:
    """Write down that an input's certificate is about to be drawn; inside a transaction."""
    connection.execute("INSERT OR IGNORE INTO attempts VALUES (?, ?)", (name, draws))


def _differing(there: str, asked: str) -> str:
    """The fields, which semicolons part, in which two descriptions of draws differ."""
    pairs = zip(there.split("; "), asked.split("; "), strict=False)
    fields = [f"{old}, now {new}" for old, new in pairs if old != new]
    return "; ".join(fields) or f"{there}, now {asked}"
