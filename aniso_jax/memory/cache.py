"""The first stored regions held in RAM, and the others read from the file block by block."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice

from aniso_jax.memory.registry import Memory, memory_empty
from aniso_jax.memory.rows import Row, added, block_of, block_rows

Read = Callable[[int], Iterator[Row]]
"""The regions stored after a number, in order."""

_FEW = 8
"""So many rows are added one by one rather than in a block of their own."""


@dataclass(frozen=True, kw_only=True)
class _Held:
    """Blocks, each with the number of the region before its first, and regions in all of them."""

    blocks: tuple[tuple[int, Memory], ...] = ()
    count: int = 0


@dataclass(kw_only=True)
class Cache:
    """Regions never change, so those in RAM stay true.

    While it takes in new ones it holds nothing, and publishes all of them in one assignment: what
    an interrupted question leaves behind is an empty cache, which the next one fills again.

    Attributes:
      shape, order: of the memory.
      most: blocks held; later regions are streamed from the file at every question.
    """

    shape: tuple[int, ...]
    order: int
    most: int
    _held: _Held = field(default_factory=_Held)

    def blocks(self, read: Read) -> Iterator[tuple[int, Memory]]:
        """(regions before it, block) for every stored region; a block is good until the next call.

        Args:
          read: the file's regions; asked for those that are not yet held.
        """
        held = self.fill(read)
        yield from held.blocks
        if held.count >= self._room:
            yield from self.streamed(read, after=held.count)

    def fill(self, read: Read) -> _Held:
        """Take in what was stored since, as far as there is room."""
        held, self._held = self._held, _Held()
        self._held = held = self._filled(held, read)
        return held

    def streamed(self, read: Read, *, after: int = 0) -> Iterator[tuple[int, Memory]]:
        """The same straight from the file, in blocks that nobody else holds."""
        rows = read(after)
        while part := list(islice(rows, self._size)):
            yield part[0].id - 1, block_of(part, self.shape, self.order)

    @property
    def _size(self) -> int:
        return block_rows(self.shape)

    @property
    def _room(self) -> int:
        return self.most * self._size

    def _filled(self, held: _Held, read: Read) -> _Held:
        """With what was stored since; whole blocks at once where there are many."""
        if held.count >= self._room:
            return held
        rows = read(held.count)  # let go at the end, so that no older pages stay in use
        while held.count < self._room and (
            part := list(islice(rows, self._size - held.count % self._size))
        ):
            held = self._with(held, part)
        return held

    def _with(self, held: _Held, part: list[Row]) -> _Held:
        """With rows that fit into one block; the last block given is used up."""
        before, count = part[0].id - 1, part[-1].id
        if held.count % self._size:
            *full, (before, block) = held.blocks
        else:
            full, block = list(held.blocks), memory_empty(self._size, self.shape, order=self.order)
            if len(part) > _FEW:
                block, part = block_of(part, self.shape, self.order), []
        for row in part:
            block = added(block, row)
        return replace(held, blocks=(*full, (before, block)), count=count)
