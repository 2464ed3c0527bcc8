import errno
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

SAMPLES = Path(__file__).parents[1] / "records"
sys.path.insert(0, str(SAMPLES))

from run_samples import sample_compute, sample_experiment, sample_parts, sample_results  # noqa: E402

from aniso_jax.records.directory import NotARun, RunMismatch  # noqa: E402
from aniso_jax.records.load import load_run  # noqa: E402
from aniso_jax.records.lock import RunBusy  # noqa: E402
from aniso_jax.records.parts import ForeignPart, part_path  # noqa: E402
from aniso_jax.records.sidecar import read_timings  # noqa: E402
from aniso_jax.runs.runner import Interrupted, PartResult, run_parts  # noqa: E402
from aniso_jax.storage.atomic import DiskFull  # noqa: E402

# Real processes, forked off one that has the imports behind it. Each part and each flush to the
# disk takes a while, so that a kill at a random moment also falls into the middle of a write.
SLOW_PARTS = 120
SLOW_RUNS = f"""
import os, sys, time
from pathlib import Path
from run_samples import sample_compute, sample_experiment, sample_parts, sample_results
from aniso_jax.runs.runner import run_parts

def slow_fsync(descriptor, fsync=os.fsync):
    time.sleep(0.01)
    fsync(descriptor)

def slow_results(parts):
    for position, indices in enumerate(parts):
        time.sleep(0.005)
        yield position, sample_compute(indices)

experiment = sample_experiment(inputs={2 * SLOW_PARTS}, part_size=2)
sample_compute(sample_parts(experiment)[0])  # what is imported late is imported now
for directory in sys.stdin:
    child = os.fork()
    if not child:
        os.fsync = slow_fsync
        run_parts(Path(directory.strip()), experiment, sample_parts(experiment), slow_results)
        os._exit(0)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


@pytest.fixture(scope="module")
def slow_runs():
    root = Path(__file__).parents[2]
    path = f"{root}{os.pathsep}{SAMPLES}"
    environment = {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", SLOW_RUNS],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
        process.stdin.close()


def start_run(slow_runs: subprocess.Popen, directory: Path) -> int:
    print(directory, file=slow_runs.stdin, flush=True)
    return int(slow_runs.stdout.readline())


def kill_run(slow_runs: subprocess.Popen, process: int) -> None:
    os.kill(process, signal.SIGKILL)
    assert int(slow_runs.stdout.readline()) == -signal.SIGKILL


def run_whole(directory: Path, experiment) -> Path:
    run_parts(directory, experiment, sample_parts(experiment), sample_results)
    return directory


def files_of(directory: Path) -> dict[str, bytes]:
    beside = {".lock", "timings.jsonl"}
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.name not in beside}


def test_killed_runs_end_with_the_bytes_of_an_uninterrupted_one(tmp_path, slow_runs):
    moments = random.Random(11)
    directory = tmp_path / "killed"
    leftovers, parts = 0, [0]
    for kill in range(10):
        process = start_run(slow_runs, directory)
        if kill >= 2:  # the first two may die before anything is there
            wait_for(part_path(directory, parts[-1] + moments.randrange(4)))
        time.sleep(moments.uniform(0.0, 0.03))
        kill_run(slow_runs, process)
        parts.append(len(list(directory.glob("*.parquet"))))
        leftovers += len(list(directory.glob("*.tmp")))
    assert 0 < parts[-1] < SLOW_PARTS, parts
    experiment = sample_experiment(inputs=2 * SLOW_PARTS, part_size=2)
    run_whole(directory, experiment)
    assert files_of(directory) == files_of(run_whole(tmp_path / "whole", experiment))
    assert sorted(read_timings(directory)) == list(range(SLOW_PARTS))
    print(f"parts there after each kill: {parts}; killed in the middle of a write: {leftovers}")


@pytest.mark.parametrize("fails_at", ["replace", "fsync", "open"])
def test_a_kill_between_any_two_steps_is_recovered(tmp_path, monkeypatch, fails_at):
    """As a dead process leaves it: no clean-up runs, so the temporary stays."""
    experiment = sample_experiment()
    directory = run_whole(tmp_path / "run", experiment)
    part_path(directory, 1).rename(directory / f"part-00001.parquet.{'a' * 32}.tmp")
    if fails_at != "replace":
        torn = directory / f"part-00001.parquet.{'a' * 32}.tmp"
        torn.write_bytes(torn.read_bytes()[: 100 if fails_at == "fsync" else 0])
    run_whole(directory, experiment)
    assert files_of(directory) == files_of(run_whole(tmp_path / "whole", experiment))


def test_a_kill_before_run_json_leaves_a_directory_that_can_be_used(tmp_path):
    (tmp_path / ".lock").write_text("process 1 on nowhere\n")
    (tmp_path / f"run.json.{'0' * 32}.tmp").write_text("{")
    assert len(load_run(run_whole(tmp_path, sample_experiment()))) == 10


def test_parts_that_are_there_are_not_computed_again(tmp_path):
    experiment = sample_experiment()
    run_whole(tmp_path, experiment)
    part_path(tmp_path, 1).unlink()
    asked, told = [], []

    def compute(indices):
        asked.append(indices.tolist())
        return sample_compute(indices)

    run_parts(
        tmp_path,
        experiment,
        sample_parts(experiment),
        lambda parts: enumerate(map(compute, parts)),
        on_part=told.append,
    )
    assert asked == [[12, 15, 18, 21]]
    assert [(done.part, done.fresh, done.inputs_done, done.inputs) for done in told] == [
        (0, False, 4, 10),
        (2, False, 6, 10),
        (1, True, 10, 10),
    ]
    assert [len(done.table) for done in told] == [4, 2, 4]


def test_a_torn_part_is_named_and_computed_again(tmp_path):
    experiment = sample_experiment()
    before = files_of(run_whole(tmp_path, experiment))
    path = part_path(tmp_path, 2)
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.warns(UserWarning, match=r"part-00002.parquet is torn"):
        run_whole(tmp_path, experiment)
    assert files_of(tmp_path) == before


def test_a_part_of_another_run_stops_the_run(tmp_path):
    run_whole(tmp_path / "a", sample_experiment())
    run_whole(tmp_path / "b", sample_experiment(seed=8))
    part_path(tmp_path / "b", 1).replace(part_path(tmp_path / "a", 1))
    with pytest.raises(ForeignPart, match=r"a/part-00001.parquet does not belong .*seed"):
        run_whole(tmp_path / "a", sample_experiment())


def test_another_configuration_is_refused_before_anything_is_written(tmp_path):
    run_whole(tmp_path / "run", sample_experiment())
    before = files_of(tmp_path / "run")
    with pytest.raises(RunMismatch, match="seed: the run has 7, you asked for 8"):
        run_whole(tmp_path / "run", sample_experiment(seed=8))
    assert files_of(tmp_path / "run") == before


def test_a_foreign_directory_stays_as_it_is(tmp_path):
    (tmp_path / "photo.png").write_bytes(b"x")
    with pytest.raises(NotARun, match=r"photo\.png"):
        run_whole(tmp_path, sample_experiment())
    assert os.listdir(tmp_path) == ["photo.png"]


def test_ctrl_c_keeps_what_is_done_and_says_how_to_go_on(tmp_path):
    experiment = sample_experiment()

    def compute(indices):
        if indices[0] >= 24:
            raise KeyboardInterrupt
        return sample_compute(indices)

    with pytest.raises(Interrupted) as stopped:
        run_parts(
            tmp_path,
            experiment,
            sample_parts(experiment),
            lambda parts: enumerate(map(compute, parts)),
        )
    assert str(stopped.value) == (
        f"Stopped: 8 of 10 inputs are done and kept in {tmp_path}; run the same command again to "
        "go on."
    )
    assert len(load_run(tmp_path, partial=True)) == 8
    assert len(load_run(run_whole(tmp_path, experiment))) == 10


def test_a_full_disk_is_one_sentence_and_nothing_half_written(tmp_path, monkeypatch):
    experiment = sample_experiment()
    fsync, flushed = os.fsync, []

    def full(descriptor):
        flushed.append(descriptor)
        if len(flushed) == 7:  # run.json and one part are whole; the next has its times
            raise OSError(errno.ENOSPC, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DiskFull) as stopped:
        run_whole(tmp_path / "run", experiment)
    monkeypatch.undo()
    assert str(stopped.value) == (
        f"The disk is full: 2 of 10 inputs are done and kept in {tmp_path / 'run'}; run the same "
        "command again after freeing some space."
    )
    assert sorted(files_of(tmp_path / "run")) == ["part-00002.parquet", "run.json"]
    run_whole(tmp_path / "run", experiment)
    assert files_of(tmp_path / "run") == files_of(run_whole(tmp_path / "whole", experiment))


def test_a_really_full_disk(small_disk, tmp_path):
    experiment = sample_experiment(inputs=40)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(180_000))
    with pytest.raises(DiskFull, match=r"\d+ of 40 inputs are done and kept in .*again after"):
        run_whole(small_disk / "run", experiment)
    ballast.unlink()
    assert not list(small_disk.glob("run/*.tmp"))
    kept = len(load_run(small_disk / "run", partial=True))
    assert 0 < kept < 40
    run_whole(small_disk / "run", experiment)
    assert files_of(small_disk / "run") == files_of(run_whole(tmp_path / "whole", experiment))


def test_two_writers_do_not_share_a_directory(tmp_path, slow_runs):
    directory = tmp_path / "run"
    experiment = sample_experiment(inputs=2 * SLOW_PARTS, part_size=2)
    first = start_run(slow_runs, directory)
    wait_for(part_path(directory, 0))
    with pytest.raises(RunBusy, match=rf"being written by process {first} on .*wait until"):
        run_whole(directory, experiment)
    kill_run(slow_runs, first)
    # the lock of the dead process is gone with it
    assert len(load_run(run_whole(directory, experiment))) == 2 * SLOW_PARTS


def wait_for(path: Path) -> None:
    for _ in range(5000):
        if path.exists():
            return
        time.sleep(0.002)
    pytest.fail(f"{path.name} did not appear")


def test_computing_for_other_inputs_is_refused(tmp_path):
    experiment = sample_experiment()
    with pytest.raises(ValueError, match="part 0 was computed for other inputs"):
        run_parts(
            tmp_path,
            experiment,
            sample_parts(experiment),
            lambda parts: ((0, PartResult(sample_compute(i + 1).table, {})) for i in parts),
        )
    with pytest.raises(ValueError, match="cut its selection with split_parts"):
        run_parts(tmp_path, experiment, [np.arange(4)], sample_results)
