"""Whoever shows how a training gets on."""

from typing import Protocol


class Watch(Protocol):
    """Told how many inputs are still to be seen, each counted once an epoch, and of each step."""

    def start(self, inputs: int) -> None:
        """So many are still to be seen."""

    def inputs(self, count: int) -> None:
        """So many more were seen."""


class Silent:
    """Shows nothing."""

    def start(self, inputs: int) -> None:
        """Show nothing."""

    def inputs(self, count: int) -> None:
        """Show nothing."""


silent = Silent()
