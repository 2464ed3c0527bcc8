"""Turn a Flax network into `(apply_fn, params)`, in eval mode, checked row by row.

Everything pure in this package takes `apply_fn(params, batch) -> logits`. The functions here make
an `apply_fn` that is hashable and equal for equal architectures, so that `jit` traces it once.
"""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import flax.linen as linen
from flax import nnx
from jax import Array

from aniso_jax.models.independence import ApplyFn, Params, check_independence

# What the arguments that switch a linen module between training and evaluation are called.
_EVAL_MODE = {
    "train": False,
    "training": False,
    "is_training": False,
    "deterministic": True,
    "use_running_average": True,
}


@dataclass(frozen=True)
class NnxApply:
    """`apply_fn` of an nnx network: its static graph, merged with the weights at each call."""

    graphdef: nnx.GraphDef[Any]

    def __call__(self, params: Params, batch: Array) -> Array:
        """Map (batch, *shape) to logits (batch, classes)."""
        logits: Array = nnx.merge(self.graphdef, nnx.State(params))(batch)
        return logits


@dataclass(frozen=True)
class LinenApply:
    """`apply_fn` of a linen module, with the arguments that put it in eval mode."""

    module: linen.Module
    mode: tuple[tuple[str, bool], ...]

    def __call__(self, params: Params, batch: Array) -> Array:
        """Map (batch, *shape) to logits (batch, classes)."""
        logits: Array = self.module.apply(params, batch, **dict(self.mode))
        return logits


def from_nnx(model: nnx.Module, *, example: Array) -> tuple[ApplyFn, Params]:
    """Turn an nnx network into `(apply_fn, params)`.

    A copy is switched to eval mode before it is split; the caller's network stays as it is.

    Args:
        model: a network that maps a batch (b, *shape) to logits (b, classes).
        example: one input, no batch axis; the network is tried on it.

    Returns:
        `apply_fn`, hashable, equal for equal architectures; `params`, nested dicts of arrays.

    Raises:
        ValueError: the network fails `check_independence`.

    >>> import jax
    >>> net = nnx.Linear(4, 3, rngs=nnx.Rngs(0))
    >>> apply_fn, params = from_nnx(net, example=jax.numpy.zeros(4))
    >>> apply_fn(params, jax.numpy.zeros((2, 4))).shape
    (2, 3)
    """
    apply_fn, params = split(model)
    check_independence(apply_fn, params, example)
    return apply_fn, params


def from_linen(
    module: linen.Module, variables: Mapping[str, Any], *, example: Array
) -> tuple[ApplyFn, Params]:
    """Turn a linen module and its variables into `(apply_fn, params)`.

    If the module's `__call__` takes `train`, `training`, `is_training`, `deterministic` or
    `use_running_average`, it is called with the value that means evaluation.

    Args:
        module: maps a batch (b, *shape) to logits (b, classes).
        variables: what `module.init` returned, or a checkpoint: `params`, `batch_stats`, ...
        example: one input, no batch axis; the network is tried on it.

    Returns:
        `apply_fn`, hashable, equal for equal modules; `params`, the variables.

    Raises:
        ValueError: the network fails `check_independence`.

    >>> import jax
    >>> module = linen.Dense(3)
    >>> variables = module.init(jax.random.key(0), jax.numpy.zeros((1, 4)))
    >>> apply_fn, params = from_linen(module, variables, example=jax.numpy.zeros(4))
    >>> apply_fn(params, jax.numpy.zeros((2, 4))).shape
    (2, 3)
    """
    apply_fn = linen_apply(module)
    check_independence(apply_fn, variables, example)
    return apply_fn, variables


def linen_apply(module: linen.Module) -> LinenApply:
    """The `apply_fn` of a linen module in eval mode, not yet checked."""
    taken = inspect.signature(type(module).__call__).parameters
    return LinenApply(module, tuple((k, v) for k, v in _EVAL_MODE.items() if k in taken))


def split(model: nnx.Module) -> tuple[NnxApply, Params]:
    """Split a copy of an nnx network, in eval mode, into its static graph and its weights.

    Works on abstract networks (from `nnx.eval_shape`) too, since nothing is computed.
    """
    copy = nnx.clone(model)
    copy.eval()
    graphdef, state = nnx.split(copy)
    return NnxApply(graphdef), nnx.to_pure_dict(state)
