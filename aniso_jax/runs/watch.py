"""What a run tells whoever watches it."""

from aniso_jax.runs.engine import Finished
from aniso_jax.runs.runner import PartDone


class Watch:
    """Told how a run gets on; this one stays silent."""

    def start(self, inputs: int) -> None:
        """The run will hold so many inputs."""

    def input(self, done: Finished) -> None:
        """An input was certified."""

    def part(self, done: PartDone) -> None:
        """A part is there, new or from an earlier run."""

    def inputs(self, count: int) -> None:
        """So many more inputs are done, one way or another."""


silent = Watch()
