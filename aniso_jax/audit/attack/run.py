"""A finished run attacked: every certified input's region searched for a counterexample."""

import math

import jax
import jax.numpy as jnp

from aniso_jax.audit.attack.config import Attack
from aniso_jax.audit.attack.decide import attack_region, check_can_refute
from aniso_jax.audit.attack.outcome import Attacked
from aniso_jax.audit.attack.target import Effort, Target, standard
from aniso_jax.audit.axes import axes_of
from aniso_jax.audit.open import open_run_again
from aniso_jax.audit.stored import Row, claimed_axes, claimed_row, stored_grid, stored_scale
from aniso_jax.geometry.regions import Region
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs, keys_of
from aniso_jax.runs.sizes import sizes
from aniso_jax.runs.watch import Watch, silent
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import LAWS

_ATTACK = 0xA77AC  # folded into every key, so that no draw is the run's, whatever the seeds

_ROUNDING = 1e-6  # radii are rounded down from a float32 gap


def attack_run(config: Attack, *, watch: Watch = silent, effort: Effort = standard) -> Attacked:
    """Search the regions of a run for points where the smoothed class is not the certified one.

    The region of an input is the largest that its record claims, be it by the gap, by the radius
    or by the proxy radius (`claimed_gap`); in a sound record they claim the same. In a run with a
    memory it is what is claimed after the memory was asked: of an adopted region the part around
    the input, under that region's scale.

    Guarantee:
      The confirmations, `effort.confirmed` for each attacked input, are counted before the first
      draw, and each is tested at alpha over their number. So if all attacked certificates are
      true, the attack refutes any of them with probability at most alpha, by the union bound; and
      since each input of a sound run gets a false certificate with probability at most that run's
      alpha, a sound run is refuted with probability at most alpha + K (the run's alpha), where K
      counts every certificate attempted, abstentions too: which ones there are to attack depends
      on the draws. That is the run's inputs; in a run with a memory, whose answers rest on any of
      its regions, all inputs that it was asked about by any run, not the regions it stores. That
      nothing is found proves nothing.

    Raises:
      ValueError: no such run, data or network; n too small to refute anything at this alpha.
    """
    experiment, table, inputs, model = open_run_again(
        config.run, data=config.data, model=config.model
    )
    order = LAWS[experiment.law].order
    rows = [
        row for row in table.to_pylist() if row["prediction"] >= 0 and claimed_gap(row, order) > 0
    ]
    attacked = rows[: config.limit]
    level = config.alpha / max(len(attacked) * effort.confirmed, 1)
    check_can_refute(config.n, level)
    noise = stored_grid(attacked, experiment, claimed_axes)
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
    """The claim of one record: the largest region that it claims, its label and smoothing."""
    law = LAWS[experiment.law]
    key = jax.random.fold_in(keys_of(seed, [row["input_id"]])[0], _ATTACK)
    region = Region(
        center=jnp.asarray(inputs.data.x[row["index"]]),
        scale=stored_scale(claimed_row(row), experiment.shape),
        gap=jnp.float32(claimed_gap(row, law.order)),
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


def claimed_gap(row: Row, order: int = 2) -> float:
    """The largest gap that a record claims: its gap, or that of its radius or proxy radius.

    A region of gap r has the radius r min(theta), and the proxy radius r times the geometric mean
    of theta (for a rotated scale: what `axes_of` finds in the norm of this order); a
    record in which either was made larger claims a larger region. Both are stored rounded down, so
    that what exceeds the gap by no more than 1e-6 relative is the gap's rounding.
    """
    gap, axes = float(row["gap"]), axes_of(claimed_row(row), order)
    if not axes.is_valid:
        return gap
    others = (
        float(row["radius"]) / axes.shortest,
        float(row["proxy_radius"]) / math.exp(axes.mean_log),
    )
    return max([gap, *(other for other in others if other > gap * (1 + _ROUNDING))])
