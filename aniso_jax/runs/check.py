"""The share of inputs that a network answers right, before a long run is spent on it."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.models.checkpoint import Model, load
from aniso_jax.runs.config import LawName
from aniso_jax.runs.inputs import Inputs, check_fit, read_inputs
from aniso_jax.runs.limits import check_seed
from aniso_jax.runs.selection_config import Selection
from aniso_jax.smoothing.laws import LAWS, Law
from aniso_jax.smoothing.votes import ApplyFn
from aniso_jax.training.steps import add_noise

_ROWS, _NUMBERS = 512, 2**22  # at most, of inputs in flight
_BY_LUCK = 0.01


@dataclass(frozen=True, kw_only=True)
class Check(Selection):
    """Count a network's right answers, plain or under one draw of noise each; certifies nothing."""

    model: str
    """A network's safetensors file, or demo: the MNIST network that comes with the package."""

    law: LawName = "gaussian"
    """Law of the noise, if --sigma is above 0."""

    sigma: float = 0.0
    """The noise's scale: std (gaussian), half-width (uniform), b (laplace); 0 is without noise."""

    seed: int = 0
    """Seed of the noise."""

    def __post_init__(self) -> None:
        if not (math.isfinite(self.sigma) and self.sigma >= 0):
            raise ValueError(f"--sigma must be finite and at least 0, got {self.sigma}.")
        check_seed(self.seed)


@dataclass(frozen=True, kw_only=True)
class Answers:
    """How many of how many inputs were answered right, among so many classes."""

    right: int
    inputs: int
    classes: int

    @property
    def accuracy(self) -> float:
        """The share of right answers."""
        return self.right / self.inputs

    @property
    def may_be_luck(self) -> bool:
        """Whether guessing would come as far once in a hundred times, or more often."""
        from scipy.stats import binom  # here, so that commands which check nothing start sooner

        by_luck = binom.sf(self.right - 1, self.inputs, 1 / self.classes)
        return bool(by_luck >= _BY_LUCK)

    def line(self) -> str:
        """One sentence for people.

        >>> Answers(right=5, inputs=10, classes=2).line()
        '5 of 10 answers are right (50.0 %), no more than guessing reaches: look at the \
normalisation, the order of the classes and the data.'
        """
        said = f"{self.right} of {self.inputs} answers are right ({self.accuracy:.1%})"
        said = said.replace("%", " %")
        if not self.may_be_luck:
            return f"{said}."
        return (
            f"{said}, no more than guessing reaches: look at the normalisation, the order of the "
            "classes and the data."
        )


def check_run(config: Check) -> Answers:
    """Count the right answers of a network on a selection of inputs.

    Raises:
        ValueError: no such network or data, or inputs that the network is not made for.
    """
    law = LAWS[config.law]
    return count_right(
        load(config.model), read_inputs(config), law=law, sigma=config.sigma, seed=config.seed
    )


def count_right(
    model: Model, inputs: Inputs, *, law: Law = LAWS["gaussian"], sigma: float = 0.0, seed: int = 0
) -> Answers:
    """Count a network's right answers on the selected inputs, each under one draw of noise."""
    check_fit(inputs.data, model)
    rows = max(min(_ROWS, _NUMBERS // math.prod(model.shape)), 1)
    right = 0
    for number, start in enumerate(range(0, len(inputs.indices), rows)):
        chosen = inputs.indices[start : start + rows]
        key = jax.random.fold_in(jax.random.key(seed), number)
        x = jnp.asarray(inputs.data.x[chosen])
        labels = _labels(model.apply_fn, law if sigma else None, model.params, x, key, sigma)
        right += int(np.sum(np.asarray(labels) == inputs.data.y[chosen]))
    return Answers(right=right, inputs=len(inputs.indices), classes=model.classes)


@partial(jax.jit, static_argnums=(0, 1))
def _labels(
    apply_fn: ApplyFn, law: Law | None, params: Any, x: jax.Array, key: jax.Array, sigma: float
) -> jax.Array:
    noisy = x if law is None else add_noise(law, sigma, x, key)
    return jnp.argmax(apply_fn(params, noisy), axis=-1)
