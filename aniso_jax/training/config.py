"""What a training run is: data, network, noise, method, schedule."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import arg

from aniso_jax.smoothing.laws import LAWS
from aniso_jax.training.methods.table import METHODS, MethodName, Methods, check_method
from aniso_jax.training.options import command

LawName = Literal["gaussian", "uniform", "laplace"]

# Options that may be left out: the help says what then happens.
_Method = Annotated[
    MethodName | None,
    arg(metavar="{" + ",".join(METHODS) + "}", help_behavior_hint="(default: the law's name)"),
]
_Law = Annotated[
    LawName | None,
    arg(
        metavar="{" + ",".join(LAWS) + "}",
        help_behavior_hint="(default: the method's, or gaussian)",
    ),
]
_Devices = Annotated[int | None, arg(metavar="INT", help_behavior_hint="(default: all)")]
_Directory = Annotated[
    Path | None, arg(metavar="DIR", help_behavior_hint="(default: beside --out, named after it)")
]
_File = Annotated[
    Path | None, arg(metavar="FILE", help_behavior_hint="(default: beside --out, named after it)")
]


@dataclass(frozen=True, kw_only=True)
class TrainConfig(Methods):
    """Train a network under the noise that will certify it; goes on where it stopped."""

    data: str
    """The data set, by name or path: mnist5k, digits, npz:FILE, ..."""

    out: Path
    """The safetensors file to write; its directory must exist."""

    arch: str = "small-cnn"
    """The network: mlp, small-cnn, strided-cnn, resnet20, resnet18, wrn-40-2, ..."""

    method: _Method = None
    """What is minimised: under a law's name, cross-entropy of noisy inputs; the others are
    explained below, with their settings."""

    law: _Law = None
    """The law of the noise."""

    sigma: float = 0.25
    """The noise's scale in input units: standard deviation (gaussian), half-width (uniform), b
    (laplace). 0 trains without noise."""

    epochs: int = 30
    """How often the whole training split is seen."""

    batch: int = 128
    """Inputs in a step."""

    optimizer: Literal["adamw", "sgd"] = "adamw"
    """adamw (Adam where --weight-decay is 0), or sgd with momentum."""

    lr: float = 2e-3
    """Peak learning rate; sgd wants a larger one, about 0.05."""

    schedule: Literal["cosine", "step", "constant"] = "cosine"
    """How the learning rate falls: to zero along a cosine, by --decay-factor every --decay-every
    epochs, or not at all."""

    warmup: int = 0
    """Epochs over which the learning rate first grows from zero."""

    decay_every: int = 30
    """Epochs between two steps of --schedule step."""

    decay_factor: float = 0.1
    """What each step of --schedule step multiplies by."""

    momentum: float = 0.9
    """The momentum of sgd."""

    weight_decay: float = 1e-2
    """Weight decay: apart from the gradient in adamw, added to it in sgd (which wants 1e-4)."""

    shift: int = 0
    """Images move by up to this many pixels in both directions, at random."""

    flip: bool = False
    """Images are mirrored left to right, at random."""

    dtype: Literal["float32", "bfloat16"] = "float32"
    """What the network computes in; weights, noise and loss are float32 always."""

    devices: _Devices = None
    """Devices that share each batch."""

    seed: int = 0
    """Weights, order, noise, shifts and flips follow from it."""

    checkpoint: _Directory = None
    """Where each epoch is kept until the network is written; the same command goes on from it."""

    metrics: _File = None
    """JSON, a line an epoch."""

    def __post_init__(self) -> None:
        for name in ("epochs", "batch", "decay_every"):
            _at_least(self, name, 1)
        for name in ("sigma", "weight_decay", "momentum", "warmup", "decay_factor"):
            _at_least(self, name, 0)
        for name in ("shift", "seed"):
            _at_least(self, name, 0)
        if self.chosen_law not in LAWS:
            raise ValueError(f"law is {self.law!r}; choose one of {', '.join(LAWS)}.")
        check_method(self.chosen_method, self.chosen_law, self)
        if not (math.isfinite(self.lr) and self.lr > 0):
            raise ValueError(f"lr must be positive, got {self.lr}; 2e-3 is a good start.")
        if self.warmup > self.epochs:
            raise ValueError(
                f"warmup is {self.warmup} of {self.epochs} epochs; give fewer than --epochs."
            )
        if not self.out.parent.is_dir():
            raise ValueError(f"There is no directory {self.out.parent} to write {self.out} into.")

    @property
    def chosen_law(self) -> str:
        """The law: as given, else the method's."""
        return self.law or (self.method if self.method in LAWS else "gaussian")  # type: ignore[return-value]

    @property
    def chosen_method(self) -> str:
        """The method: as given, else the law's name."""
        return self.method or self.chosen_law

    @property
    def checkpoint_directory(self) -> Path:
        """Where epochs are kept."""
        return self.checkpoint or self.out.with_name(f"{self.out.name}.checkpoint")

    @property
    def metrics_file(self) -> Path:
        """Where the metrics' lines go."""
        return self.metrics or self.out.with_name(f"{self.out.name}.metrics.jsonl")

    @property
    def command(self) -> str:
        """The command line that repeats this run.

        >>> TrainConfig(data="digits", out=Path("d.safetensors")).command[:53]
        'aniso-jax train --data digits --out d.safetensors --a'
        """
        return command(self)


def _at_least(config: TrainConfig, name: str, least: int) -> None:
    """Check a field's lower bound; NaN fails it too."""
    value = getattr(config, name)
    if not (math.isfinite(value) and value >= least):
        raise ValueError(f"{name} must be at least {least}, got {value}.")
