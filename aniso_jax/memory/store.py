"""The memory on disk: one file for many processes, every answer flushed before it is given."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Self

import jax
import numpy as np

from aniso_jax.geometry.regions import Region
from aniso_jax.memory.answers import MemoryAnswer
from aniso_jax.memory.attempts import check_draws, text, write_attempt
from aniso_jax.memory.binding import Binding, check_params
from aniso_jax.memory.cache import Cache
from aniso_jax.memory.creation import copy
from aniso_jax.memory.entry import entered
from aniso_jax.memory.fold import Looked, Question, answer_from, looked
from aniso_jax.memory.log import Logged, logged_answer, write_answer
from aniso_jax.memory.registry import Memory
from aniso_jax.memory.rehearsal import rehearse, settled
from aniso_jax.memory.rows import Row, block_rows, changed, content_id, read_rows, write_row
from aniso_jax.memory.sqlite import check_in_place, errors_said, transaction
from aniso_jax.memory.weights import Unchanging, weights_hash

_COUNT = "SELECT coalesce(max(id), 0) FROM regions"


class MemoryFile:
    """An open memory file; close it, or use it in a `with` block. Make it with `memory_open`.

    Attributes:
      path: the file.
      binding: network, norm and input shape that it is about.
      connection: SQLite's.
    """

    def __init__(
        self, path: Path, binding: Binding, *, patience: float, ram: int, writes: bool = True
    ) -> None:
        self.path = path
        block = 8 * block_rows(binding.shape) * max(int(np.prod(binding.shape)), 1)
        most = max(ram // block, 1)
        self._cache = Cache(shape=binding.shape, order=binding.order, most=most)
        self._params = Unchanging()  # the last ones checked, if they are
        self._is_rehearsed = False
        self.connection, self.binding = entered(path, binding, patience=patience, writes=writes)

    def ask(
        self, new: Region, label: int, *, draws: str, run: str = ""
    ) -> tuple[MemoryAnswer, Logged]:
        """Answer one input, store what is newly claimed, and write both down; as `memory_insert`.

        Args:
          new, label: the input's own certificate; an empty region and ABSTAIN where it has none.
          draws: what determines the certificate's draws and bound: seed, plan, law, scale; fields
            parted by "; " are compared one by one where it is refused.
          run: which question this is: asked once more, it gets the answer it was given. A run
            numbers its own; without a name every question is a new one.

        Returns:
          The answer, and what was logged of it.

        Guarantee: looking and storing are one transaction, on the disk when this returns; killed
        at any moment, the file holds all of it or nothing. Nothing is compiled while the file is
        locked, and only what others stored just before is looked at.

        Raises:
          MemoryRefused: a region of another norm, shape or dtype; a label that is no class; draws
            or a run that is no text; or the input was asked before with other draws, another try
            at a certificate.
          MemoryBusy, MemoryDamaged, MemoryUnwritable, DiskFull: nothing was stored.
          MemoryMoved: the file lost its name while it was open; no answer is given.
        """
        question = settled(Question.of(new, label, self.binding.order, self.binding.shape))
        name, draws, run = content_id(new.center), text("draws", draws), text("run", run)
        self._get_ready()
        seen = self._looked(question)
        with transaction(self.connection, self.path):
            logged = logged_answer(self.connection, name, draws=draws, run=run, path=self.path)
            answer = None
            if logged is None:
                news = self._cache.streamed(self._read, after=seen.count)
                answer, row = answer_from(question, looked(question, news, seen))
                if row is not None:
                    self._check_last(row.id - 1)
                    write_row(self.connection, row)
                own = question.new, int(label)
                logged = Logged.of(answer, *own, name=name, draws=draws, run=run)
                write_answer(self.connection, logged, path=self.path)
        return answer or logged.answer(question.new, self.binding.order), logged

    def _get_ready(self) -> None:
        """Compile, before the file is locked."""
        if not self._is_rehearsed:
            rehearse(self.binding.shape, self.binding.order)
            self._is_rehearsed = True

    def _looked(self, question: Question) -> Looked:
        """What every region that is stored by now says."""
        with errors_said(self.path):
            return looked(question, self._cache.blocks(self._read))

    def _check_last(self, number: int) -> None:
        """Refuse to number on where the file has lost regions that were there before."""
        if self.count() != number:
            raise changed(self.path, f"region {number}")

    def query(self, x: jax.Array) -> MemoryAnswer:
        """What the stored regions alone answer at x: ADOPT, or ABSTAIN. Nothing is written."""
        question = Question.at(x, self.binding.order, self.binding.shape)
        with errors_said(self.path):
            check_in_place(self.connection, self.path)
        return answer_from(question, self._looked(question))[0]

    def begin(self, x: Any, *, draws: str) -> None:
        """Write down that an input is about to be certified with some draws, whatever becomes.

        Raises:
          MemoryRefused: it was asked, or begun, with others.
        """
        self.begin_all([x], draws=draws)

    def begin_all(self, inputs: Iterable[Any], *, draws: str) -> None:
        """The same for many inputs at once: all are written down, or none where one is refused."""
        names, draws = [content_id(x) for x in inputs], text("draws", draws)
        with transaction(self.connection, self.path):
            for name in names:
                check_draws(self.connection, name, draws=draws, path=self.path)
                write_attempt(self.connection, name, draws)

    def check_params(self, params: Any, *, are_known: bool = False) -> None:
        """Refuse other params than those the file knows; it gets to know the first.

        Hashed at every call where an array can change in place; once where all are JAX's.

        Args:
          params: of the network; by name alone a file knows none.
          are_known: the caller has found them to be the network's that the file is named after.

        Raises:
          MemoryRefused: they are others; or the file holds answers and knows no params.
        """
        now = Unchanging.of(params)
        if now.are(self._params):
            return
        given = weights_hash(params)
        with transaction(self.connection, self.path):
            check_params(self.connection, self.binding, given, self.path, are_known=are_known)
        self._params = now

    def count(self) -> int:
        """Regions stored."""
        with errors_said(self.path):
            found: int = self.connection.execute(_COUNT).fetchone()[0]
        return found

    def copy(self, path: str | Path) -> None:
        """Copy the memory to a new file, all of one moment, whoever reads or writes meanwhile.

        The one safe way while a process has it open. The copy is the same memory; when both are
        asked further, their answers may contradict each other.

        Raises:
          FileExistsError: there is a file.
          MemoryMoved, MemoryUnwritable, DiskFull: nothing was made.
        """
        with errors_said(self.path):
            check_in_place(self.connection, self.path)
        copy(self.connection, Path(path))

    def close(self) -> None:
        """Let go of the file."""
        self.connection.close()

    def __repr__(self) -> str:
        about = self.binding
        return f"<MemoryFile {self.path}: {about.law}, l{about.order}, inputs of {about.shape}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self) -> Iterator[Row]:
        """Every stored region, as the file has it."""
        with errors_said(self.path):
            yield from self._read(0)

    def blocks(self) -> Iterator[Memory]:
        """Every stored region, block by block, read from the file; the blocks are the caller's."""
        with errors_said(self.path):
            yield from (block for _, block in self._cache.streamed(self._read))

    def _read(self, after: int) -> Iterator[Row]:
        return read_rows(self.connection, self.path, self.binding.shape, after=after)
