"""The stage of a verification that draws and searches again, or says that nobody asked it to."""

from aniso_jax.audit.stored import Row
from aniso_jax.audit.verify.files import Files
from aniso_jax.audit.verify.findings import Verification, merged, stage
from aniso_jax.audit.verify.measures import has_its_scale
from aniso_jax.audit.verify.replay import differing_versions, evenly, replay_findings
from aniso_jax.audit.verify.scales import search_findings
from aniso_jax.audit.verify.source import search_of
from aniso_jax.audit.verify.stages import known, records_in
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.experiment import SOUGHT
from aniso_jax.runs.inputs import Inputs

_VOTES = "that the seeds draw these votes"
_SEARCH = "that the search finds these scales (sigma, theta, capped_share)"


def undrawn(files: Files, reason: str) -> Verification:
    """What only a replay can see, and why there was none."""
    sought = files.experiment.scale in SOUGHT
    names = [_VOTES, _SEARCH] if sought else [_VOTES]
    return stage(skipped=[f"{name}: {reason}" for name in names])


def replayed(files: Files, count: int, inputs: Inputs, model: Model) -> Verification:
    """Votes of `count` inputs drawn again, and where scales were sought, these inputs' searches."""
    rows = [row for part in records_in(files) for row in known(part, inputs)]
    chosen = [rows[position] for position in evenly(count, len(rows))] if rows else []
    if not chosen:
        return stage(skipped=[f"{_VOTES}: no record could be read"])
    whole = [row for row in chosen if has_its_scale(row, files.experiment)]
    found = list(replay_findings(whole, files.experiment, inputs, model)) if whole else []
    drawn = stage(
        findings=found,
        checked=[f"votes of {len(whole)} inputs, drawn again from their seeds"],
        skipped=_caveats(files),
        replayed=len(whole),
    )
    return merged([drawn, _searched(files, chosen, inputs, model)])


def _searched(files: Files, rows: list[Row], inputs: Inputs, model: Model) -> Verification:
    experiment = files.experiment
    if experiment.scale not in SOUGHT:
        return stage()
    search = search_of(experiment)
    if search is None:
        reason = "this version's searches have other settings than the run's"
        return stage(skipped=[f"{_SEARCH}: {reason}"])
    found = list(search_findings(rows, experiment, inputs, model, search))
    return stage(
        findings=found, checked=[f"scales of {len(rows)} inputs, sought again from their seeds"]
    )


def _caveats(files: Files) -> list[str]:
    """What may make another machine draw other votes without anybody's fault."""
    experiment = files.experiment
    differing = differing_versions(experiment)
    said = []
    if differing:
        said.append(f"that versions move no vote: {'; '.join(differing)}")
    if experiment.chunk is not None:
        said.append(
            f"that batches move no vote: this network's logits depend on them, so batch "
            f"{experiment.batch} and chunk {experiment.chunk} of the run were used"
        )
    return said
