"""A finished figure: the picture, what it says in words, and the numbers behind it."""

from dataclasses import dataclass, field
from typing import Any

from matplotlib.figure import Figure


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """One figure of the page.

    Attributes:
      name: of its files, without their endings.
      title: one line.
      caption: what is shown, how it was computed, and with which confidence it holds.
      figure: the picture; its label is its text alternative.
      settings: seeds, n, alpha and whatever else determines it.
      numbers: those that are printed in it, and more.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    settings: dict[str, Any]
    numbers: dict[str, Any] = field(default_factory=dict)


def confidence(alpha: float) -> str:
    """What a certified region claims, in words.

    >>> confidence(0.001)[:67]
    'each region holds or is not claimed with probability at least 0.999'
    """
    return (
        f"each region holds or is not claimed with probability at least {1 - alpha:g} over its own "
        "draws, by itself"
    )
