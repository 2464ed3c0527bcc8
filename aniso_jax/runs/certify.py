"""A certification run from its configuration: what it is, then part by part."""

import math
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax

from aniso_jax.certification.plan import Plan, plan
from aniso_jax.models.checkpoint import Model, load
from aniso_jax.records.directory import check_run
from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.runs.choose import source_of
from aniso_jax.runs.config import Certify
from aniso_jax.runs.devices import mesh_of
from aniso_jax.runs.engine import Engine
from aniso_jax.runs.grids import grid_of, snapped_file
from aniso_jax.runs.inputs import Inputs, check_fit, read_inputs
from aniso_jax.runs.layout import PART, layout_of
from aniso_jax.runs.named_memory import named_memory
from aniso_jax.runs.remember import remembering
from aniso_jax.runs.runner import own_parts, run_parts, split_parts
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.smoothing.grid import Grid


def certify_run(config: Certify, *, watch: Watch = silent) -> Experiment:
    """Certify what a configuration names and write the run; go on where it stopped.

    Guarantee: everything that can be refused is refused before the first draw and before the
    first byte is written; run again after any interruption, it ends with the same bytes.

    Raises:
      ValueError and its kin, one sentence: bad data, model, scale, plan, or another run in `out`.
      Interrupted: Ctrl-C; finished parts are kept.
    """
    engine = engine_of(config, watch=watch)
    out, named = Path(config.out), named_memory(config.memory, Path(config.out))
    memory = None if named is None else str(named)
    experiment = experiment_of(config, engine, memory=memory)
    parts = split_parts(engine.inputs.indices, PART)
    check_run(out, experiment)
    about = out, experiment, engine.inputs, engine.model.params
    with remembering(engine.compute, named, *about) as compute:
        watch.start(sum(map(len, own_parts(parts, config.share).values())))
        run_parts(out, experiment, parts, compute, shard=config.share, on_part=watch.part)
    return experiment


def engine_of(config: Certify, *, watch: Watch = silent) -> Engine:
    """Everything read, checked and laid out, before the first draw."""
    model, inputs = load(config.model), read_inputs(config)
    check_fit(inputs.data, model)
    if config.share is not None:
        config.share.check(math.ceil(len(inputs.indices) / PART), len(inputs.indices))
    mesh = mesh_of(config.spread, len(inputs.indices))
    source = source_of(config, inputs, mesh=mesh)
    noise = grid_of(config.grid, config.noise, source, inputs)
    source = snapped_file(source, noise)
    draws = _plan(config, model, inputs, noise)
    return Engine(
        inputs=inputs,
        model=model,
        source=source,
        plan=draws,
        seed=config.seed,
        layout=layout_of(config, model, inputs, draws, mesh=mesh, on_less=watch.less),
        on_input=watch.input,
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
        versions=_versions(),
    )


def _versions() -> dict[str, Any]:
    return {name.replace("-", "_"): version(name) for name in ("aniso-jax", "jax", "jaxlib")}
