"""What a training run is: data, network, noise, schedule."""

import math
import shlex
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from aniso_jax.smoothing.laws import LAWS


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """Train a network on noisy inputs, so that it can be certified under that noise."""

    data: str
    """The data set, by name or path: mnist5k, digits, npz:FILE, ..."""

    out: Path
    """The safetensors file to write; its directory must exist."""

    arch: str = "small-cnn"
    """The network: mlp, small-cnn or strided-cnn."""

    law: Literal["gaussian", "uniform", "laplace"] = "gaussian"
    """The law of the noise."""

    sigma: float = 0.25
    """The noise's scale in input units: standard deviation (gaussian), half-width (uniform), b
    (laplace). 0 trains without noise."""

    epochs: int = 30
    """How often the whole training split is seen."""

    batch: int = 128
    """Inputs in a step."""

    lr: float = 2e-3
    """Peak learning rate; it falls to zero along a cosine."""

    weight_decay: float = 1e-2
    """AdamW's weight decay."""

    shift: int = 0
    """Images move by up to this many pixels in both directions, at random."""

    seed: int = 0
    """Weights, order, noise and shifts follow from it."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch"):
            _at_least(self, name, 1)
        for name in ("sigma", "weight_decay", "shift", "seed"):
            _at_least(self, name, 0)
        if self.law not in LAWS:
            raise ValueError(f"law is {self.law!r}; choose one of {', '.join(LAWS)}.")
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr must be positive, got {self.lr}; 2e-3 is a good start.")
        if not self.out.parent.is_dir():
            raise ValueError(f"There is no directory {self.out.parent} to write {self.out} into.")

    @property
    def command(self) -> str:
        """The command line that repeats this run.

        >>> TrainConfig(data="digits", out=Path("d.safetensors")).command[:53]
        'aniso-jax train --data digits --out d.safetensors --a'
        """
        options = ((f.name.replace("_", "-"), str(getattr(self, f.name))) for f in fields(self))
        return "aniso-jax train " + " ".join(f"--{k} {shlex.quote(v)}" for k, v in options)


def _at_least(config: TrainConfig, name: str, least: int) -> None:
    """Check a field's lower bound; NaN fails it too."""
    value = getattr(config, name)
    if not (math.isfinite(value) and value >= least):
        raise ValueError(f"{name} must be at least {least}, got {value}.")
