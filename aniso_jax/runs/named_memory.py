"""Which memory a run goes on with: the one it began with, and all of it."""

from dataclasses import dataclass
from pathlib import Path

from aniso_jax.memory.binding import new_number
from aniso_jax.memory.opening import memory_bound
from aniso_jax.memory.sqlite import MemoryRefused
from aniso_jax.memory.store import MemoryFile
from aniso_jax.records.directory import RUN_FILE
from aniso_jax.records.experiment import Experiment
from aniso_jax.records.parts import TornPart, present_parts, read_part


@dataclass(frozen=True, kw_only=True)
class NamedMemory:
    """A memory as a run's configuration knows it; another file of that name is another memory.

    Attributes:
      path: the file, there or to be made.
      number: what it was given when it was made, or is to be given.
    """

    path: Path
    number: str

    def __str__(self) -> str:
        return f"{self.path.name} ({self.number})"

    def check(self, memory: MemoryFile) -> None:
        """Refuse a file that somebody else made or put there in between."""
        if memory.binding.number != self.number:
            raise MemoryRefused(
                f"{self.path} was made by another process just now; run the same command again."
            )


def named_memory(path: Path | None, out: Path) -> NamedMemory | None:
    """The memory that is there; or a new one, unless a run that may rest on an old one is there.

    Raises:
      MemoryRefused: the run goes on, and the memory is missing; or the file is no memory.
    """
    if path is None:
        return None
    if path.exists():
        return NamedMemory(path=path, number=memory_bound(path).number)
    if (out / RUN_FILE).exists():
        raise MemoryRefused(
            f"{out} holds a run, and there is no memory {path} to go on with: put back the memory "
            "it was begun with, or choose another --out."
        )
    return NamedMemory(path=path, number=new_number())


def check_parts(memory: MemoryFile, out: Path, experiment: Experiment) -> None:
    """Refuse a memory that lacks regions which the run's parts rest on.

    Raises:
      MemoryRefused: it is an older copy, or was copied without its log.
    """
    last = max((_last_region(out, part, experiment) for part in _parts(out)), default=0)
    if last > memory.count():
        raise MemoryRefused(
            f"{out} rests on region {last} of {memory.path}, which holds only {memory.count()}: it "
            "is an older copy, or was copied without the -wal beside it; put back the whole memory."
        )


def _parts(out: Path) -> list[int]:
    return present_parts(out) if out.is_dir() else []


def _last_region(out: Path, part: int, experiment: Experiment) -> int:
    """0 where nothing was stored or adopted, or the part is torn and will be made again."""
    try:
        numbers = read_part(out, part, experiment)["memory_region"].to_pylist()
    except TornPart:
        return 0
    return max((number for number in numbers if number is not None), default=0)
