"""Scales for a selection of inputs, written to one file for `certify --scale FILE`."""

import io
import os
from dataclasses import replace
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.checkpoint import Model, load
from aniso_jax.runs.choose import source_of
from aniso_jax.runs.config import Optimize
from aniso_jax.runs.devices import mesh_of
from aniso_jax.runs.inputs import Inputs, check_fit, keys_of, read_inputs
from aniso_jax.runs.preparing import on_every_device
from aniso_jax.runs.scale_files import scales_content
from aniso_jax.runs.sizes import sizes
from aniso_jax.runs.sources import Source
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.storage.atomic import write_atomically


def optimize_run(config: Optimize, *, watch: Watch = silent) -> Path:
    """Search the scale of each selected input and write them all, whole or not at all.

    The file knows an input by its content, so an image that comes twice is searched once.
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
    model, inputs = load(config.model, dtype=config.dtype), _distinct(read_inputs(config))
    check_fit(inputs.data, model)
    mesh = mesh_of(config.spread, len(inputs.indices))
    source = source_of(config, inputs, mesh=mesh)
    model = on_every_device(model, mesh)
    theta, sigma = _search_all(config, model, inputs, source, mesh.size, watch)
    ids = [inputs.ids[int(i)] for i in inputs.indices]
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **scales_content(ids, theta, sigma, law=config.law))
    write_atomically(config.out, buffer.getvalue())
    return config.out


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


def _search_all(
    config: Optimize,
    model: Model,
    inputs: Inputs,
    source: Source,
    devices: int,
    watch: Watch,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Theta and sigma of every input; a ragged last batch is padded, so that there is one trace."""
    shape, count = inputs.data.x.shape[1:], len(inputs.indices)
    on_each, _ = sizes(shape, 1, batch=config.batch, chunk=None, inputs=count)
    batch = on_each * devices
    watch.start(count)
    thetas, sigmas = [], []
    for at in range(0, count, batch):
        indices = np.minimum(np.arange(at, at + batch), count - 1)
        chosen = inputs.indices[indices]
        ids = [inputs.ids[int(i)] for i in chosen]
        x = jnp.asarray(inputs.data.x[chosen])
        found = source(model, x, keys_of(config.seed, ids), ids)
        thetas.append(
            np.asarray(jax.vmap(lambda scale, x: scale.push(jnp.ones_like(x)))(found.scale, x))
        )
        sigmas.append(np.asarray(found.sigma, np.float32))
        watch.inputs(min(batch, count - at))
    return np.concatenate(thetas)[:count], np.concatenate(sigmas)[:count]
