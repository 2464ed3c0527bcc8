"""All devices of this machine: a batch is split over them, weights are the same on each."""

from dataclasses import dataclass

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where arrays of a step lie.

    Attributes:
        count: the devices.
        split: by the first axis, for inputs and labels.
        everywhere: whole on each device, for weights.
    """

    count: int
    split: NamedSharding
    everywhere: NamedSharding


def placement(devices: int | None, batch: int) -> Placement:
    """Use so many devices, all that there are by default.

    Raises:
        ValueError: more than there are, or a batch that cannot be split evenly.

    >>> placement(1, 128).count
    1
    """
    there = jax.local_devices()
    count = len(there) if devices is None else devices
    if not 1 <= count <= len(there):
        raise ValueError(f"devices is {count}, but there are {len(there)}; give at most that.")
    if batch % count:
        raise ValueError(
            f"batch is {batch}, which {count} devices cannot split evenly; give a multiple of "
            f"{count}, or --devices 1."
        )
    mesh = Mesh(np.array(there[:count]), ("batch",))
    return Placement(
        count=count,
        split=NamedSharding(mesh, PartitionSpec("batch")),  # type: ignore[no-untyped-call]
        everywhere=NamedSharding(mesh, PartitionSpec()),  # type: ignore[no-untyped-call]
    )
