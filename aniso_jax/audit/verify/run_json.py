"""What a run is: its run.json, against its own hash, against the parts, and against itself."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from aniso_jax.audit.verify.findings import Finding, of_file
from aniso_jax.audit.verify.same_bytes import is_canonical_json
from aniso_jax.records.claim import claim_of
from aniso_jax.records.directory import RUN_FILE, NotARun, read_experiment
from aniso_jax.records.experiment import Experiment, hash_indices
from aniso_jax.records.schema import experiment_of


def find_experiment(run: Path) -> tuple[Experiment, list[Finding]]:
    """The experiment, from run.json or, where that cannot be used, from the first part that can.

    Raises:
      NotARun: neither says what the run is.
    """
    try:
        experiment = read_experiment(run)
    except NotARun as error:
        experiment = _of_first_part(run, error)
        return experiment, [of_file(RUN_FILE, str(error)), *_differing(run, experiment)]
    if is_canonical_json(run / RUN_FILE):
        return experiment, []
    return experiment, [of_file(RUN_FILE, "its bytes are not those that its content is written as")]


def expected_indices(experiment: Experiment) -> np.ndarray:
    """The inputs that a run is about; stop, limit and the data's end only cut them off."""
    return experiment.start + experiment.skip * np.arange(experiment.inputs)


def contradictions(experiment: Experiment) -> list[Finding]:
    """Constants of a run that contradict each other."""
    e, last = experiment, experiment.looks[-1] if experiment.looks else 0
    discount = max(e.discount, 0.0) if e.mode == "grid" else 0.0
    alpha = e.alpha if e.joint_alpha is None else e.joint_alpha / e.inputs
    selection = hash_indices(expected_indices(e))
    wanted = (
        ("looks", e.looks, tuple(sorted(set(e.looks))), "looks increase"),
        ("n", e.n, last, "the last look is n"),
        ("discount", e.discount, discount, "only noise on a grid has one"),
        ("grid", e.grid is not None, e.mode == "grid", "grid mode has a grid, float mode none"),
        ("alpha", e.alpha, alpha, "the joint alpha is shared by all inputs"),
        ("indices_hash", e.indices_hash, selection, "start, skip and inputs select other indices"),
    )
    found = [
        _field(name, repr(stored), repr(derived), said)
        for name, stored, derived, said in wanted
        if stored != derived
    ]
    if not 0 < e.alpha <= 0.5:
        found.append(_field("alpha", repr(e.alpha), "in (0, 1/2]", "no bound is made for it"))
    return found


def _of_first_part(run: Path, error: NotARun) -> Experiment:
    for path in sorted(run.glob("part-*.parquet")):
        try:
            return experiment_of(pq.read_schema(path))
        except (pa.ArrowException, OSError, ValueError):
            continue
    raise error


def _differing(run: Path, experiment: Experiment) -> list[Finding]:
    """The fields of a run.json that differ from what the parts say."""
    try:
        content = json.loads((run / RUN_FILE).read_bytes())
        stored = {**content["experiment"], "run": content["run"], "claim": content["claim"]}
    except (OSError, ValueError, KeyError, TypeError):
        return []
    own = {"run": experiment.hash, "claim": claim_of(experiment)}
    wanted = {**json.loads(experiment.to_json()), **own}
    return [
        _field(name, repr(stored.get(name)), repr(wanted.get(name)), "the parts say otherwise")
        for name in sorted({*stored, *wanted})
        if stored.get(name) != wanted.get(name)
    ]


def _field(name: str, stored: str, derived: str, said: str) -> Finding:
    return Finding(where=RUN_FILE, column=name, stored=stored, derived=derived, said=said)
