"""The inputs of a run: data, selection, and one key per input from its content."""

from dataclasses import dataclass
from functools import cached_property

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.dataset import Dataset
from aniso_jax.data.ids import input_id
from aniso_jax.data.load import load
from aniso_jax.data.selection import select
from aniso_jax.models.checkpoint import Model
from aniso_jax.runs.selection_config import Selection


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """Selected inputs of a data set."""

    data: Dataset
    indices: NDArray[np.int64]

    @cached_property
    def ids(self) -> dict[int, str]:
        """The content hash of every selected input: the same image has the same noise."""
        return {int(i): input_id(self.data.x[i]) for i in self.indices}


def read_inputs(config: Selection) -> Inputs:
    """Read the data and make the selection; refuses what is no data, and an empty selection."""
    data = load(config.data, split=config.split)
    indices = select(
        len(data), start=config.start, stop=config.stop, skip=config.skip, limit=config.limit
    )
    return Inputs(data=data, indices=indices)


def check_fit(data: Dataset, model: Model) -> None:
    """Refuse data that the network was not made for, before any draw."""
    shape = data.x.shape[1:]
    if shape != model.shape:
        raise ValueError(
            f"The inputs of {data.name} have shape {shape}, the network wants {model.shape}: "
            "give the data it was trained on, or another network."
        )
    if len(data.classes) > model.classes:
        raise ValueError(
            f"{data.name} has {len(data.classes)} classes, the network only {model.classes}: "
            "give the data it was trained on, or another network."
        )


def keys_of(seed: int, ids: list[str], *, shared: bool = False) -> jax.Array:
    """One key per input: the run's seed folded with the 64 bits of the input's content hash.

    Where draws are shared every input has the seed's own key.
    """
    if shared:
        return jnp.stack([jax.random.key(seed)] * len(ids))
    words = np.array([[int(i[:8], 16), int(i[8:16], 16)] for i in ids], np.uint32)
    root = jax.random.key(seed)

    def one(pair: jax.Array) -> jax.Array:
        return jax.random.fold_in(jax.random.fold_in(root, pair[0]), pair[1])

    return jax.vmap(one)(jnp.asarray(words))
