"""The devices of a host as a mesh: inputs along one axis, the draws of an input along the other.

A search and a selection have no draws to share out: there every device takes inputs. Whatever the
mesh, a device computes batches of the same shapes, so that no bit depends on it.
"""

import re
from collections.abc import Callable
from math import prod
from typing import Any, TypeVar

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

Tree = TypeVar("Tree")

INPUTS, DRAWS = "inputs", "draws"
EVERY = PartitionSpec((INPUTS, DRAWS))
"""Inputs, over all devices."""

BY_INPUT, SAME = PartitionSpec(INPUTS), PartitionSpec()
_ALL = "all"
_ASKED = re.compile(r"(?:([1-9]\d*)x)?([1-9]\d*)")


def check_devices(asked: str) -> None:
    """Refuse what names no devices; how many there are is not asked yet."""
    if asked != _ALL and not _ASKED.fullmatch(asked):
        raise ValueError(
            f"--devices must be all, a number, or INPUTSxDRAWS such as 4x2, got {asked}."
        )


def mesh_of(asked: str, inputs: int) -> Mesh:
    """The mesh that `--devices` names.

    A number of devices is laid out so that as many as divide it take inputs of their own, but no
    more than there are inputs: the others share the draws.

    Raises:
      ValueError: there are not so many devices.
    """
    there = jax.local_devices()
    if asked == _ALL:
        return _mesh(*_layout(len(there), inputs))
    check_devices(asked)
    rows, count = _ASKED.fullmatch(asked).groups()  # type: ignore[union-attr]
    shape = _layout(int(count), inputs) if rows is None else (int(rows), int(count))
    if prod(shape) > len(there):
        raise ValueError(
            f"--devices {asked} wants {prod(shape)} devices, this host has {len(there)} "
            f"({there[0].device_kind}): give no more."
        )
    return _mesh(*shape)


def one_device() -> Mesh:
    """The mesh of the first device alone."""
    return _mesh(1, 1)


def over_inputs(function: Callable[..., Any], mesh: Mesh, axes: Any) -> Callable[..., Any]:
    """`jax.vmap` over inputs with every device taking its own; a device sees its batch alone.

    Args:
      function: of one input.
      axes: as `in_axes` of `jax.vmap`: 0, or None for what all inputs share.
    """
    specs = jax.tree.map(lambda axis: SAME if axis is None else EVERY, axes, is_leaf=_is_none)
    return on_each(jax.vmap(function, in_axes=axes), mesh, specs, EVERY)


def on_each(
    function: Callable[..., Any], mesh: Mesh, specs: Any, out: PartitionSpec
) -> Callable[..., Any]:
    """The function run by every device on what it holds.

    Args:
      specs: for each argument how it lies over the mesh; out: how the result does.
    """
    # counting inside flat batches (custom_vmap) is not followed by the check of varying axes
    return jax.shard_map(function, mesh=mesh, in_specs=specs, out_specs=out, check_vma=False)


def placed(tree: Tree, mesh: Mesh, spec: PartitionSpec) -> Tree:
    """The same values, laid out over the devices of a mesh.

    Along an axis of one device nothing is shared out. JAX says so of what it computes, and would
    compile again for what is said otherwise.
    """
    shared_out = SAME if spec == BY_INPUT and mesh.shape[INPUTS] == 1 else spec
    there: Tree = jax.device_put(tree, NamedSharding(mesh, shared_out))
    return there


def gathered(tree: Tree, mesh: Mesh) -> Tree:
    """The same values on the first device of a mesh."""
    there: Tree = jax.device_put(tree, mesh.devices.flat[0])
    return there


def said(mesh: Mesh) -> dict[str, str]:
    """What a side file says of the devices.

    >>> said(one_device())
    {'device': 'cpu', 'devices': '1x1'}
    """
    rows, columns = mesh.devices.shape
    return {"device": mesh.devices.flat[0].device_kind, "devices": f"{rows}x{columns}"}


def _mesh(rows: int, columns: int) -> Mesh:
    devices = np.asarray(jax.local_devices()[: rows * columns]).reshape(rows, columns)
    return Mesh(devices, (INPUTS, DRAWS))


def _layout(count: int, inputs: int) -> tuple[int, int]:
    """(devices along inputs, along draws).

    >>> _layout(8, 100), _layout(8, 5), _layout(6, 1)
    ((8, 1), (4, 2), (1, 6))
    """
    rows = max(n for n in range(1, count + 1) if count % n == 0 and n <= max(inputs, 1))
    return rows, count // rows


def _is_none(value: Any) -> bool:
    return value is None
