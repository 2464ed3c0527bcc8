"""Votes drawn again from their seeds, under the stored scale, and compared one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.stored import Row, stored_grid, stored_scale
from aniso_jax.audit.verify.findings import Finding
from aniso_jax.audit.verify.rederive import finding_in
from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan, plan
from aniso_jax.certification.tables import Bound
from aniso_jax.geometry.scales import Scale
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.sizes import sizes
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.smoothing.votes import ApplyFn


def evenly(count: int, rows: int) -> NDArray[np.int64]:
    """`count` positions spread evenly over so many rows, both ends included; all if it is more.

    >>> evenly(3, 9).tolist(), evenly(5, 2).tolist(), evenly(0, 2).tolist()
    ([0, 4, 8], [0, 1], [])
    """
    return np.unique(np.linspace(0, rows - 1, min(count, rows)).round().astype(np.int64))


def plan_of(experiment: Experiment, classes: int, *, noise: Grid | None) -> Plan:
    """The plan that a run was drawn by, its tables made anew.

    Args:
      experiment: the run's.
      classes: of its network.
      noise: `stored_grid` of its records; the run's own discount is put in, because it decides
        where sampling stops.
    """
    return plan(
        LAWS[experiment.law],
        n0=experiment.n0,
        alpha=experiment.alpha,
        bound=cast(Bound, experiment.bound),
        looks=experiment.looks,
        classes=classes if experiment.bound == "two-class" else None,
        target=experiment.target,
        tolerance=experiment.tolerance,
        grid=None if noise is None else replace(noise, discount=experiment.discount),
        shared_draws=experiment.shared_draws,
    )


def replay_findings(
    rows: list[Row], experiment: Experiment, inputs: Inputs, model: Model
) -> Iterator[Finding]:
    """Records whose selection or estimation votes, at any look, are not the ones drawn again.

    Args:
      rows: the records to replay; their ids and scales are believed.

    Guarantee: nothing but the seed, the input's id and content, the network and the stored scale
      enters; where the run says that its votes depend on batch and chunk, these are used.
    """
    noise = stored_grid(rows, experiment)
    draws = plan_of(experiment, model.classes, noise=noise)
    batch, chunk = _sizes(experiment, len(rows))
    for at in range(0, len(rows), batch):
        some = rows[at : at + batch]
        padded = some + some[-1:] * (batch - len(some))
        x = jnp.asarray(inputs.data.x[[int(row["index"]) for row in padded]])
        ids = [inputs.ids[int(row["index"])] for row in padded]
        keys = keys_of(experiment.seed, ids, shared=experiment.shared_draws)
        scale = _scales(padded, experiment.shape)
        drawn = _drawn(model.apply_fn, chunk, model.params, x, keys, scale, draws)
        yield from _compared(some, drawn)


def differing_versions(experiment: Experiment) -> list[str]:
    """What is not now as it was when the run was drawn, and may move a vote between classes."""
    now = {"jax": jax.__version__, "matrix products": _precision()}
    then = {"jax": experiment.versions.get("jax"), "matrix products": experiment.matmul_precision}
    return [f"{name} {then[name]} then, {now[name]} now" for name in now if then[name] != now[name]]


@partial(jax.jit, static_argnums=(0, 1))
def _drawn(
    apply_fn: ApplyFn,
    chunk: int,
    params: Any,
    x: jax.Array,
    keys: jax.Array,
    scale: Scale,
    plan: Plan,
) -> Certification:
    def one(x: jax.Array, key: jax.Array, scale: Scale) -> Certification:
        return certify(apply_fn, params, x, key, law=plan.law, scale=scale, plan=plan, chunk=chunk)

    return jax.vmap(one)(x, keys, scale)


def _sizes(experiment: Experiment, rows: int) -> tuple[int, int]:
    """(batch, chunk): the run's where its votes depend on them, else what suits the device."""
    if experiment.chunk is not None and experiment.batch is not None:
        return experiment.batch, experiment.chunk
    return sizes(experiment.shape, experiment.n, batch=None, chunk=None, inputs=rows)


def _scales(rows: Sequence[Row], shape: tuple[int, ...]) -> Scale:
    """The scales of the records, batched."""
    scales = [stored_scale(row, shape) for row in rows]
    batched: Scale = jax.tree.map(lambda *leaves: jnp.stack(leaves), *scales)
    return batched


def _compared(rows: list[Row], drawn: Certification) -> Iterator[Finding]:
    """Of the counts alone: a stored scale that is none cannot leave the device as a scale."""
    selection, history, reached = map(
        np.asarray, (drawn.selection_votes, drawn.history, drawn.reached)
    )
    for at, row in enumerate(rows):
        votes = {
            "selection_votes": selection[at].tolist(),
            "votes": history[at][: reached[at]].tolist(),
        }
        for column, counts in votes.items():
            if row[column] != counts:
                yield finding_in(row, column, counts, "these are the votes that the seed draws")


def _precision() -> str:
    return str(jax.config.values["jax_default_matmul_precision"] or "default")
