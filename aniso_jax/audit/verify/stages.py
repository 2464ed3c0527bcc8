"""The stages of a verification that draw nothing, each with what it checked or could not."""

from collections.abc import Iterator

from aniso_jax.audit.stored import Row
from aniso_jax.audit.verify.against import data_findings, grid_findings, network_findings
from aniso_jax.audit.verify.files import Files
from aniso_jax.audit.verify.findings import Verification, merged, stage
from aniso_jax.audit.verify.rederive import row_findings
from aniso_jax.audit.verify.scales import discount_findings, is_whole_file, one_theta_findings
from aniso_jax.audit.verify.source import of_source
from aniso_jax.models.checkpoint import Model
from aniso_jax.records.experiment import Experiment
from aniso_jax.runs.inputs import Inputs

_DERIVED = "status, prediction, correct, hits, p_lower, gap, radii and volume"
_OF_NETWORK = "clean_prediction against the network"


def records_in(files: Files) -> Iterator[list[Row]]:
    """The records that could be read, as plain values, part by part."""
    return (table.to_pylist() for table in files.parts.values())


def of_files(files: Files) -> Verification:
    """Hashes, bytes, experiments and selection, and whether the run is all there."""
    experiment = files.experiment
    there = f"{len(files.parts)} of {experiment.parts} parts"
    missing = experiment.inputs - files.inputs
    skipped = (
        [f"{missing} of {experiment.inputs} inputs: they could not be read"] if missing else []
    )
    if files.foreign_writers:
        count = len(files.foreign_writers)
        skipped.append(f"the bytes of {count} parts beyond their content: another pyarrow's")
    return stage(
        findings=files.findings,
        checked=[f"run.json and {there}: hashes, configuration {experiment.hash}, selection"],
        skipped=skipped,
    )


def of_records(files: Files) -> Verification:
    """Every column that follows from the votes and the scale."""
    found = [
        finding
        for rows in records_in(files)
        for row in rows
        for finding in row_findings(row, files.experiment)
    ]
    what = f"{_DERIVED} of {files.inputs} inputs, derived again from their votes in float64"
    return stage(findings=found, checked=[what])


def of_scales(files: Files) -> Verification:
    """Where they come from; those of a file by its hash, other scales are the replay's."""
    return merged([_of_source(files), _of_grid(files)])


def _of_grid(files: Files) -> Verification:
    experiment = files.experiment
    if experiment.mode != "grid" or (experiment.grid or 0) < 1:
        return stage()  # a grid that is none is a finding of its own
    rows = (row for part in records_in(files) for row in part)
    found = list(discount_findings(rows, experiment))
    return stage(findings=found, checked=["discount of the noise on the grid under these scales"])


def _of_source(files: Files) -> Verification:
    source = of_source(files.experiment)
    if source.findings or files.experiment.scale != "file" or not files.parts:
        return source
    return merged([source, _of_scale_file(files)])


def _of_scale_file(files: Files) -> Verification:
    experiment = files.experiment
    rows = [row for part in records_in(files) for row in part]
    if experiment.scale_source.startswith("one theta for all inputs"):
        found = list(one_theta_findings(rows, experiment))
        return stage(findings=found, checked=["theta against the hash of the run's scale file"])
    if is_whole_file(rows, experiment):
        return stage(checked=["theta and sigma against the hash of the run's scale file"])
    reason = "its hash speaks of other inputs too, or of others only"
    return stage(skipped=[f"theta and sigma against the run's scale file: {reason}"])


def against_data(files: Files, inputs: Inputs) -> Verification:
    """What the data say of the records."""
    rows = [row for part in records_in(files) for row in known(part, inputs)]
    found = [f for row in rows for f in data_findings(row, files.experiment, inputs)]
    found += grid_findings(rows, files.experiment, inputs)
    return stage(findings=found, checked=[f"{_of_data(files.experiment)} {inputs.data.name}"])


def against_network(files: Files, inputs: Inputs, model: Model) -> Verification:
    """What the network says of the inputs without noise."""
    found = [
        finding
        for rows in records_in(files)
        for finding in network_findings(known(rows, inputs), inputs, model)
    ]
    return stage(findings=found, checked=[f"{_OF_NETWORK} {files.experiment.model}"])


def unopened(files: Files, reason: str) -> tuple[Verification, Verification]:
    """Neither data nor network could be asked, or only the data."""
    said = reason.rstrip(".")
    whats = (_of_data(files.experiment), _OF_NETWORK)
    data, network = (stage(skipped=[f"{what}: {said}"]) for what in whats)
    return data, network


def known(rows: list[Row], inputs: Inputs) -> list[Row]:
    """The records of inputs that the selection holds; the others are found to be none of it."""
    return [row for row in rows if int(row["index"]) in inputs.ids]


def _of_data(experiment: Experiment) -> str:
    grid = "" if experiment.grid is None else ", grid"
    return f"input_id, label, domain_log_volume{grid} against the data"
