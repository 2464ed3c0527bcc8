"""What a memory answers: which of four things it did, and what may now be claimed."""

from dataclasses import dataclass
from enum import IntEnum

import jax
import jax.numpy as jnp

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.shown import code, table


class MemoryVerdict(IntEnum):
    """What the memory did with an input and its own certificate."""

    KEEP = 0
    """Its region met no region of another class and was stored as it is."""
    SHRINK = 1
    """Its region was shrunk away from regions of other classes, and stored."""
    ADOPT = 2
    """The input lies in a stored region, whose class it answers; nothing was stored."""
    ABSTAIN = 3
    """Nothing is claimed: no certificate, nothing left of its region, or no room to store it."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class MemoryAnswer:
    """The answer to one input.

    Attributes:
      verdict: a `MemoryVerdict`.
      label: the class, or ABSTAIN (-1).
      region: where the remembering classifier answers `label`, with a `Diagonal` scale; its gap is
        0 on abstention, and for an adopted input on the very outline of the region that holds it:
        then the class is answered at this point alone.
      index: of the stored region on which the claim rests; -1 on abstention.
    """

    verdict: jax.Array
    label: jax.Array
    region: Region
    index: jax.Array

    def _repr_html_(self) -> str:
        """Show a table in a notebook."""
        if jnp.ndim(self.verdict) != 0:
            return code(self)
        is_claimed = int(self.label) != ABSTAIN
        facts: dict[str, object] = {
            "verdict": MemoryVerdict(int(self.verdict)).name,
            "label": int(self.label) if is_claimed else "ABSTAIN",
            "rests on": f"stored region {int(self.index)}" if is_claimed else "nothing",
        }
        return table(facts | (self.region.summary() if is_claimed else {}))
