"""How many inputs are searched together: as many as the device's memory holds."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.models.checkpoint import Model
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.room import ran_out
from aniso_jax.runs.sources import Sought, Source


def searched_together(
    source: Source,
    model: Model,
    inputs: Inputs,
    batch: int,
    *,
    on_fewer: Callable[[int], None],
) -> int:
    """`batch` inputs on each device, or the largest of its halves that a search has room for.

    The first steps of each search are tried, which take as much as any others. They are tried
    before a run begins, since the last bits of what a search finds depend on the batch, so that it
    belongs to the run's configuration. Without a search, and on CPUs, whose memory only the system
    can say is full, nothing is tried.

    Args:
      on_fewer: told the inputs that are tried from now on.

    Raises:
      MemoryError: there is no room for one input.
    """
    if not isinstance(source, Sought) or jax.default_backend() == "cpu":
        return batch
    while not _has_room(source, model, inputs, batch):
        if batch == 1:
            raise MemoryError("the device holds not even the draws by which one scale is sought")
        batch = batch // 2
        on_fewer(batch)
    return batch


def _has_room(source: Sought, model: Model, inputs: Inputs, batch: int) -> bool:
    """Whether a full batch on every device is searched without its memory running out."""
    devices = 1 if source.mesh is None else source.mesh.size
    indices = np.resize(inputs.indices, batch * devices)
    ids = [inputs.ids[int(i)] for i in indices]
    x = jnp.asarray(inputs.data.x[indices])
    try:
        jax.block_until_ready(source.sought(model, x, keys_of(0, ids), most=1))
    except jax.errors.JaxRuntimeError as error:
        if not ran_out(error):
            raise
        return False
    return True
