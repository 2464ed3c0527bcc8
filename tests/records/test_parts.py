import errno
import os
import shutil

import pyarrow as pa
import pytest
from run_samples import sample_compute, sample_experiment, sample_parts, sample_table

from aniso_jax.records import parts as parts_module
from aniso_jax.records.parts import ForeignPart, TornPart, part_path, read_part, write_part
from aniso_jax.records.sidecar import (
    TIMINGS,
    append_timing,
    read_timings,
    seconds_by_row,
    seconds_per_input,
)
from aniso_jax.runs import refusals
from aniso_jax.storage.atomic import DiskFull, write_atomically


@pytest.fixture
def written(tmp_path):
    experiment = sample_experiment()
    for part, indices in enumerate(sample_parts(experiment)):
        write_part(tmp_path, part, sample_table(indices), experiment)
    return tmp_path, experiment


def test_a_part_comes_back_as_it_was_written(written):
    directory, experiment = written
    table = read_part(directory, 1, experiment)
    assert table.equals(sample_table(sample_parts(experiment)[1]))
    assert table["theta"].type == pa.list_(pa.float32())
    assert sorted(os.listdir(directory)) == [f"part-0000{part}.parquet" for part in range(3)]


def test_the_same_part_has_the_same_bytes(written, tmp_path_factory):
    directory, experiment = written
    again = tmp_path_factory.mktemp("again")
    whole = sample_table(sample_parts(experiment)[0])
    write_part(again, 0, pa.concat_tables([whole.slice(0, 1), whole.slice(1)]), experiment)
    assert part_path(again, 0).read_bytes() == part_path(directory, 0).read_bytes()


@pytest.mark.parametrize("keep", [0, 3, 200, -1])
def test_a_torn_part_is_named(written, keep):
    directory, experiment = written
    path = part_path(directory, 1)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(TornPart, match=r"part-00001.parquet is torn \(.*\): delete it and run"):
        read_part(directory, 1, experiment)


def test_any_flipped_bit_is_seen(written):
    directory, experiment = written
    path = part_path(directory, 1)
    whole, table = path.read_bytes(), read_part(directory, 1, experiment)
    for at in range(0, len(whole), len(whole) // 150):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 16]) + whole[at + 1 :])
        try:
            assert read_part(directory, 1, experiment).equals(table)
        except (TornPart, ForeignPart) as error:
            assert "part-00001.parquet" in str(error)


def test_a_part_of_another_run_is_named_with_what_differs(written):
    directory, _ = written
    sentence = r"part-00000.parquet does not belong to this run: seed: the run has 7, you asked for"
    with pytest.raises(ForeignPart, match=sentence):
        read_part(directory, 0, sample_experiment(seed=8))


def test_a_part_under_another_number_is_named(written):
    directory, experiment = written
    shutil.copy(part_path(directory, 0), part_path(directory, 1))
    with pytest.raises(ForeignPart, match=r"00001.*it is part 0, under the name of part 1"):
        read_part(directory, 1, experiment)


def test_other_parquet_files_are_named(written):
    directory, experiment = written
    part_path(directory, 0).write_bytes(parts_module.parquet_bytes(pa.table({"a": [1]})))
    with pytest.raises(ForeignPart, match="the file carries no experiment"):
        read_part(directory, 0, experiment)


def test_wrong_tables_are_not_written(tmp_path):
    experiment = sample_experiment()
    first = sample_table(sample_parts(experiment)[0])
    for part, table, sentence in [
        (0, first.drop_columns("gap"), "differ from the schema in .*gap"),
        (0, first.slice(1), "it has 3 rows, the run wants 4 in part 0"),
        (3, first, "it has 4 rows, the run wants 0 in part 3"),
        (0, first.take([1, 0, 2, 3]), "its indices do not ascend"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            write_part(tmp_path, part, table, experiment)
    assert not os.listdir(tmp_path)


@pytest.mark.parametrize("stopped", [KeyboardInterrupt(), OSError(errno.EIO, "broken")])
def test_a_failed_write_leaves_the_old_file_and_no_temporary(tmp_path, monkeypatch, stopped):
    def fail(descriptor):
        raise stopped

    path = tmp_path / "a"
    write_atomically(path, b"old")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(stopped)):
        write_atomically(path, b"new")
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a"]


def test_timings_survive_a_torn_line_and_the_newest_counts(tmp_path):
    assert read_timings(tmp_path) == {}
    append_timing(tmp_path, 0, {"inputs": 4, "certify_seconds": 9.0})
    with open(tmp_path / TIMINGS, "a") as file:
        file.write('{"part": 1, "inp')
    assert list(read_timings(tmp_path)) == [0]
    append_timing(tmp_path, 1, {"inputs": 2, "certify_seconds": 1.0})
    append_timing(tmp_path, 0, {"inputs": 4, "certify_seconds": 2.0})
    timings = read_timings(tmp_path)
    assert timings[0]["certify_seconds"] == 2.0
    assert seconds_per_input(timings, "certify_seconds") == 0.5
    assert seconds_per_input(timings, "optimise_seconds") is None


@pytest.mark.parametrize("damage", ["garbage", "{}", "[1]", "\0\0"])
def test_damaged_times_are_named_and_can_be_deleted(tmp_path, damage):
    append_timing(tmp_path, 0, {"inputs": 4})
    with open(tmp_path / TIMINGS, "a") as file:
        file.write(f"{damage}\n")
    with pytest.raises(ValueError, match=r"timings.jsonl is damaged in line 2: delete the file"):
        read_timings(tmp_path)


def test_the_times_of_a_run_that_lacks_parts_stay_with_their_inputs(written):
    directory, experiment = written  # parts of 4, 4 and 2 inputs
    for part in range(3):
        seconds = {"optimise_seconds": 0.0, "certify_seconds": 4.0 * (part + 1)}
        append_timing(directory, part, {"inputs": 4 if part < 2 else 2, **seconds})
    assert seconds_by_row(directory, experiment) == [1.0] * 4 + [2.0] * 4 + [6.0] * 2
    part_path(directory, 0).unlink()
    assert seconds_by_row(directory, experiment) == [2.0] * 4 + [6.0] * 2


def test_a_write_that_fails_names_the_file(tmp_path, monkeypatch):
    def large(descriptor):
        raise OSError(errno.EFBIG, "File too large")  # a quota on one file, as `ulimit -f` sets

    append_timing(tmp_path, 0, {"inputs": 4})
    monkeypatch.setattr(os, "fsync", large)
    for write in (
        lambda: write_atomically(tmp_path / "a", b"new"),
        lambda: append_timing(tmp_path, 1, {"inputs": 4}),
    ):
        with pytest.raises(OSError) as failed:
            write()
        assert refusals.sentence(failed.value).startswith(f"{tmp_path}/")


def test_a_full_disk_leaves_no_torn_line(tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    append_timing(tmp_path, 0, {"inputs": 4})
    before = (tmp_path / TIMINGS).read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull, match=r"no room for .*timings.jsonl"):
        append_timing(tmp_path, 1, {"inputs": 4})
    assert (tmp_path / TIMINGS).read_bytes() == before


def test_compute_sample_is_deterministic():
    first, second = (sample_compute(sample_parts(sample_experiment())[0]).table for _ in range(2))
    assert first.equals(second)
