"""Where a run says that its scales come from: whether run.json can say so of this kind of scale."""

import re
from importlib.metadata import version

from aniso_jax.audit.verify.findings import Finding, Verification, stage
from aniso_jax.records.directory import RUN_FILE
from aniso_jax.records.experiment import SOUGHT, Experiment
from aniso_jax.runs.sources import SETTINGS, Fixed, Sought
from aniso_jax.smoothing.laws import LAWS

_FORMS = {
    "fixed": re.escape(Fixed.description),
    "isotropic": "one per input, .+",
    "anisotropic": "one per input, .+",
    "rotated": "one per input, .+",
    "file": "one theta (for all inputs|per input), sha256 [0-9a-f]{64}",
}


def search_of(experiment: Experiment) -> Sought | None:
    """The search that found a run's scales; None if this version's searches are others."""
    return next(
        (s for s in _searches(experiment) if s.description == experiment.scale_source), None
    )


def of_source(experiment: Experiment) -> Verification:
    """The scale_source against the kind of scale, and against this version's searches.

    Guarantee: of a run of this version no search passes that this version does not know. What
    searches another version knew cannot be told, and is said not to be checked.
    """
    if not re.fullmatch(_FORMS[experiment.scale], experiment.scale_source):
        said = f"it is no source of a scale that is {experiment.scale}"
        return stage(findings=[_finding(experiment, _FORMS[experiment.scale], said)])
    checked = ["scale_source against the kind of scale"]
    if experiment.scale not in SOUGHT or search_of(experiment) is not None:
        return stage(checked=checked)
    then, now = experiment.versions.get("aniso_jax"), version("aniso-jax")
    if then == now:
        known = " or ".join(search.description for search in _searches(experiment))
        return stage(findings=[_finding(experiment, known, f"aniso_jax {now} has no such search")])
    reason = f"it is of aniso_jax {then}, this is {now}, whose searches have other settings"
    return stage(checked=checked, skipped=[f"the search in scale_source: {reason}"])


def _searches(experiment: Experiment) -> list[Sought]:
    """This version's searches for a scale of the run's kind."""
    return [
        Sought(
            law=LAWS[experiment.law],
            sigma=experiment.sigma,
            settings=settings,
            anisotropic=experiment.scale != "isotropic",
            rotated=experiment.scale == "rotated",
        )
        for settings in SETTINGS
    ]


def _finding(experiment: Experiment, wanted: str, said: str) -> Finding:
    return Finding(
        where=RUN_FILE,
        column="scale_source",
        stored=repr(experiment.scale_source),
        derived=wanted,
        said=said,
    )
