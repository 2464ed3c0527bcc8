"""The stages of a verification that draw nothing, each with what it checked or could not."""

from collections.abc import Iterator

from aniso_jax.audit.verify.against import data_findings, network_findings
from aniso_jax.audit.verify.files import Files
from aniso_jax.audit.verify.findings import Verification, stage
from aniso_jax.audit.verify.rederive import Row, row_findings
from aniso_jax.audit.verify.scales import is_whole_file, one_theta_findings
from aniso_jax.models.checkpoint import Model
from aniso_jax.runs.inputs import Inputs

_DERIVED = "status, prediction, correct, hits, p_lower, gap, radii and volume"
_OF_DATA = "input_id, label, domain_log_volume against the data"
_OF_NETWORK = "clean_prediction against the network"


def rows_of(files: Files) -> Iterator[list[Row]]:
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
        for rows in rows_of(files)
        for row in rows
        for finding in row_findings(row, files.experiment)
    ]
    what = f"{_DERIVED} of {files.inputs} inputs, derived again from their votes in float64"
    return stage(findings=found, checked=[what])


def of_scales(files: Files) -> Verification:
    """The scales of a file, by the hash that the run names; other scales are the replay's."""
    experiment = files.experiment
    if experiment.scale != "file" or not files.parts:
        return stage()
    rows = [row for part in rows_of(files) for row in part]
    if experiment.scale_source.startswith("one theta for all inputs"):
        found = list(one_theta_findings(rows, experiment))
        return stage(findings=found, checked=["theta against the hash of the run's scale file"])
    if is_whole_file(rows, experiment):
        return stage(checked=["theta and sigma against the hash of the run's scale file"])
    reason = "its hash speaks of other inputs too, or of others only"
    return stage(skipped=[f"theta and sigma against the run's scale file: {reason}"])


def against_data(files: Files, inputs: Inputs) -> Verification:
    """What the data say of the records."""
    found = [
        finding
        for rows in rows_of(files)
        for row in known(rows, inputs)
        for finding in data_findings(row, files.experiment, inputs)
    ]
    return stage(findings=found, checked=[f"{_OF_DATA} {inputs.data.name}"])


def against_network(files: Files, inputs: Inputs, model: Model) -> Verification:
    """What the network says of the inputs without noise."""
    found = [
        finding
        for rows in rows_of(files)
        for finding in network_findings(known(rows, inputs), inputs, model)
    ]
    return stage(findings=found, checked=[f"{_OF_NETWORK} {files.experiment.model}"])


def unopened(reason: str) -> tuple[Verification, Verification]:
    """Neither data nor network could be asked, or only the data."""
    said = reason.rstrip(".")
    data, network = (stage(skipped=[f"{what}: {said}"]) for what in (_OF_DATA, _OF_NETWORK))
    return data, network


def known(rows: list[Row], inputs: Inputs) -> list[Row]:
    """The records of inputs that the selection holds; the others are found to be none of it."""
    return [row for row in rows if int(row["index"]) in inputs.ids]
