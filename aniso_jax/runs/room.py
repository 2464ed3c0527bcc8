"""What fits into the memory of a device: found by trying, halved when it runs out."""

from collections.abc import Callable
from typing import TypeVar

import jax

from aniso_jax.smoothing.noise import BLOCK

Tree = TypeVar("Tree")


def ran_out(error: Exception) -> bool:
    """Whether an error of a device is that its memory ran out."""
    return "RESOURCE_EXHAUSTED" in str(error)


class Room:
    """The share of a chunk that fits: all of it, then half, a quarter, down to one block.

    A chunk is a ceiling of draws held at once and changes no vote, so that what did not fit is
    simply tried again.
    """

    check: Callable[[int], None] | None = None
    """Asked before fewer draws are tried: whether they change nothing; it says so by raising."""

    def __init__(self, on_less: Callable[[int], None] | None = None) -> None:
        """`on_less` is told the draws that are tried from now on; without it nothing is halved."""
        self._on_less, self._halvings, self._is_checked = on_less, 0, True

    def of(self, chunk: int) -> int:
        """As many draws of a chunk as fit, so far as is known; halves are whole blocks.

        >>> Room().of(100)
        100
        """
        less = max((chunk >> self._halvings) // BLOCK, 1) * BLOCK
        return less if self._halvings else chunk

    def tried(self, call: Callable[[int], Tree], chunk: int) -> Tree:
        """What `call` makes with the draws that fit, once the device has made it.

        Raises:
          MemoryError: not even one block fits, or nothing may be halved.
        """
        while True:
            draws = self.of(chunk)
            try:
                self._checked(draws)
                made: Tree = jax.block_until_ready(call(draws))
                return made
            except jax.errors.JaxRuntimeError as error:
                if not ran_out(error):
                    raise
                self._halve(chunk, error)

    def _checked(self, draws: int) -> None:
        if self.check is not None and not self._is_checked:
            self.check(draws)
        self._is_checked = True

    def _halve(self, chunk: int, error: Exception) -> None:
        draws = self.of(chunk)
        if self._on_less is None or draws <= BLOCK:
            why = " although that is one block, the least there is"
            if draws > BLOCK:
                why = ", and this network's logits depend on how many it is given"
            said = f"the device holds no {draws} draws of each input at once{why}"
            raise MemoryError(said) from error
        self._halvings, self._is_checked = self._halvings + 1, False
        self._on_less(self.of(chunk))
