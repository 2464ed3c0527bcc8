"""Every column that follows from the stored votes and the stored scale, derived once more.

Where a stored number passes, the next ones are derived from it; so one changed digit is named
where it stands, and not again in every column that would follow from it.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from aniso_jax.audit.axes import axes_of
from aniso_jax.audit.stored import Row, semi_axes
from aniso_jax.audit.verify.between import believed, fits, shown
from aniso_jax.audit.verify.claims import Votes, derived_claim
from aniso_jax.audit.verify.counts import count_troubles
from aniso_jax.audit.verify.findings import Finding
from aniso_jax.audit.verify.measures import measures_of, unit_troubles
from aniso_jax.audit.verify.remembered import wanted_of_memory
from aniso_jax.records.experiment import Experiment
from aniso_jax.smoothing.laws import LAWS


def row_findings(row: Row, experiment: Experiment) -> Iterator[Finding]:
    """What is wrong in one record, from its own votes and scale alone.

    Args:
      row: the record, plain values by column.
      experiment: the run's.

    Guarantee: no project table, quantile or conclusion is used. Claims above what is derived are
    found whatever their size; claims below it, and other numbers, beyond their stated rounding.
    """
    counts = list(count_troubles(row, experiment))
    yield from counts
    yield from unit_troubles(row, experiment)
    if any(finding.derived == "" for finding in counts):
        return  # no table of counts: nothing can be derived from it
    for column, wanted in _wanted(row, experiment):
        if not fits(row[column], wanted):
            yield finding_in(row, column, wanted, "it does not follow from the votes and the scale")
    if experiment.memory is not None:
        for column, wanted in wanted_of_memory(row, experiment):
            if not fits(row[column], wanted):
                yield finding_in(row, column, wanted, "the memory's answer does not allow it")


def finding_in(row: Row, column: str, wanted: Any, said: str) -> Finding:
    """A trouble of one input; `wanted` is what its column must hold."""
    return Finding(
        where=f"input {row['index']}",
        column=column,
        stored=repr(row[column]),
        derived=shown(wanted),
        said=said,
    )


def _wanted(row: Row, experiment: Experiment) -> Iterator[tuple[str, Any]]:
    """Column by column, what it must hold."""
    votes, selection = _counts(row), np.array(row["selection_votes"], np.int64)
    guess, scale = int(np.argmax(selection)), axes_of(row, LAWS[experiment.law].order)
    valid = scale.is_valid
    claim = derived_claim(votes if valid else votes[:0], guess, experiment)
    yield "hits", int(votes[-1, guess]) if len(votes) else 0
    yield "p_lower", claim.p_lower
    own = "" if experiment.memory is None else "own_"  # its answer before a memory was asked
    yield f"{own}gap", claim.gap
    gap = believed(row[f"{own}gap"], claim.gap)
    certified = gap.low > 0
    yield f"{own}prediction", guess if certified else -1
    yield "status", _status(row, votes, experiment, valid=valid, certified=certified)
    yield "min_sigma", float(np.min(semi_axes(row)))
    if experiment.memory is None:
        yield "correct", row["label"] == (guess if certified else -1)
        yield from measures_of(gap, scale, experiment)


def _counts(row: Row) -> Votes:
    return np.array(row["votes"], np.int64).reshape(len(row["votes"]), len(row["selection_votes"]))


def _status(row: Row, votes: Votes, experiment: Experiment, *, valid: bool, certified: bool) -> str:
    """The gravest thing that happened, as far as the record shows it."""
    if not valid:
        return "invalid_scale"
    if not len(votes):  # nothing was drawn; on a grid, because the input is not on it
        return "off_grid" if experiment.mode == "grid" else "nonfinite_input"
    drawn = experiment.looks[len(votes) - 1]
    if votes[-1].sum() < drawn or sum(row["selection_votes"]) < experiment.n0:
        return "nonfinite_logits"
    return "certified" if certified else "abstained"
