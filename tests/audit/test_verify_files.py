"""Damaged, missing, exchanged and foreign files of a run, each named, none stopping the others."""

import dataclasses
import json

import pyarrow.parquet as pq
import pytest
from verify_samples import BOUNDS, Sample, copied, named

from aniso_jax.audit.verify.run_json import contradictions
from aniso_jax.records.claim import claim_of
from aniso_jax.records.directory import read_experiment
from aniso_jax.records.experiment import Experiment
from aniso_jax.records.parts import part_path
from aniso_jax.records.schema import COLUMNS


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    return Sample(tmp_path_factory.mktemp("files"))


@pytest.fixture
def run(sample, tmp_path):
    return copied(sample.run("run", **BOUNDS["looks"]), tmp_path / "run")


@pytest.mark.parametrize("column", [field.name for field in COLUMNS])
def test_a_flipped_bit_of_any_column_is_found(sample, run, column):
    path = part_path(run, 0)
    raw = bytearray(path.read_bytes())
    raw[_inside(path, column)] ^= 1
    path.write_bytes(raw)
    assert ("part-00000.parquet", "") in named(sample.verify(run))


def test_a_flipped_bit_anywhere_in_a_file_is_found(sample, run):
    path = part_path(run, 1)
    raw = path.read_bytes()
    for at in range(0, len(raw), len(raw) // 40):
        if (
            pq.read_metadata(run / "part-00000.parquet").created_by.encode()
            in raw[at - 50 : at + 50]
        ):
            continue  # which version of pyarrow wrote it
        path.write_bytes(raw[:at] + bytes([raw[at] ^ 4]) + raw[at + 1 :])
        assert named(sample.verify(run)) == {("part-00001.parquet", "")}, at


def test_every_trouble_is_told_not_only_the_first(sample, run):
    part_path(run, 0).write_bytes(part_path(run, 0).read_bytes()[:-100])
    part_path(run, 1).unlink()
    (run / "run.json").write_text((run / "run.json").read_text().replace('"seed": 0', '"seed": 9'))
    (run / "part-00007.parquet").write_bytes(b"PAR1")
    found = named(sample.verify(copied_back(sample, run)))
    assert {("part-00000.parquet", ""), ("part-00007.parquet", ""), ("run.json", "seed")} <= found


def copied_back(sample, run):
    """The sample's second part, so that some part can say what the run is."""
    whole = sample.run("run", **BOUNDS["looks"])
    part_path(run, 1).write_bytes(part_path(whole, 1).read_bytes())
    return run


def test_missing_and_exchanged_parts_are_found(sample, run):
    first, second = part_path(run, 0), part_path(run, 1)
    content = first.read_bytes()
    first.write_bytes(second.read_bytes())
    second.write_bytes(content)
    both = {("part-00000.parquet", ""), ("part-00001.parquet", "")}
    assert both <= named(sample.verify(run))
    first.unlink()
    said = [f.said for f in sample.verify(run).findings if f.where == "part-00000.parquet"]
    assert said == [
        "it is missing: run the same command again to finish the run, or ask for --partial"
    ]


@pytest.mark.parametrize(
    ("before", "after", "column"),
    [
        ('"alpha": 0.01', '"alpha": 0.02', "alpha"),
        ('"sigma": 0.25', '"sigma": 0.26', "sigma"),
        ('"looks": [\n      100', '"looks": [\n      101', "looks"),
        ('"data": "npz:small.npz', '"data": "npz:other.npz', "data"),
    ],
)
def test_a_changed_digit_of_run_json_is_named(sample, run, before, after, column):
    path = run / "run.json"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    result = sample.verify(run)
    assert named(result) == {("run.json", ""), ("run.json", column)}
    assert "hashes" in result.checked[0]


def test_a_run_json_laid_out_otherwise_is_found(sample, run):
    path = run / "run.json"
    path.write_text(path.read_text() + " ")
    assert named(sample.verify(run)) == {("run.json", "")}


def test_a_run_json_with_a_hash_made_to_fit_leaves_every_part_foreign(sample, run):
    path = run / "run.json"
    content = json.loads(path.read_text())
    content["experiment"]["alpha"] = 0.02
    forged = Experiment(**content["experiment"])
    content |= {"run": forged.hash, "claim": claim_of(forged)}
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
    result = sample.verify(run)
    assert named(result) == {("part-00000.parquet", ""), ("part-00001.parquet", "")}
    assert "alpha: the run has 0.01, you asked for 0.02" in result.findings[0].said


def test_a_joint_alpha_must_be_shared_by_all_inputs(sample, run):
    experiment = read_experiment(run)
    assert contradictions(experiment) == []
    joint = dataclasses.replace(experiment, joint_alpha=0.2)
    assert contradictions(joint) == []
    wrong = dataclasses.replace(joint, joint_alpha=0.1, discount=1e-9, n=400, start=1)
    columns = {finding.column for finding in contradictions(wrong)}
    assert columns == {"alpha", "discount", "n", "indices_hash"}


def _inside(path, column):
    """A byte in the middle of the column's values in the file."""
    group = pq.ParquetFile(path).metadata.row_group(0)
    for k in range(group.num_columns):
        chunk = group.column(k)
        if chunk.path_in_schema.split(".")[0] == column:
            return chunk.data_page_offset + chunk.total_compressed_size // 2
    raise KeyError(column)
