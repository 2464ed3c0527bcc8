"""Whether stored votes can be votes: how many, at which looks, never fewer than before."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from aniso_jax.audit.verify.findings import Finding
from aniso_jax.records.experiment import Experiment

_LOST = "nonfinite_logits"
_NOTHING_DRAWN = ("nonfinite_input", "invalid_scale", "off_grid")


def count_troubles(row: Mapping[str, Any], experiment: Experiment) -> Iterator[Finding]:
    """What is wrong with the counts of one record, by themselves.

    The looks reached are the first of the plan's. Their votes add up to the draws, or to fewer
    where rows with a non-finite logit voted for nobody, which the status must then say. From look
    to look no count falls, nor does the number of lost rows.

    A finding without a derived value says that the counts are no table: nothing follows from them.
    """
    trouble = _shape_trouble(row, experiment)
    if trouble:
        column, said = trouble
        yield _finding(row, column, str(row[column]), "", said)
        return
    selection, votes = np.array(row["selection_votes"]), np.array(row["votes"], np.int64)
    yield from _sum_trouble(row, "selection_votes", selection.sum(), experiment.n0)
    if not len(votes):
        yield from _unreached_trouble(row)
        return
    drawn = np.array(experiment.looks[: len(votes)])
    for total, n in zip(votes.sum(axis=-1), drawn, strict=True):
        yield from _sum_trouble(row, "votes", total, n)
    lost = (drawn - votes.sum(axis=-1))[:, None]
    falls = np.argwhere(np.diff(np.hstack([votes, lost]), axis=0) < 0)
    if len(falls):
        look = int(falls[0, 0])
        before, after = votes[look].tolist(), votes[look + 1].tolist()
        said = f"some counts fall from look {drawn[look]} to look {drawn[look + 1]}"
        yield _finding(row, "votes", f"{after}", f"at least {before}", said)


def _sum_trouble(row: Mapping[str, Any], column: str, total: int, n: int) -> Iterator[Finding]:
    if total > n or (total < n and row["status"] != _LOST):
        said = f"the counts add up to {total}, the draws are {n}"
        yield _finding(row, column, str(total), str(n), said)


def _unreached_trouble(row: Mapping[str, Any]) -> Iterator[Finding]:
    if row["status"] not in _NOTHING_DRAWN:
        said = "no look was reached, and the status does not say why"
        yield _finding(row, "votes", "no look", "one look or more", said)


def _shape_trouble(row: Mapping[str, Any], experiment: Experiment) -> tuple[str, str] | None:
    """The column that is no table of counts, and why."""
    classes, votes = len(row["selection_votes"]), row["votes"]
    if classes < 2 or min(row["selection_votes"]) < 0:
        return "selection_votes", "these are no counts of two classes or more"
    if len(votes) > len(experiment.looks):
        return "votes", f"there are {len(votes)} looks, the plan has {len(experiment.looks)}"
    if any(len(look) != classes for look in votes):
        return "votes", f"some look has not one count for each of the {classes} classes"
    if any(min(look) < 0 for look in votes):
        return "votes", "some counts are negative"
    return None


def _finding(row: Mapping[str, Any], column: str, stored: str, derived: str, said: str) -> Finding:
    where = f"input {row['index']}"
    return Finding(where=where, column=column, stored=stored, derived=derived, said=said)
