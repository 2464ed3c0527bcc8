"""Votes drawn again from their seeds, under the stored scale, and compared one by one."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.audit.verify.findings import Finding
from aniso_jax.audit.verify.rederive import Row, finding_in
from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan, plan
from aniso_jax.certification.tables import Bound
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.sizes import sizes
from aniso_jax.smoothing.grid import Grid, grid
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.smoothing.votes import ApplyFn


def evenly(count: int, rows: int) -> NDArray[np.int64]:
    """`count` positions spread evenly over so many rows, both ends included; all if it is more.

    >>> evenly(3, 9).tolist(), evenly(5, 2).tolist(), evenly(0, 2).tolist()
    ([0, 4, 8], [0, 1], [])
    """
    return np.unique(np.linspace(0, rows - 1, min(count, rows)).round().astype(np.int64))


def plan_of(experiment: Experiment, classes: int, *, scales: Sequence[float]) -> Plan:
    """The plan that a run was drawn by, its tables made anew.

    Args:
      experiment: the run's.
      classes: of its network.
      scales: the numbers in the stored scales, for which grid mode makes integer noise; the run's
        own discount is kept, because it decides where sampling stops.
    """
    is_grid = experiment.mode == "grid"
    noise = replace(_grid(experiment, scales), discount=experiment.discount) if is_grid else None
    return plan(
        LAWS[experiment.law],
        n0=experiment.n0,
        alpha=experiment.alpha,
        bound=cast(Bound, experiment.bound),
        looks=experiment.looks,
        classes=classes if experiment.bound == "two-class" else None,
        target=experiment.target,
        tolerance=experiment.tolerance,
        grid=noise,
        shared_draws=experiment.shared_draws,
    )


def _grid(experiment: Experiment, scales: Sequence[float]) -> Grid:
    """The noise of the stored scales, which depends on no other scale of the run's palette."""
    law, steps = LAWS[experiment.law], experiment.grid or 255
    return grid(law, sorted(set(scales)), shape=experiment.shape, steps=steps)


def _discount_trouble(experiment: Experiment, scales: Sequence[float]) -> Iterator[Finding]:
    """Whether the noise of some stored scale is further from the law's than the run says."""
    if experiment.mode != "grid":
        return
    made = _grid(experiment, scales).discount
    if made > experiment.discount:
        yield Finding(
            where="run.json",
            column="discount",
            stored=repr(experiment.discount),
            derived=f"at least {made!r}",
            said="the noise of a stored scale is further from the law's",
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
    scales = [number for row in rows for number in row["theta"] or [row["sigma"]]]
    draws = plan_of(experiment, model.classes, scales=scales)
    yield from _discount_trouble(experiment, scales)
    batch, chunk = _sizes(experiment, len(rows))
    for at in range(0, len(rows), batch):
        some = rows[at : at + batch]
        padded = some + some[-1:] * (batch - len(some))
        x = jnp.asarray(inputs.data.x[[int(row["index"]) for row in padded]])
        ids = [inputs.ids[int(row["index"])] for row in padded]
        keys = keys_of(experiment.seed, ids, shared=experiment.shared_draws)
        scale = _scale(padded, experiment)
        drawn = _drawn(model.apply_fn, chunk, model.params, x, keys, scale, draws)
        yield from _compared(some, jax.device_get(drawn))


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


def _scale(rows: list[Row], experiment: Experiment) -> Scale:
    if rows[0]["theta"] is None:
        return Isotropic(sigma=jnp.asarray([row["sigma"] for row in rows], jnp.float32))
    theta = np.array([row["theta"] for row in rows], np.float32)
    return Diagonal(theta=jnp.asarray(theta.reshape(len(rows), *experiment.shape)))


def _compared(rows: list[Row], drawn: Certification) -> Iterator[Finding]:
    for at, row in enumerate(rows):
        votes = {
            "selection_votes": np.asarray(drawn.selection_votes)[at].tolist(),
            "votes": np.asarray(drawn.history)[at][: int(drawn.reached[at])].tolist(),
        }
        for column, counts in votes.items():
            if row[column] != counts:
                yield finding_in(row, column, counts, "these are the votes that the seed draws")


def _precision() -> str:
    return str(jax.config.values["jax_default_matmul_precision"] or "default")
