"""Shares of a run, in one directory or in several: the bytes of one process."""

import errno
import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from cli_samples import aniso_jax, records_of, short_run, start
from quick import ENVIRONMENT

from aniso_jax.records.lock import RunBusy, sole_writer, writers
from aniso_jax.records.merge import merge_runs
from aniso_jax.records.parts import ForeignPart, part_path, present_parts, read_part, write_part
from aniso_jax.records.shard import Shard, parsed_shard
from aniso_jax.runs.runner import Interrupted, run_parts
from aniso_jax.runs.status import status_of

INPUTS = 70  # five parts, the last one ragged


@pytest.fixture(scope="module")
def words(network, tmp_path_factory):
    return short_run(tmp_path_factory.mktemp("shards"), network, INPUTS)


@pytest.fixture(scope="module")
def whole(words, tmp_path_factory):
    out = tmp_path_factory.mktemp("whole") / "run"
    assert aniso_jax(*words, out) == 0
    return records_of(out)


def test_two_shards_of_one_directory_end_with_the_bytes_of_one_process(
    words, whole, tmp_path, capsys
):
    out = tmp_path / "run"
    assert aniso_jax(*words, out, "--shard", "2/2") == 0
    assert present_parts(out) == [1, 3]
    assert capsys.readouterr().out.splitlines() == [
        f"{out}: 32 of 70 inputs are done, in 2 of 5 parts.",
        "Nobody works on 38 inputs: run the same command again to do them.",
    ]
    assert aniso_jax("export", out, "--out", tmp_path / "t.tsv") == 2
    assert "holds 32 of its 70 inputs" in capsys.readouterr().err
    assert aniso_jax(*words, out, "--shard", "1/2") == 0
    assert "Certified accuracy" in capsys.readouterr().out  # it is whole now
    assert records_of(out) == whole
    assert aniso_jax("verify", out, "--replay", 3, *data_of(words)) == 0


def data_of(words) -> tuple:
    return tuple(words[1:5])


def test_shards_of_their_own_are_merged(words, whole, tmp_path, capsys):
    shards = [tmp_path / "a", tmp_path / "b", tmp_path / "c"]
    for number, out in enumerate(shards, start=1):
        assert aniso_jax(*words, out, "--shard", f"{number}/3") == 0
    capsys.readouterr()
    assert aniso_jax("merge", *shards[:2], "--out", tmp_path / "all") == 2
    assert capsys.readouterr().err == (
        f"aniso-jax: {shards[0]} and {shards[1]} lack 1 of 5 parts (2); finish the shards, or ask "
        "for a partial result.\n"
    )
    assert not (tmp_path / "all").exists()
    assert aniso_jax("merge", shards[0], "--out", tmp_path / "all") == 2
    assert f"{shards[0]} lacks 3 of 5 parts (1, 2, 4)" in capsys.readouterr().err
    assert aniso_jax("merge", *shards[:2], "--out", tmp_path / "all", "--partial") == 0
    assert aniso_jax("merge", *shards, "--out", tmp_path / "all") == 0
    assert records_of(tmp_path / "all") == whole


def test_merging_goes_on_where_it_stopped(tmp_path, sample_run):
    """With what lies there already, which is checked like the rest."""
    experiment, parts, compute = sample_run
    for number in (1, 2):
        run_parts(tmp_path / f"{number}", experiment, parts, compute, shard=shard(number, 2))
    run_parts(tmp_path / "whole", experiment, parts, compute)
    out = tmp_path / "all"
    assert merge_runs([tmp_path / "1"], out, partial=True) == 6
    assert merge_runs([tmp_path / "2"], out) == 10
    assert records_of(out) == records_of(tmp_path / "whole")
    table = read_part(out, 0, experiment)
    at = table.schema.names.index("gap")
    smaller = pc.divide(table["gap"], pa.scalar(2, pa.float32()))
    write_part(out, 0, table.set_column(at, table.schema.field(at), smaller), experiment)
    with pytest.raises(ForeignPart, match=r"holds other records than the same part of .*1: find"):
        merge_runs([tmp_path / "1", tmp_path / "2"], out)


def test_a_file_system_without_locks_is_one_sentence(tmp_path, monkeypatch):
    """As some of clusters are mounted."""

    def unknown(descriptor, kind):
        raise OSError(errno.ENOSYS, "Function not implemented")

    (tmp_path / ".lock").touch()
    monkeypatch.setattr("fcntl.flock", unknown)
    with (
        pytest.raises(ValueError, match=r"without locks \(flock: Function not .* aniso-jax merge"),
        sole_writer(tmp_path, shard(1, 2)),
    ):
        pass
    assert writers(tmp_path) == []


@pytest.mark.slow
def test_two_shards_at_the_same_time(words, whole, tmp_path):
    out = tmp_path / "run"
    both = [start(*words, out, "--shard", f"{n}/2", **ENVIRONMENT) for n in (1, 2)]
    for process in both:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert records_of(out) == whole


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--shard", "0/2"), "--shard must be i/k with 1 <= i <= k, such as 2/8, got 0/2."),
        (("--shard", "3/2"), "--shard must be i/k with 1 <= i <= k, such as 2/8, got 3/2."),
        (("--shard", "1"), "--shard must be i/k with 1 <= i <= k, such as 2/8, got 1."),
        (
            ("--shard", "1/6"),
            "--shard 1/6: 70 inputs are only 5 parts, so that no more than 5 shards have something "
            "to do; give fewer shards, or more inputs.",
        ),
        (("--shard", "1/2", "--memory", "m.sqlite"), "--shard goes without --memory"),
    ],
)
def test_shards_that_cannot_be_are_one_sentence(words, tmp_path, capsys, options, said):
    assert aniso_jax(*words, tmp_path / "run", *options) == 2
    assert said in re.sub(r"[\s│]+", " ", capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


def test_every_part_is_in_one_shard():
    for count in (1, 2, 5):
        held = [p for n in range(count) for p in range(9) if shard(n + 1, count).holds(p)]
        assert sorted(held) == list(range(9))


def shard(number: int, count: int) -> Shard:
    return parsed_shard(f"{number}/{count}")


def test_shards_lock_each_other_out_only_where_they_are_the_same(tmp_path):
    with sole_writer(tmp_path, shard(1, 2)):
        with sole_writer(tmp_path, shard(2, 2)):
            assert [str(writer.shard) for writer in writers(tmp_path)] == ["1/2", "2/2"]
        with pytest.raises(RunBusy, match="is being written by process"):  # noqa: SIM117
            with sole_writer(tmp_path, shard(1, 2)):
                pass
        with pytest.raises(RunBusy, match="is being written by process"):  # noqa: SIM117
            with sole_writer(tmp_path):
                pass
    with sole_writer(tmp_path):
        assert [writer.shard for writer in writers(tmp_path)] == [None]
        with pytest.raises(RunBusy):  # noqa: SIM117
            with sole_writer(tmp_path, shard(1, 2)):
                pass
    assert writers(tmp_path) == []


def test_shards_of_another_cut_wait(tmp_path):
    """They have some of the same parts, and would remove each other's half-written files."""
    said = r"as shard 1/2: wait .* or give --shard i/2 with another i"
    with (
        sole_writer(tmp_path, shard(1, 2)),
        pytest.raises(RunBusy, match=said),
        sole_writer(tmp_path, shard(3, 3)),
    ):
        pass
    with sole_writer(tmp_path, shard(3, 3)):
        assert [str(writer.shard) for writer in writers(tmp_path)] == ["3/3"]


def test_a_shard_leaves_the_half_written_files_of_the_others(tmp_path, sample_run):
    experiment, parts, compute = sample_run
    theirs = tmp_path / f"{part_path(tmp_path, 1).name}.{'a' * 32}.tmp"
    own = tmp_path / f"{part_path(tmp_path, 2).name}.{'b' * 32}.tmp"
    for path in (theirs, own):
        path.write_bytes(b"half")
    run_parts(tmp_path, experiment, parts, compute, shard=shard(1, 2))
    assert theirs.exists() and not own.exists()
    assert present_parts(tmp_path) == [0, 2]


def test_a_stopped_shard_counts_its_own(tmp_path, sample_run):
    experiment, parts, compute = sample_run

    def stopped(asked):
        yield next(iter(compute(asked)))
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="2 of 6 inputs are done and kept"):
        run_parts(tmp_path, experiment, parts, stopped, shard=shard(1, 2))


def test_the_status_of_a_run_at_work(tmp_path, sample_run):
    experiment, parts, compute = sample_run
    seen = []

    def watched(asked):
        for position, result in compute(asked):
            result.timings["draws"] = 3000
            yield position, result
            seen.append(list(status_of(tmp_path).lines()))

    run_parts(tmp_path, experiment, parts, watched, shard=shard(1, 2))
    first, running, idle = seen[0]
    assert first == f"{tmp_path}: 2 of 10 inputs are done, in 1 of 3 parts."
    assert running.startswith("Running: shard 1/2, process ")
    # two inputs and 3,000 draws in three seconds
    assert running.endswith(", 4 inputs to do, 1,000 draws/s, 6 s left")
    assert idle == "Nobody works on 4 inputs: run the same command again to do them."
    run_parts(tmp_path, experiment, parts, compute)
    assert list(status_of(tmp_path).lines()) == [
        f"{tmp_path}: 10 of 10 inputs are done, in 3 of 3 parts."
    ]


def test_the_status_of_no_run_is_one_sentence(tmp_path, capsys):
    assert aniso_jax("status", tmp_path) == 2
    assert "is no run: it has no run.json" in capsys.readouterr().err


def test_json_lines_tell_the_same(words, whole, tmp_path, capsys):
    assert aniso_jax(*words, tmp_path / "run", "--log-json") == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert events[0] == {"event": "start", "seconds": events[0]["seconds"], "inputs": INPUTS}
    parts = [event for event in events if event["event"] == "part"]
    assert sorted(event["part"] for event in parts) == list(range(5))
    assert all(event["fresh"] for event in parts)
    last = [event for event in events if event["event"] == "progress"][-1]
    assert (last["inputs_done"], last["inputs"]) == (INPUTS, INPUTS)
    assert last["draws"] == INPUTS * 320
    assert np.all(np.diff([event["seconds"] for event in events]) >= 0)
    assert records_of(tmp_path / "run") == whole


def test_warnings_and_errors_are_json_lines_too(words, whole, tmp_path, capsys):
    out = tmp_path / "run"
    out.mkdir()
    for name, content in whole.items():
        (out / name).write_bytes(content)
    part_path(out, 3).write_bytes(b"torn")
    assert aniso_jax(*words, out, "--log-json") == 0
    events = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    (warning,) = [event for event in events if event["event"] == "warning"]
    assert warning["text"].startswith(f"{part_path(out, 3)} is torn (")
    assert records_of(out) == whole
    assert aniso_jax(*words, out, "--log-json", "--seed", 8) == 2
    (error,) = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert error["event"] == "error" and "seed: the run has" in error["text"]
