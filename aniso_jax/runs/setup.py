"""What a certification run is, made from its configuration before the first draw."""

import math
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import jax

from aniso_jax.certification.plan import Plan, plan
from aniso_jax.models.checkpoint import Model, load
from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.runs.choose import source_of
from aniso_jax.runs.config import Certify
from aniso_jax.runs.devices import mesh_of
from aniso_jax.runs.engine import Engine
from aniso_jax.runs.grids import grid_of, snapped_file
from aniso_jax.runs.inputs import Inputs, check_fit, read_inputs
from aniso_jax.runs.layout import PART, layout_of
from aniso_jax.runs.sources import Sought, Source
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.smoothing.grid import Grid


@dataclass(frozen=True, kw_only=True)
class Read:
    """What a configuration names, read; nothing of it belongs to a device.

    Attributes:
      model, inputs: that fit each other.
      source: of the scales; a search is told its devices later.
    """

    model: Model
    inputs: Inputs
    source: Source


def read_of(config: Certify) -> Read:
    """The network, the data and the scales that a configuration names, checked."""
    model, inputs = load(config.model, dtype=config.dtype), read_inputs(config)
    check_fit(inputs.data, model)
    if config.share is not None:
        config.share.check(math.ceil(len(inputs.indices) / PART), len(inputs.indices))
    return Read(model=model, inputs=inputs, source=source_of(config, inputs))


def engine_of(config: Certify, read: Read, *, watch: Watch = silent) -> Engine:
    """Everything checked and laid out on this process's devices, before the first draw."""
    model, inputs, source = read.model, read.inputs, read.source
    mesh = mesh_of(config.spread, len(inputs.indices))
    if isinstance(source, Sought):
        source = replace(source, mesh=mesh)
    noise = grid_of(config.grid, config.noise, source, inputs)
    source = snapped_file(source, noise)
    draws = _plan(config, model, inputs, noise)
    told = {"on_less": watch.less, "on_fewer": watch.fewer}
    return Engine(
        inputs=inputs,
        model=model,
        source=source,
        plan=draws,
        seed=config.seed,
        layout=layout_of(config, model, inputs, draws, mesh=mesh, source=source, **told),
        on_input=watch.input,
        on_drawn=watch.drew,
        on_estimate=watch.estimate,
    )


def _plan(config: Certify, model: Model, inputs: Inputs, noise: Grid | None) -> Plan:
    share = len(inputs.indices) if config.simultaneous else 1
    if config.alpha > 0.5:  # the share of many inputs may well be small
        raise ValueError(f"--alpha must be at most 1/2, got {config.alpha}; the usual one is .001.")
    return plan(
        config.noise,
        n0=config.n0,
        n=config.n,
        alpha=config.alpha / share,
        bound=config.bound,
        looks=config.looks,
        classes=model.classes if config.bound == "two-class" else None,
        target=config.target,
        tolerance=config.tolerance,
        grid=noise,
        shared_draws=config.shared_draws,
    )


def experiment_of(config: Certify, engine: Engine, *, memory: str | None) -> Experiment:
    """Everything that determines the run's bytes."""
    inputs, model, source, draws = engine.inputs, engine.model, engine.source, engine.plan
    layout = engine.layout
    return Experiment(
        data=f"{inputs.data.name} ({config.split})",
        data_fingerprint=inputs.data.fingerprint,
        model=Path(config.model).name,
        model_fingerprint=model.fingerprint,
        dtype=config.dtype,
        law=config.law,
        scale=source.kind,  # type: ignore[arg-type]
        scale_source=source.description,
        sigma=config.sigma,
        n0=draws.n0,
        n=draws.n,
        looks=draws.looks,
        bound=draws.bound,
        target=draws.target,
        tolerance=draws.tolerance,
        alpha=draws.alpha,
        joint_alpha=config.alpha if config.simultaneous else None,
        mode="float" if draws.grid is None else "grid",
        grid=config.grid,
        discount=0.0 if draws.grid is None else draws.grid.discount,
        seed=config.seed,
        shared_draws=draws.shared_draws,
        shape=inputs.data.x.shape[1:],
        start=config.start,
        stop=config.stop,
        skip=config.skip,
        limit=config.limit,
        inputs=len(inputs.indices),
        indices_hash=hash_indices(inputs.indices),
        part_size=PART,
        batch=layout.batch if source.is_sought or layout.depends else None,
        chunk=layout.chunk if layout.depends else None,
        memory=memory,
        matmul_precision=str(jax.config.values["jax_default_matmul_precision"] or "default"),
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Of the packages that bits depend on."""
    return {name.replace("-", "_"): version(name) for name in ("aniso-jax", "jax", "jaxlib")}
