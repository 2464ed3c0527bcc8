"""How good a network is so far: on clean inputs, under noise, and as a smoothed classifier."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from numpy.typing import NDArray

from aniso_jax.data.dataset import Dataset
from aniso_jax.models.independence import ApplyFn, Params
from aniso_jax.smoothing.laws import Law
from aniso_jax.training.steps import add_noise

DRAWS = 8
"""Draws of noise for each input that is tried under it."""

NOISY = 1000
"""At most so many inputs are tried under noise, spread evenly over the split."""

_DOUBT = 1e-3
_ROWS = 512  # inputs in one call; a last call is filled up, so that one program serves all

Answers = tuple[NDArray[np.bool_], NDArray[np.float32]]


def evaluate(
    apply_fn: ApplyFn, params: Params, data: Dataset, *, law: Law, sigma: float, key: Array
) -> dict[str, float]:
    """Accuracies, and the mean soft radius where the soft classifier is right.

    `clean_accuracy` is of all inputs; `noisy_accuracy` is of `DRAWS` noisy copies each of at most
    `NOISY` inputs; `soft_radius` is the mean of sigma gap(1 - p), p the mean softmax probability
    of the label over these copies, over the inputs with p > 1/2 (0 where there is none). It
    certifies nothing: p is an estimate, and soft.
    """
    clean = _answers(apply_fn, params, data.x, data.y, law=law, sigma=0.0, key=key)[0]
    every = slice(None, None, -(-len(data) // NOISY))
    x, y = data.x[every], data.y[every]
    under = [
        _answers(apply_fn, params, x, y, law=law, sigma=sigma, key=jax.random.fold_in(key, draw))
        for draw in range(DRAWS)
    ]
    right, failure = (np.mean(np.stack(each), axis=0) for each in zip(*under, strict=True))
    return {
        "clean_accuracy": float(np.mean(clean)),
        "noisy_accuracy": float(np.mean(right)),
        "soft_radius": sigma * soft_gap(law, failure),
    }


def soft_gap(law: Law, failure: NDArray[np.floating]) -> float:
    """The mean gap of the inputs whose failure probability is below one half.

    Failures are drawn toward 1/2 by a thousandth, so that one sure answer cannot carry the mean.

    >>> import aniso_jax as aj
    >>> round(soft_gap(aj.uniform, np.array([0.25, 0.9])), 3)
    0.499
    """
    kept = (failure[failure < 0.5].astype(np.float64) + _DOUBT) / (1 + 2 * _DOUBT)
    return float(np.mean(law.host_gap(kept))) if len(kept) else 0.0


def _answers(
    apply_fn: ApplyFn,
    params: Params,
    x: NDArray[np.float32],
    y: NDArray[np.int64],
    *,
    law: Law,
    sigma: float,
    key: Array,
) -> Answers:
    """For each input under one draw: whether it is answered right, and 1 - p of its label."""
    found = []
    for i, start in enumerate(range(0, len(x), _ROWS)):
        rows = slice(start, start + _ROWS)
        some, labels = _filled(x[rows]), _filled(y[rows])
        drawn = jax.random.fold_in(key, i)
        found.append(_answered(apply_fn, law, params, some, labels, sigma, drawn))
    right, failure = (np.concatenate(each)[: len(x)] for each in zip(*found, strict=True))
    return right, failure


def _filled(rows: NDArray[np.generic]) -> NDArray[np.generic]:
    """Repeat the first row up to the size of a full call."""
    missing = np.repeat(rows[:1], _ROWS - len(rows), axis=0)
    return np.concatenate([rows, missing])


@partial(jax.jit, static_argnums=(0, 1))
def _answered(
    apply_fn: ApplyFn, law: Law, params: Params, x: Array, y: Array, sigma: Array, key: Array
) -> tuple[Array, Array]:
    """One call's answers; 1 - p keeps its digits where p is almost 1."""
    logits = apply_fn(params, add_noise(law, sigma, x, key))
    log_p = jnp.take_along_axis(jax.nn.log_softmax(logits), y[:, None], axis=-1)[:, 0]
    return jnp.argmax(logits, axis=-1) == y, -jnp.expm1(log_p)
