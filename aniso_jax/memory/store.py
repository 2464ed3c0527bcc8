"""The memory on disk: one file for many processes, every answer flushed before it is given."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import jax
import numpy as np

from aniso_jax.geometry.regions import Region
from aniso_jax.memory.answers import MemoryAnswer
from aniso_jax.memory.binding import Binding, check_binding, read_binding, weights_hash
from aniso_jax.memory.fold import Question, answer_from
from aniso_jax.memory.log import Logged, logged_answer, write_answer
from aniso_jax.memory.registry import Memory
from aniso_jax.memory.rows import (
    Cache,
    Row,
    block_of,
    block_rows,
    check_all_there,
    content_id,
    read_rows,
    write_row,
)
from aniso_jax.memory.sqlite import MemoryRefused, connect, create, errors_said, transaction
from aniso_jax.smoothing.laws import Law

_RAM = 2**30
"""Bytes of regions held in memory; what exceeds them is streamed from the file."""

_PATIENCE = 120.0
"""Seconds to wait for the other writers."""


class MemoryFile:
    """An open memory file; close it, or use it in a `with` block. Make it with `memory_open`.

    Attributes:
      path: the file.
      binding: network, norm and input shape that it is about.
    """

    def __init__(self, path: Path, binding: Binding, *, patience: float, ram: int) -> None:
        self.path, self.binding = path, binding
        block = 8 * block_rows(binding.shape) * max(int(np.prod(binding.shape)), 1)
        most = max(ram // block, 1)
        self._cache = Cache(shape=binding.shape, order=binding.order, most=most)
        self._is_warm = False  # nothing is compiled while the file is locked
        with errors_said(path):
            self.connection = connect(path, patience=patience)
            try:
                check_binding(read_binding(self.connection, path), binding, path)
                check_all_there(self.connection, path)
            except BaseException:
                self.connection.close()
                raise

    def ask(
        self, new: Region, label: int, *, draws: str, run: str = ""
    ) -> tuple[MemoryAnswer, Logged]:
        """Answer one input, store what is newly claimed, and write both down; as `memory_insert`.

        Args:
          new, label: the input's own certificate; an empty region and ABSTAIN where it has none.
          draws: what determines the certificate's draws and bound: seed, plan, law, scale.
          run: an input asked again by the same run and draws gets the answer it was given.

        Returns:
          The answer, and what was logged of it.

        Guarantee: looking and storing are one transaction, on the disk when this returns; killed
        at any moment, the file holds all of it or nothing.

        Raises:
          MemoryRefused: a region of another norm, shape or dtype; or the input was asked before
            with other draws, which would be another try at a certificate.
          MemoryBusy, MemoryDamaged, MemoryUnwritable, DiskFull: nothing was stored.
        """
        question = Question.of(new, label, self.binding.order, self.binding.shape)
        if not self._is_warm:
            question.warm(block_of([], self.binding.shape, self.binding.order))
            self._is_warm = True
        name = content_id(new.center)
        with transaction(self.connection, self.path):
            before = logged_answer(self.connection, name, draws=draws, run=run, path=self.path)
            if before is not None:
                return before.answer(new, self.binding.order), before
            answer, row = answer_from(question, self._blocks(), next_id=self.count() + 1)
            if row is not None:
                write_row(self.connection, row)
            logged = Logged.of(answer, new, name=name, draws=draws, run=run)
            write_answer(self.connection, logged)
        return answer, logged

    def query(self, x: jax.Array) -> MemoryAnswer:
        """What the stored regions alone answer at x: ADOPT, or ABSTAIN. Nothing is written."""
        question = Question.at(x, self.binding.order, self.binding.shape)
        with errors_said(self.path):
            return answer_from(question, self._blocks(), next_id=0)[0]

    def check_draws(self, x: Any, *, draws: str) -> None:
        """Refuse an input that was asked before with other draws, before any is made.

        Raises:
          MemoryRefused: it was.
        """
        with errors_said(self.path):
            logged_answer(self.connection, content_id(x), draws=draws, run="", path=self.path)

    def count(self) -> int:
        """Regions stored."""
        found: int = self.connection.execute("SELECT coalesce(max(id), 0) FROM regions").fetchone()[
            0
        ]
        return found

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def blocks(self) -> Iterator[Memory]:
        """Every stored region, block by block."""
        with errors_said(self.path):
            yield from (block for _, block in self._blocks())

    def _blocks(self) -> Iterator[tuple[int, Memory]]:
        """(regions before it, block): those in RAM, with what others have added, then the rest."""
        self._refresh()
        size = block_rows(self.binding.shape)
        yield from ((number * size, block) for number, block in enumerate(self._cache.blocks))
        if self._cache.is_full:
            rows, before = self._read(self._cache.count), self._cache.count
            while part := list(islice(rows, size)):
                yield before, block_of(part, self.binding.shape, self.binding.order)
                before += len(part)

    def _refresh(self) -> None:
        """Take in what was stored since; whole blocks at once where there are many."""
        cache, size = self._cache, block_rows(self.binding.shape)
        if cache.is_full:
            return
        rows = self._read(cache.count)
        while not cache.is_full and (part := list(islice(rows, size - cache.count % size))):
            if cache.count % size == 0 and len(part) > 8:
                cache.take_block(part)
            else:
                for row in part:
                    cache.take(row)

    def _read(self, after: int) -> Iterator[Row]:
        return read_rows(self.connection, self.path, self.binding.shape, after=after)


def memory_open(
    path: str | Path,
    *,
    weights: Any,
    law: Law,
    shape: tuple[int, ...],
    alpha: float = 0.001,
    patience: float = _PATIENCE,
    ram: int = _RAM,
) -> MemoryFile:
    """Open a memory file for a network, a norm and an input shape; make it where there is none.

    Args:
      path: the file; SQLite keeps two more beside it while it is open.
      weights: the network's hash (`load_model(...).fingerprint`), or its params, which are hashed.
      law: of the noise: ellipsoids under `gaussian`, cross-polytopes under the others.
      shape: of one input.
      alpha: of every certificate that is put in.
      patience: seconds to wait while other processes write.
      ram: bytes of regions held in memory; further ones are streamed from the file.

    Guarantee:
      What is stored is what is claimed, bit by bit. Any number of processes may have the file open.

    Raises:
      MemoryRefused: no memory file, or one of another network, law, norm, shape or alpha; the
        sentence says which.
      MemoryDamaged, MemoryUnwritable, MemoryBusy, DiskFull: nothing was changed.

    >>> import aniso_jax as aj, jax.numpy as jnp, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = f"{folder}/memory.sqlite"
    ...     with memory_open(file, weights="abc", law=aj.gaussian, shape=(2,)) as memory:
    ...         ball = aj.Region(center=jnp.zeros(2), scale=aj.Isotropic(sigma=jnp.float32(1)),
    ...                          gap=jnp.float32(1), order=2)
    ...         _ = memory.ask(ball, 3, draws="seed 0")
    ...         int(memory.query(jnp.array([0.0, 0.5])).label), memory.count()
    (3, 1)
    """
    name = weights if isinstance(weights, str) else weights_hash(weights)
    binding = Binding(weights=name, law=law.name, shape=tuple(shape), alpha=float(alpha))
    path = Path(path)
    if not path.exists():
        create(path, binding.rows())
    return MemoryFile(path, binding, patience=patience, ram=ram)


def memory_bound(path: str | Path) -> Binding:
    """What a memory file is about.

    Raises:
      MemoryRefused: there is no such file, or it is no memory.
    """
    path = Path(path)
    if not path.is_file():
        raise MemoryRefused(f"There is no file {path}; certify --memory {path} makes one.")
    with errors_said(path):
        connection = connect(path, patience=_PATIENCE)
        try:
            return read_binding(connection, path)
        finally:
            connection.close()
