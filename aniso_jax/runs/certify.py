"""A certification run from its configuration: what it is, then part by part."""

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
from aniso_jax.runs.engine import Engine
from aniso_jax.runs.grids import grid_of, snapped_file
from aniso_jax.runs.inputs import Inputs, check_fit, read_inputs
from aniso_jax.runs.named_memory import named_memory
from aniso_jax.runs.remember import remembering
from aniso_jax.runs.runner import run_parts, split_parts
from aniso_jax.runs.sizes import check_neighbours, chunk_changes_logits, sizes, slots_for
from aniso_jax.runs.sources import Source
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.smoothing.grid import Grid

PART = 16
"""Inputs in a part: a killed run loses the parts that were not finished."""


def certify_run(config: Certify, *, watch: Watch = silent) -> Experiment:
    """Certify what a configuration names and write the run; go on where it stopped.

    Guarantee: everything that can be refused is refused before the first draw and before the
    first byte is written; run again after any interruption, it ends with the same bytes.

    Raises:
      ValueError and its kin, one sentence: bad data, model, scale, plan, or another run in `out`.
      Interrupted: Ctrl-C; finished parts are kept.
    """
    model, inputs = load(config.model), read_inputs(config)
    check_fit(inputs.data, model)
    source = source_of(config, inputs)
    noise = grid_of(config.grid, config.noise, source, inputs)
    source = snapped_file(source, noise)
    draws = _plan(config, model, inputs, noise)
    batch, chunk = _sizes(config, inputs, draws.n)
    slots, window = _slots(config, inputs, draws, batch=batch, chunk=chunk)
    depends = _sizes_matter(model, inputs, batch=slots, chunk=window)
    slots, window = (batch, chunk) if depends else (slots, window)
    engine = Engine(
        inputs=inputs,
        model=model,
        source=source,
        plan=draws,
        seed=config.seed,
        batch=batch,
        slots=slots,
        chunk=window,
        on_input=watch.input,
    )
    sizes_said = {
        "batch": batch if source.is_sought or depends else None,
        "chunk": chunk if depends else None,
    }
    out, named = Path(config.out), named_memory(config.memory, Path(config.out))
    memory = None if named is None else str(named)
    experiment = _experiment(config, inputs, model, source, draws, memory=memory, **sizes_said)
    parts = split_parts(inputs.indices, PART)
    check_run(out, experiment)
    with remembering(engine.compute, named, out, experiment, inputs, model.params) as compute:
        watch.start(len(inputs.indices))
        run_parts(out, experiment, parts, compute, on_part=watch.part)
    return experiment


def _plan(config: Certify, model: Model, inputs: Inputs, noise: Grid | None) -> Plan:
    share = len(inputs.indices) if config.simultaneous else 1
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


def _sizes(config: Certify, inputs: Inputs, n: int) -> tuple[int, int]:
    batch, chunk = sizes(
        inputs.data.x.shape[1:],
        n,
        batch=config.batch,
        chunk=config.chunk,
        inputs=len(inputs.indices),
    )
    return min(batch, PART), chunk


def _sizes_matter(model: Model, inputs: Inputs, *, batch: int, chunk: int) -> bool:
    """Whether the network's logits depend on how much is computed at once; refuses worse ones."""
    x = inputs.data.x[inputs.indices[0]]
    check_neighbours(model, x, batch=batch, chunk=chunk)
    return chunk_changes_logits(model, x, batch=batch, chunk=chunk)


def _slots(
    config: Certify, inputs: Inputs, draws: Plan, *, batch: int, chunk: int
) -> tuple[int, int]:
    """(slots, chunk) for the estimation; those of the user where they are named."""
    if config.batch is not None or config.chunk is not None:
        return batch, chunk
    return slots_for(batch, chunk, draws.looks, inputs=len(inputs.indices))


def _experiment(
    config: Certify,
    inputs: Inputs,
    model: Model,
    source: Source,
    draws: Plan,
    *,
    batch: int | None,
    chunk: int | None,
    memory: str | None,
) -> Experiment:
    """Everything that determines the run's bytes."""
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
        batch=batch,
        chunk=chunk,
        memory=memory,
        matmul_precision=str(jax.config.values["jax_default_matmul_precision"] or "default"),
        versions=_versions(),
    )


def _versions() -> dict[str, Any]:
    return {name.replace("-", "_"): version(name) for name in ("aniso-jax", "jax", "jaxlib")}
