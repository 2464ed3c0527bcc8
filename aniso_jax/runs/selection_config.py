"""Which inputs of which data a user asks for."""

from dataclasses import dataclass
from typing import Literal

from aniso_jax.runs.options import Index, Most


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which inputs of which data."""

    data: str
    """Data by name or path: mnist5k, digits, toy2d, fashion-mnist[:DIR], cifar10:DIR,
    cifar10-jpeg:FILE|DIR, npz:FILE, idx:IMAGES,LABELS, folder:DIR, hf:NAME."""

    split: Literal["train", "test"] = "test"
    """Which split, where the data have two."""

    start: int = 0
    """First index."""

    stop: Index = None
    """End of the indices, exclusive."""

    skip: int = 1
    """Take every skip-th input."""

    limit: Most = None
    """Take at most so many inputs."""
