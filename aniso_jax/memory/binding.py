"""What a memory file is about: one network, law, input shape and alpha; others are refused."""

import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aniso_jax.memory.rows import changed
from aniso_jax.memory.sqlite import MemoryRefused
from aniso_jax.smoothing.laws import LAWS

_SEAL = "seal"
_ROWS = "SELECT name, value FROM binding WHERE name != ? ORDER BY name"
_TABLES = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"


def new_number() -> str:
    """Another one at every call."""
    return secrets.token_hex(6)


@dataclass(frozen=True, kw_only=True)
class Binding:
    """What a memory file is about, and what it therefore refuses.

    Attributes:
      weights: hash of the network.
      law: name of the noise's law, and with it the norm.
      shape: of one input.
      alpha: of each certificate: with at most this probability over an input's own draws a false
        region is stored for it. Of a stored one by itself, or one adopted, it says nothing.
      number: given at random when the file is made; what tells it from another of the same name,
        and the one thing that is not refused.
    """

    weights: str
    law: str
    shape: tuple[int, ...]
    alpha: float
    number: str = field(default_factory=new_number, compare=False)

    @property
    def order(self) -> int:
        """Of the norm."""
        return LAWS[self.law].order

    def rows(self) -> dict[str, str]:
        """As the file spells it, the number left out."""
        return {
            "weights": self.weights,
            "law": self.law,
            "norm": f"l{self.order}",
            "shape": json.dumps(self.shape),
            "alpha": repr(self.alpha),
        }


def read_binding(connection: Any, path: Path) -> Binding:
    """What an open memory file says that it is about.

    Raises:
      MemoryDamaged: that, or the shape of its tables, is not what was written.
    """
    said = dict(connection.execute("SELECT name, value FROM binding"))
    if said.get(_SEAL) != _sealed(connection):
        raise changed(path, "what it says that it is about")
    try:
        shape = tuple(int(size) for size in json.loads(said["shape"]))
        alpha = float(said["alpha"])
        LAWS[said["law"]]
        named = {name: said[name] for name in ("weights", "law", "number")}
        return Binding(**named, shape=shape, alpha=alpha)
    except (KeyError, ValueError, TypeError) as error:
        raise MemoryRefused(f"{path} does not say what it is about; give another path.") from error


def write_binding(connection: Any, rows: Mapping[str, str]) -> None:
    """Write down what a memory is about, or more of it, under one digest; in a transaction."""
    add = "INSERT INTO binding VALUES (?, ?)"
    connection.execute("DELETE FROM binding WHERE name = ?", (_SEAL,))
    connection.executemany(add, rows.items())
    connection.execute(add, (_SEAL, _sealed(connection)))


def _sealed(connection: Any) -> str:
    """A digest of all rows but its own, and of the tables as they were made."""
    rows = connection.execute(_ROWS, (_SEAL,)).fetchall()
    return hashlib.sha256(repr((rows, connection.execute(_TABLES).fetchall())).encode()).hexdigest()


def check_params(
    connection: Any, binding: Binding, given: str, path: Path, *, are_known: bool
) -> None:
    """Refuse other params than a file's, and write down the first; inside a transaction.

    Args:
      given: their hash.
      are_known: to be those of the network that the file is named after. Others are written down
        only where nothing was answered before, which they might not have made.
    """
    said = dict(connection.execute("SELECT name, value FROM binding"))
    there = binding.weights if binding.weights.startswith("params:") else said.get("params")
    if there is None:
        if not are_known and connection.execute("SELECT 1 FROM answers LIMIT 1").fetchone():
            raise MemoryRefused(
                f"{path} holds answers, and does not know the params they were made with: open "
                "another memory for these."
            )
        write_binding(connection, {"params": given})
    elif given != there:
        raise MemoryRefused(
            f"{path} was made with other params ({there[:23]}, now {given[:23]}): open a memory "
            "for these."
        )


def check_binding(there: Binding, asked: Binding, path: Path) -> None:
    """Refuse a file that is about something else, and say what differs."""
    said = [
        f"{name} is {there.rows()[name][:23]}, you asked for {asked.rows()[name][:23]}"
        for name in there.rows()
        if there.rows()[name] != asked.rows()[name]
    ]
    if said:
        raise MemoryRefused(
            f"{path} remembers another classifier ({'; '.join(said)}): give another --memory, or "
            "the network and the options it was made with."
        )
