"""A share of a run's parts, for one of several processes."""

import re
from dataclasses import dataclass

_SHARD = re.compile(r"([1-9]\d*)/([1-9]\d*)")


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Every `count`-th part, beginning with part `number` - 1; every part is in one shard.

    >>> [part for part in range(7) if Shard(number=2, count=3).holds(part)]
    [1, 4]
    """

    number: int
    count: int

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def suffix(self) -> str:
        """What tells this shard's own files from those of the others.

        >>> Shard(number=2, count=8).suffix
        '-2-of-8'
        """
        return f"-{self.number}-of-{self.count}"

    def holds(self, part: int) -> bool:
        """Whether a part is this shard's."""
        return part % self.count == self.number - 1

    def check(self, parts: int, inputs: int) -> None:
        """Refuse more shards than there are parts: some would have nothing to do."""
        if self.count > parts:
            raise ValueError(
                f"--shard {self}: {inputs} inputs are only {parts} part{'s' * (parts != 1)}, so "
                f"that no more than {parts} shard{'s have' if parts != 1 else ' has'} something to "
                "do; give fewer shards, or more inputs."
            )


def parsed_shard(text: str) -> Shard:
    """The shard that i/k names, 1 <= i <= k.

    >>> parsed_shard("2/8")
    Shard(number=2, count=8)
    """
    match = _SHARD.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise ValueError(f"--shard must be i/k with 1 <= i <= k, such as 2/8, got {text}.")
    return Shard(number=int(match[1]), count=int(match[2]))
