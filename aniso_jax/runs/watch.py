"""What a run tells whoever watches it."""

from aniso_jax.runs.engine import Finished
from aniso_jax.runs.pace import Estimate
from aniso_jax.runs.runner import PartDone


class Watch:
    """Told how a run gets on; this one stays silent."""

    def start(self, inputs: int) -> None:
        """The run will hold so many inputs."""

    def estimate(self, estimate: Estimate) -> None:
        """The first seconds say how long the rest will take."""

    def less(self, draws: int) -> None:
        """Memory ran out: no more than so many draws of an input are held at once from now on."""

    def fewer(self, inputs: int) -> None:
        """Memory ran out: the scales of so many inputs are sought together from now on."""

    def drew(self, draws: int) -> None:
        """So many more draws were made, about once a second, of inputs that may not be done yet."""

    def input(self, done: Finished) -> None:
        """An input was certified."""

    def part(self, done: PartDone) -> None:
        """A part is there, new or from an earlier run."""

    def inputs(self, count: int) -> None:
        """So many more inputs are done, one way or another."""


silent = Watch()
