import json

import numpy as np
import pytest
from run_samples import (
    sample_experiment,
    sample_indices,
    sample_parts,
    sample_results,
)

from aniso_jax.records.directory import NotARun, RunMismatch, open_run, read_experiment
from aniso_jax.records.load import IncompleteRun, load_frame, load_run
from aniso_jax.records.parts import ForeignPart, TornPart, part_path
from aniso_jax.records.schema import experiment_of, flat_columns
from aniso_jax.runs.runner import run_parts


@pytest.fixture
def finished(tmp_path):
    experiment = sample_experiment()
    directory = tmp_path / "digits-run"
    run_parts(directory, experiment, sample_parts(experiment), sample_results)
    return directory, experiment


def test_a_run_loads_in_order_with_its_experiment(finished):
    directory, experiment = finished
    table = load_run(directory)
    assert np.array_equal(table["index"].to_numpy(), sample_indices(10))
    assert experiment_of(table.schema) == experiment
    assert b"aniso_jax.part" not in table.schema.metadata


def test_a_frame_has_the_columns_and_the_constants(finished):
    directory, experiment = finished
    frame = load_frame(directory)
    assert frame.attrs["name"] == "digits-run"
    assert (frame.attrs["unit"], frame.attrs["dimension"]) == ("std", 4)
    assert frame.attrs["run"] == experiment.hash
    # three parts of 2 s and 1 s, ten inputs
    assert frame.attrs["optimise_seconds"] == pytest.approx(0.6)
    assert frame.attrs["certify_seconds"] == pytest.approx(0.3)
    assert list(frame.columns) == load_run(directory).column_names
    assert frame["theta"].iloc[0].dtype == np.float32
    assert np.stack([np.stack(votes) for votes in frame["votes"]]).shape == (10, 2, 3)


def test_some_columns_of_parts_that_are_checked_whole(finished):
    directory, experiment = finished
    table = load_run(directory, columns=("radius",))
    assert table.column_names == ["index", "radius"]
    assert experiment_of(table.schema) == experiment
    frame = load_frame(directory, columns=flat_columns(experiment))
    assert {"theta", "votes", "selection_votes"} == set(load_run(directory).column_names) - {
        *frame.columns
    }
    path = part_path(directory, 1)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(TornPart):
        load_run(directory, columns=("radius",))


def test_an_incomplete_run_says_how_much_is_there(finished):
    directory, _ = finished
    part_path(directory, 1).unlink()
    with pytest.raises(IncompleteRun, match="holds 6 of its 10 inputs; run the same command"):
        load_run(directory)
    assert len(load_frame(directory, partial=True)) == 6


def test_a_run_without_parts_is_an_empty_table(tmp_path):
    open_run(tmp_path, sample_experiment())
    assert len(load_run(tmp_path, partial=True)) == 0
    assert load_frame(tmp_path, partial=True).attrs["certify_seconds"] is None


def test_a_surplus_part_is_named(finished):
    directory, _ = finished
    part_path(directory, 9).write_bytes(part_path(directory, 2).read_bytes())
    with pytest.raises(ForeignPart, match=r"part-00009.*it is part 2, under the name of part 9"):
        load_run(directory)


def test_run_json_is_canonical_and_reads_back(finished):
    directory, experiment = finished
    text = (directory / "run.json").read_text()
    content = json.loads(text)
    assert text == json.dumps(content, indent=2, sort_keys=True) + "\n"
    assert content["run"] == experiment.hash
    assert read_experiment(directory) == experiment


def test_another_configuration_is_refused_with_what_differs(finished):
    directory, _ = finished
    sentence = (
        "holds another run: alpha: the run has 0.001, you asked for 0.01; n: the run has 1000, "
        "you asked for 2000. Choose another --out, or give the options"
    )
    with pytest.raises(RunMismatch) as error:
        open_run(directory, sample_experiment(alpha=0.01, n=2000))
    assert sentence in str(error.value)


def test_foreign_directories_and_files_are_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(NotARun, match=r"not empty and no run \(it holds notes.txt"):
        open_run(tmp_path, sample_experiment())
    with pytest.raises(NotARun, match="is a file; a run needs a directory"):
        open_run(tmp_path / "notes.txt", sample_experiment())
    with pytest.raises(NotARun, match=r"it has no run.json"):
        load_run(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("damage", ["half", "edited", "format", "list"])
def test_a_damaged_run_json_is_named(finished, damage):
    directory, experiment = finished
    path = directory / "run.json"
    text = path.read_text()
    damaged = {
        "half": text[: len(text) // 2],
        "edited": text.replace('"seed": 7', '"seed": 8'),
        "format": text.replace('"format": 2', '"format": 99'),
        "list": "[]",
    }
    path.write_text(damaged[damage])
    with pytest.raises(NotARun, match=r"run.json cannot be used"):
        open_run(directory, experiment)
