"""Scales for a selection of inputs, written to one file for `certify --scale FILE`."""

import io
import os
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.data.ids import digest
from aniso_jax.models.checkpoint import Model, load
from aniso_jax.runs.batches import Indices, batches_of, laid_out
from aniso_jax.runs.choose import source_of
from aniso_jax.runs.config import Optimize
from aniso_jax.runs.devices import mesh_of
from aniso_jax.runs.found import Float32, Kept, kept_beside
from aniso_jax.runs.inputs import Inputs, check_fit, keys_of, read_inputs
from aniso_jax.runs.preparing import on_every_device
from aniso_jax.runs.runner import Interrupted
from aniso_jax.runs.scale_files import scales_content
from aniso_jax.runs.setup import versions
from aniso_jax.runs.sizes import sizes
from aniso_jax.runs.sources import Source
from aniso_jax.runs.together import searched_together
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.storage.atomic import write_atomically


@dataclass(frozen=True, kw_only=True)
class _Searching:
    """What is searched, and on what.

    Attributes:
      model: with its weights on every device.
      inputs: all different.
      seed, source: of the scales.
      batch: inputs on a device.
      devices: that take a batch each.
    """

    model: Model
    inputs: Inputs
    seed: int
    source: Source
    batch: int
    devices: int

    @property
    def batches(self) -> list[Indices]:
        """The inputs, batch by batch."""
        return [group[0] for group in batches_of([self.inputs.indices], self.batch, 1)]


def optimize_run(config: Optimize, *, watch: Watch = silent) -> Path:
    """Search the scale of each selected input and write them all, whole or not at all.

    The file knows an input by its content, so an image that comes twice is searched once. What is
    found is kept beside it, in a directory that goes when the file is there: the same command goes
    on where it stopped, and ends with the same file.

    Raises:
      ValueError: nothing to search, a file that cannot be written, or another search's batches.
      Interrupted: Ctrl-C; finished batches are kept.
    """
    if config.scale == "rotated":
        raise ValueError(
            "--scale rotated cannot be written to a scale file, which holds theta only: give "
            "--scale rotated to certify, which searches and records the whole scale."
        )
    if config.scale not in ("isotropic", "anisotropic"):
        raise ValueError(
            f"--scale {config.scale} needs no search: give --scale isotropic or anisotropic."
        )
    _check_out(config)
    search = _searching(config, watch)
    with kept_beside(config.out, _asked(config, search)) as kept:
        theta, sigma = _search_all(search, kept, watch)
        ids = [search.inputs.ids[int(i)] for i in search.inputs.indices]
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **scales_content(ids, theta, sigma, law=config.law))
        write_atomically(config.out, buffer.getvalue())
        shutil.rmtree(kept.directory)
    return config.out


def _searching(config: Optimize, watch: Watch) -> _Searching:
    """Everything read, checked and laid out."""
    model, inputs = load(config.model, dtype=config.dtype), _distinct(read_inputs(config))
    check_fit(inputs.data, model)
    count = len(inputs.indices)
    mesh = mesh_of(config.spread, count)
    source = source_of(config, inputs, mesh=mesh)
    batch, _ = sizes(inputs.data.x.shape[1:], 1, batch=config.batch, chunk=None, inputs=count)
    if config.batch is None:
        batch = searched_together(source, model, inputs, batch, on_fewer=watch.fewer)
    return _Searching(
        model=on_every_device(model, mesh),
        inputs=inputs,
        seed=config.seed,
        source=source,
        batch=batch,
        devices=mesh.size,
    )


def _asked(config: Optimize, search: _Searching) -> dict[str, str]:
    """All that the scales depend on."""
    ids = np.array([search.inputs.ids[int(i)] for i in search.inputs.indices])
    asked = {
        "inputs": digest(ids),
        "model": search.model.fingerprint,
        "dtype": config.dtype,
        "law": config.law,
        "sigma": config.sigma,
        "search": search.source.description,
        "seed": config.seed,
        "batch": search.batch,
        "matmul_precision": jax.config.values["jax_default_matmul_precision"] or "default",
        **versions(),
    }
    return {name: str(value) for name, value in asked.items()}


def _distinct(inputs: Inputs) -> Inputs:
    """The first input of each content."""
    ids = [inputs.ids[int(i)] for i in inputs.indices]
    first = np.sort(np.unique(ids, return_index=True)[1])
    return replace(inputs, indices=inputs.indices[first])


def _check_out(config: Optimize) -> None:
    """Before the search, which may take hours: can its result be written?"""
    out = config.out
    if out.suffix != ".npz":
        raise ValueError(f"--out {out} must end in .npz.")
    if not out.parent.is_dir():
        raise ValueError(f"--out {out} has no directory {out.parent} to lie in: make it first.")
    if os.path.lexists(out) and not config.overwrite:
        raise ValueError(f"--out {out} is there: choose another name, or give --overwrite.")


def _search_all(search: _Searching, kept: Kept, watch: Watch) -> tuple[Float32, Float32]:
    """Theta and sigma of every input: those that are kept, and the others, searched now."""
    batches = search.batches
    found = {number: kept.read(number) for number in range(len(batches))}
    missing = [number for number, arrays in found.items() if arrays is None]
    left = sum(len(batches[number]) for number in missing)
    watch.start(left)
    try:
        for at in range(0, len(missing), search.devices):
            group = missing[at : at + search.devices]
            searched = _searched(search, [batches[number] for number in group])
            for number, arrays in zip(group, searched, strict=True):
                kept.write(number, *arrays)
                found[number] = arrays
                left -= len(batches[number])
                watch.inputs(len(batches[number]))
    except KeyboardInterrupt as stop:
        total = sum(map(len, batches))
        raise Interrupted(
            f"Stopped: {total - left} of {total} inputs are done and kept in {kept.directory}; run "
            "the same command again to go on."
        ) from stop
    thetas, sigmas = zip(*(arrays for arrays in found.values() if arrays), strict=True)
    return np.concatenate(thetas), np.concatenate(sigmas)


def _searched(search: _Searching, batches: Sequence[Indices]) -> Iterator[tuple[Float32, Float32]]:
    """Theta and sigma of some batches, at most one for every device."""
    indices, _ = laid_out(list(batches), search.batch, search.devices)
    ids = [search.inputs.ids[int(i)] for i in indices]
    x = jnp.asarray(search.inputs.data.x[indices])
    scales = search.source(search.model, x, keys_of(search.seed, ids), ids)
    theta = np.asarray(jax.vmap(lambda scale, x: scale.push(jnp.ones_like(x)))(scales.scale, x))
    sigma = np.asarray(scales.sigma, np.float32)
    for at, batch in enumerate(batches):
        own = slice(at * search.batch, at * search.batch + len(batch))
        yield theta[own], sigma[own]
