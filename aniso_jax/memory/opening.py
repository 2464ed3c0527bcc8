"""Memory files opened, made, and asked what they are about."""

from pathlib import Path
from typing import Any

import numpy as np

from aniso_jax.memory.binding import Binding, read_binding
from aniso_jax.memory.connecting import connect
from aniso_jax.memory.creation import create
from aniso_jax.memory.rules import check_shape
from aniso_jax.memory.sqlite import MemoryRefused, errors_said
from aniso_jax.memory.store import MemoryFile
from aniso_jax.memory.weights import name_of
from aniso_jax.smoothing.laws import Law

_RAM = 2**30
"""Bytes of regions held in memory; what exceeds them is streamed from the file."""

_PATIENCE = 120.0
"""Seconds to wait for the other writers."""


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
      path: the file; SQLite keeps two more beside it while it is open. After a kill they may be
        part of it, if it was being read just then: move or remove them together. Never copy, move
        or read it by other means while a process has it open: `copy` of what this returns does.
        One name only: a second one (a hard link) is refused, a file that is mounted by itself
        under two (a bind mount) cannot be told, and would be destroyed.
      weights: the network's params, which are hashed; or a string that names it and no other
        (`load_model(...).fingerprint`).
      law: of the noise: ellipsoids under `gaussian`, cross-polytopes under the others.
      shape: of one input.
      alpha: of every certificate that is put in.
      patience: seconds to wait while other processes write.
      ram: bytes of regions held in memory; further ones are streamed from the file.

    Guarantee:
      What is stored is what is claimed, bit by bit. Any number of processes may have the file open.
      It refuses another name or hash, law, shape or alpha, and in `memory_certify` other params:
      named by a string, it knows those of the run that was made with it, or of the first call.
      It cannot know what the function does with the params, nor see another precision, device or
      version of JAX: keep these the same, or open another memory.

    Raises:
      MemoryRefused: no memory file, or one of another network, law, norm, shape or alpha, and
        the sentence says which; or no file, and the log of one that is gone beside it.
      ValueError: weights without an array, or with something else among them; no shape, no alpha.
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
    _check_asked(law, shape, alpha)
    name = name_of(weights)
    sizes = tuple(int(size) for size in shape)
    binding = Binding(weights=name, law=law.name, shape=sizes, alpha=float(alpha))
    return open_bound(Path(path), binding, patience=patience, ram=ram)


def open_bound(
    path: Path, binding: Binding, *, patience: float = _PATIENCE, ram: int = _RAM
) -> MemoryFile:
    """As `memory_open`; a file that is made gets the number of the binding."""
    if path.is_dir():
        raise MemoryRefused(f"{path} is a folder; give the path of a file, there or to be made.")
    if not path.exists():
        create(path, {**binding.rows(), "number": binding.number})
    return MemoryFile(path, binding, patience=patience, ram=ram)


def _check_asked(law: object, shape: object, alpha: object) -> None:
    check_shape(shape)
    if not isinstance(law, Law):
        raise ValueError(f"law is {law!r}; wanted that of the noise, such as aj.gaussian.")
    if not (isinstance(alpha, float | int | np.floating) and 0 < alpha < 1):
        raise ValueError(f"alpha is {alpha!r}; wanted the plan's, between 0 and 1.")


def memory_viewed(path: Path) -> MemoryFile:
    """A memory opened to look at, with the binding that it names itself; a read-only one too.

    Raises:
      MemoryRefused: there is no such file, or it is no memory.
    """
    binding = memory_bound(path)
    return MemoryFile(path, binding, patience=_PATIENCE, ram=_RAM, writes=False)


def memory_bound(path: str | Path) -> Binding:
    """What a memory file is about.

    Raises:
      MemoryRefused: there is no such file, or it is no memory.
    """
    path = Path(path)
    if not path.is_file():
        raise MemoryRefused(f"There is no file {path}; certify --memory {path} makes one.")
    with errors_said(path):
        connection = connect(path, patience=_PATIENCE, writes=False)
        try:
            return read_binding(connection, path)
        finally:
            connection.close()
