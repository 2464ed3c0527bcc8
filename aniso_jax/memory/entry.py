"""What a memory file must stand before it is used: one look at each of its ends."""

from pathlib import Path

from aniso_jax.memory.binding import Binding, check_binding, read_binding
from aniso_jax.memory.connecting import connect
from aniso_jax.memory.link import Link
from aniso_jax.memory.log import check_last_answer
from aniso_jax.memory.rows import check_all_there
from aniso_jax.memory.sqlite import errors_said


def entered(path: Path, asked: Binding, *, patience: float, writes: bool) -> tuple[Link, Binding]:
    """A connection to a memory about what is asked, and its own binding, which has its number.

    Raises:
      MemoryRefused: no memory, or one about something else.
      MemoryDamaged: its binding, last answer or last region is not what was written.
    """
    with errors_said(path):
        connection = connect(path, patience=patience, writes=writes)
        try:
            there = read_binding(connection, path)
            check_binding(there, asked, path)
            check_all_there(connection, path)
            check_last_answer(connection, path)
        except BaseException:
            connection.close()
            raise
    return connection, there
