"""How much of a run is computed at once, and where; what of it the run's bytes depend on."""

from collections.abc import Callable
from dataclasses import dataclass, field

from jax.sharding import Mesh

from aniso_jax.certification.plan import Plan
from aniso_jax.models.checkpoint import Model
from aniso_jax.runs.config import Certify
from aniso_jax.runs.devices import INPUTS, one_device
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.room import Room
from aniso_jax.runs.sizes import check_neighbours, chunk_changes_logits, sizes, slots_for
from aniso_jax.runs.sources import Source
from aniso_jax.runs.together import searched_together
from aniso_jax.smoothing.votes import window_size

PART = 16
"""Inputs in a part: a killed run loses the parts that were not finished."""


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Sizes are those on one device, so that what depends on them does not depend on the mesh.

    Attributes:
      batch: inputs prepared together.
      slots: inputs that draw side by side.
      chunk: ceiling of draws of an input held at once.
      depends: whether logits, and so votes, depend on these.
      mesh: the devices.
      room: what of a chunk fits into them.
    """

    batch: int
    slots: int
    chunk: int
    depends: bool = False
    mesh: Mesh = field(default_factory=one_device)
    room: Room = field(default_factory=Room)


def layout_of(
    config: Certify,
    model: Model,
    inputs: Inputs,
    draws: Plan,
    *,
    mesh: Mesh,
    source: Source,
    on_less: Callable[[int], None],
    on_fewer: Callable[[int], None],
) -> Layout:
    """The sizes that suit the device, tried on the real network.

    Args:
      mesh: the devices.
      source: of the scales; where they are sought, as many inputs together as there is room for.
      on_less: told the draws held at once from now on, where memory ran out.
      on_fewer: told the inputs searched together from now on, where it did.

    Raises:
      ValueError: the network's rows see each other.
      MemoryError: not even one block of draws fits.
    """
    count = len(inputs.indices)
    batch, chunk = _sizes(config, inputs, draws.n)
    slots, window = batch, chunk
    if config.batch is None and config.chunk is None:
        slots, window = slots_for(batch, chunk, draws.looks, inputs=count)
    if config.batch is None and config.cluster is None:  # with Ray, the actors have the devices
        batch = searched_together(source, model, inputs, batch, on_fewer=on_fewer)

    def depends(draws: int) -> bool:
        selection, estimation = (batch, window_size(draws, config.n0)), (slots, draws)
        asked = dict.fromkeys((selection, estimation))  # once, where both are of one size
        matter = [_sizes_matter(model, inputs, batch=b, chunk=c) for b, c in asked]
        return any(matter)

    def check(draws: int) -> None:
        if depends(draws):
            raise MemoryError(
                f"the device holds no more than {draws} draws of each input, and this network's "
                "logits depend on how many it is given"
            )

    room = Room(on_less)
    if room.tried(depends, window):
        return Layout(batch=batch, slots=batch, chunk=room.of(chunk), depends=True, mesh=mesh)
    room.check = check
    slots = min(slots, -(-count // mesh.shape[INPUTS]))
    return Layout(batch=batch, slots=slots, chunk=window, mesh=mesh, room=room)


def _sizes(config: Certify, inputs: Inputs, n: int) -> tuple[int, int]:
    return sizes(  # no batch reaches into the next part, and the chunk is for what is left of it
        inputs.data.x.shape[1:],
        n,
        batch=config.batch,
        chunk=config.chunk,
        inputs=min(len(inputs.indices), PART),
    )


def _sizes_matter(model: Model, inputs: Inputs, *, batch: int, chunk: int) -> bool:
    """Whether the network's logits depend on how much is computed at once; refuses worse ones."""
    x = inputs.data.x[inputs.indices[0]]
    check_neighbours(model, x, batch=batch, chunk=chunk)
    return chunk_changes_logits(model, x, batch=batch, chunk=chunk)
