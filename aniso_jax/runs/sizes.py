"""How much to compute at once: found from the device, checked on the real network."""

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.models.checkpoint import Model
from aniso_jax.smoothing.flat import flat_batch
from aniso_jax.smoothing.noise import BLOCK
from aniso_jax.smoothing.votes import ApplyFn, window_size

_ROWS = {"cpu": 1024, "gpu": 65_536, "tpu": 65_536}  # rows in flight; CPU caches want few
_BYTES = {"cpu": 2**28, "gpu": 2**31, "tpu": 2**31}  # of noisy inputs in flight
_BATCH = {"cpu": 4, "gpu": 32, "tpu": 32}  # inputs in flight


def sizes(
    shape: tuple[int, ...], n: int, *, batch: int | None, chunk: int | None, inputs: int
) -> tuple[int, int]:
    """(batch, chunk): inputs in one call, and the ceiling of draws of each held at once."""
    backend = jax.default_backend()
    batch = min(batch or _BATCH[backend], inputs)
    if chunk is None:
        rows = min(_ROWS[backend], _BYTES[backend] // (4 * math.prod(shape)))
        chunk = max(rows // batch // BLOCK, 1) * BLOCK
    return batch, min(chunk, math.ceil(n / BLOCK) * BLOCK)


def slots_for(batch: int, chunk: int, looks: Sequence[int], *, inputs: int) -> tuple[int, int]:
    """(slots, chunk) for as many rows at once as batch times chunk.

    A look ends a window of draws, and what the window holds beyond it is thrown away. So with
    several looks a window is no longer than the first one, and more inputs draw side by side.

    >>> slots_for(4, 256, (10_000,), inputs=50), slots_for(4, 256, (100, 1000), inputs=50)
    ((4, 256), (8, 128))
    """
    if len(looks) == 1:
        return batch, chunk
    window = window_size(chunk, looks[0])
    return max(min(batch * chunk // window, inputs), 1), window


def check_neighbours(model: Model, x: np.ndarray, *, batch: int, chunk: int) -> None:
    """Refuse a network whose logits of an input have other bits among other neighbours.

    Raises:
      ValueError: such a network is no function of its input, and no certificate can be about it.
    """
    rows = max(chunk // BLOCK, 1) * BLOCK
    noise = jax.random.normal(jax.random.key(1), (2, batch, rows, *x.shape)) + x
    probes = np.unique([0, rows // 3, rows // 2, rows - 1])
    kept = np.arange(len(probes)) % batch, probes  # of other inputs other rows
    among_others = noise[1].at[kept].set(noise[0][kept])
    first, second = (
        np.asarray(_logits(model.apply_fn, model.params, z))[kept] for z in (noise[0], among_others)
    )
    if not np.array_equal(first, second, equal_nan=True):
        raise ValueError(
            "The network's logits of an input change with the other inputs of its batch: put it in "
            "eval mode (batch norm with running averages) and let no layer mix the batch axis."
        )


def chunk_changes_logits(model: Model, x: np.ndarray, *, batch: int, chunk: int) -> bool:
    """Whether a block's logits have other bits in a chunk of a batch than alone.

    Then the votes of a run may depend on these sizes, and both join its configuration.
    """
    rows = max(chunk // BLOCK, 1) * BLOCK
    noise = jax.random.normal(jax.random.key(0), (rows, *x.shape)) + x
    alone = _logits(model.apply_fn, model.params, noise[None, :BLOCK])[0]
    together = _logits(model.apply_fn, model.params, jnp.stack([noise] * batch))
    return not bool(jnp.all(together[:, :BLOCK] == alone))


def block_logits(model: Model, x: np.ndarray) -> jax.Array:
    """What the network answers to one block of noise around an input."""
    noise = jax.random.normal(jax.random.key(0), (1, BLOCK, *x.shape)) + x
    logits: jax.Array = _logits(model.apply_fn, model.params, noise)[0]
    return logits


@partial(jax.jit, static_argnums=0)
def _logits(apply_fn: ApplyFn, params: Any, batches: jax.Array) -> jax.Array:
    """Of every input's rows, computed as votes are: as one batch."""
    return jax.vmap(partial(flat_batch(apply_fn), params))(batches)
