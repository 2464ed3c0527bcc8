"""A finished run attacked: every certified input's region searched for a counterexample."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.attack.decide import attack_region, check_can_refute
from aniso_jax.audit.attack.outcome import Attacked
from aniso_jax.audit.attack.target import Effort, Target, standard
from aniso_jax.audit.open import open_run_again
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.sizes import sizes
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.grid import grid as integer_noise
from aniso_jax.smoothing.laws import LAWS

_ATTACK = 0xA77AC  # folded into every key, so that no draw is the run's, whatever the seeds

Row = dict[str, Any]


def attack_run(config: Attack, *, watch: Watch = silent, effort: Effort = standard) -> Attacked:
    """Search the regions of a run for points where the smoothed class is not the certified one.

    Guarantee:
      The confirmations, `effort.confirmed` for each attacked input, are counted before the first
      draw, and each is tested at alpha over their number. So if all attacked certificates are
      true, the attack refutes any of them with probability at most alpha, by the union bound; and
      since each certificate of a sound run is false with probability at most that run's alpha, a
      sound run with K attacked inputs is refuted with probability at most
      alpha + K (the run's alpha). That nothing is found proves nothing.

    Raises:
      ValueError: no such run, data or network; n too small to refute anything at this alpha.
    """
    experiment, table, inputs, model = open_run_again(
        config.run, data=config.data, model=config.model
    )
    rows = [row for row in table.to_pylist() if row["prediction"] >= 0 and row["gap"] > 0]
    attacked = rows[: config.limit]
    level = config.alpha / max(len(attacked) * effort.confirmed, 1)
    check_can_refute(config.n, level)
    noise = _grid(experiment, attacked)
    _, chunk = sizes(experiment.shape, config.n, batch=1, chunk=experiment.chunk, inputs=1)
    outcomes = {}
    watch.start(len(attacked))
    for row in attacked:
        target = target_of(row, experiment, inputs, model, grid=noise, seed=config.seed)
        outcomes[row["index"]] = attack_region(
            target, n=config.n, level=level, chunk=chunk, effort=effort
        )
        watch.inputs(1)
    return Attacked(
        certified=len(rows), outcomes=outcomes, n=config.n, alpha=config.alpha, level=level
    )


def target_of(
    row: Row,
    experiment: Experiment,
    inputs: Inputs,
    model: Model,
    *,
    grid: Grid | None,
    seed: int,
) -> Target:
    """The claim of one record: its region, label and smoothing as they are stored."""
    law = LAWS[experiment.law]
    key = jax.random.fold_in(keys_of(seed, [row["input_id"]])[0], _ATTACK)
    region = Region(
        center=jnp.asarray(inputs.data.x[row["index"]]),
        scale=_scale(row, experiment.shape),
        gap=jnp.float32(row["gap"]),
        order=law.order,
    )
    return Target(
        params=model.params,
        region=region,
        label=jnp.int32(row["prediction"]),
        key=key,
        apply_fn=model.apply_fn,
        law=law,
        grid=grid,
    )


def _scale(row: Row, shape: tuple[int, ...]) -> Scale:
    """The scale in the record: theta where there is one, else sigma."""
    if row["theta"] is None:
        return Isotropic(sigma=jnp.float32(row["sigma"]))
    return Diagonal(theta=jnp.asarray(np.array(row["theta"], np.float32).reshape(shape)))


def _grid(experiment: Experiment, rows: list[Row]) -> Grid | None:
    """Integer noise for the scales in the records, in grid mode; one for all inputs."""
    if experiment.grid is None or not rows:
        return None
    law, shape = LAWS[experiment.law], experiment.shape
    stored = {float(t) for row in rows for t in row["theta"] or [row["sigma"]]}
    return integer_noise(law, sorted(stored), shape=shape, steps=experiment.grid)
