"""Check that a network answers each input of a batch by itself."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

Params = Any
ApplyFn = Callable[[Params, Array], Array]


def check_independence(apply_fn: ApplyFn, params: Params, example: Array) -> None:
    """Check that an input's logits do not depend on what else is in the batch.

    Votes are counted over batches; a network whose rows see each other (batch norm in training
    mode, softmax over the wrong axis) has no smoothed classifier that a certificate could be about.
    The example is put among two very different sets of neighbours: at the same place, where its
    logits have to be the same bits, and at another place, where they may differ by rounding.

    Raises:
        ValueError: logits that depend on neighbours, are not (batch, classes) finite floats, or
            are probabilities.
    """
    example = _float_example(example)
    _check_hashable(apply_fn)
    logits = [np.asarray(jax.jit(apply_fn)(params, batch)) for batch in _batches(example)]
    _check_logits(*logits)
    _check_no_probabilities(*logits)
    alone, there, elsewhere = (
        rows[place].astype(np.float64) for rows, place in zip(logits, (0, 0, 2), strict=True)
    )
    rounding = np.sqrt(np.spacing(logits[0].dtype.type(1))) * max(abs(alone).max(), 1e-30)
    apart = abs(alone - there).max(), abs(alone - elsewhere).max()
    if apart[0] > 0 or apart[1] > rounding:
        raise ValueError(
            f"An input's logits change with the other inputs in its batch (by {max(apart):.3g}); "
            "put the network in eval mode (batch norm with running averages) and let no layer mix "
            "the batch axis."
        )


def _batches(example: Array) -> tuple[Array, Array, Array]:
    """Batches of four: the example first among faint, first and third among loud neighbours."""
    noise = np.random.default_rng(0).standard_normal((2, 4, *example.shape))
    faint, loud = (
        jnp.asarray(scale * z, example.dtype) for scale, z in zip((0.1, 3.0), noise, strict=True)
    )
    loud = 1.0 + loud
    return tuple(b.at[at].set(example) for b, at in ((faint, 0), (loud, 0), (loud, 2)))  # type: ignore[return-value]


def _float_example(example: Array) -> Array:
    """Check that the example is floating, as noise has to be added to it."""
    example = jnp.asarray(example)
    if not jnp.issubdtype(example.dtype, jnp.floating):
        raise ValueError(
            f"example has dtype {example.dtype}, wanted a floating one, since noise is added to "
            "inputs; divide uint8 images by 255."
        )
    return example


def _check_hashable(apply_fn: ApplyFn) -> None:
    """Check that apply_fn can be a static argument of jit."""
    try:
        hash(apply_fn)
    except TypeError as error:
        raise ValueError(
            f"The network cannot be hashed ({error}), so jit could not recognise it; "
            "give its module tuples instead of lists, and arrays as variables."
        ) from error


def _check_logits(*batches: np.ndarray[Any, Any]) -> None:
    """Check that batches of logits are (4, classes) finite floats."""
    for logits in batches:
        if logits.ndim != 2 or logits.shape[0] != 4 or logits.shape[1] < 2:
            raise ValueError(
                f"The network maps a batch of 4 to shape {logits.shape}, wanted (4, classes) with "
                "at least two classes; one row of logits for each input."
            )
        if not jnp.issubdtype(logits.dtype, jnp.floating):
            raise ValueError(f"The network returns {logits.dtype}, wanted floating logits.")
        if not np.isfinite(logits.astype(np.float64)).all():
            raise ValueError(
                "The network returns logits that are not finite on ordinary inputs; "
                "look for NaN in its weights or a division by zero."
            )


def _check_no_probabilities(*batches: np.ndarray[Any, Any]) -> None:
    """Check that not every row is a distribution: the search takes a softmax of its own."""
    rows = np.concatenate(batches).astype(np.float64)
    if rows.min() >= 0 and abs(rows.sum(axis=1) - 1).max() < 1e-2:
        raise ValueError(
            "The network returns probabilities (every row sums to 1), wanted logits: a second "
            "softmax would flatten what the search for a scale climbs; leave the last softmax off, "
            "or return the logarithm of the probabilities."
        )
