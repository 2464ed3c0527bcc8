"""Runs that are stopped, in processes of their own, and what is then there."""

import json
import random
import signal
import subprocess
import time

import pytest
from cli_samples import aniso_jax, records_of, short_run, start, tree
from quick import ENVIRONMENT

from aniso_jax.records.parts import part_path

INPUTS, PARTS = 96, 6
# After the part named, nothing more happens until a signal comes, on a busy machine too.
HOLDS = """
import time
from aniso_jax.runs import runner
write_part = runner.write_part
def hold(directory, part, *rest):
    write_part(directory, part, *rest)
    for _ in range(6000 * (part == {part})):
        time.sleep(0.1)  # in short sleeps: a signal that another thread took is seen between two
runner.write_part = hold
"""
MANY = 60  # parts, each of which takes a while to write, so that kills fall into the middle
SLOWLY = """
import os, time
fsync = os.fsync
def slowly(descriptor):
    time.sleep(0.02)
    fsync(descriptor)
os.fsync = slowly
"""


@pytest.fixture(scope="module")
def words(network, tmp_path_factory):
    return short_run(tmp_path_factory.mktemp("stopped"), network, INPUTS)


@pytest.fixture(scope="module")
def whole(words, tmp_path_factory):
    """What an uninterrupted run holds, computed in this process."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert aniso_jax(*words, out) == 0
    return records_of(out)


def started(words, out, part: int, *options: object) -> subprocess.Popen:
    """A run in another process that has just written a part."""
    process = start(*words, out, *options, code=HOLDS.format(part=part), **ENVIRONMENT)
    for _ in range(6000):
        if part_path(out, part).exists():
            return process
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.01)
    process.kill()
    pytest.fail(f"part {part} did not appear")


def test_a_stopped_and_a_killed_run_end_with_the_same_bytes(words, whole, tmp_path, capsys):
    out = tmp_path / "run"
    first = started(words, out, 0)
    capsys.readouterr()
    assert aniso_jax(*words, out) == 2  # a second writer
    said = capsys.readouterr().err
    assert f"is being written by process {first.pid} on " in said
    assert "wait until it ends, or choose another --out." in said
    first.send_signal(signal.SIGINT)
    _, errors = first.communicate(timeout=60)
    assert first.returncode == 130
    assert "Traceback" not in errors
    kept = len(list(out.glob("*.parquet")))
    assert 1 <= kept < PARTS
    assert errors.splitlines()[-1] == (
        f"aniso-jax: Stopped: {16 * kept} of {INPUTS} inputs are done and kept in {out}; run the "
        "same command again to go on."
    )
    second = started(words, out, kept)
    second.kill()
    second.communicate(timeout=60)
    assert kept < len(list(out.glob("*.parquet"))) < PARTS
    before = tree(out)
    assert aniso_jax(*words, out) == 0
    assert records_of(out) == whole
    names = [name for name in before if name.endswith(".parquet")]
    assert all(tree(out)[name] == before[name] for name in names)


@pytest.mark.slow
def test_ten_kills_at_random_moments_change_no_byte(network, tmp_path, tmp_path_factory):
    """The command itself, while it starts, compiles, draws and writes."""
    words = short_run(tmp_path_factory.mktemp("long"), network, 16 * MANY)
    assert aniso_jax(*words, tmp_path / "whole") == 0
    out, moments, kept = tmp_path / "run", random.Random(3), [0]
    for kill in range(10):
        process = start(*words, out, code=SLOWLY, **ENVIRONMENT)
        if kill >= 2:  # the first two may die before anything is there
            awaited = len(list(out.glob("*.parquet"))) + moments.randrange(1, 4)
            while len(list(out.glob("*.parquet"))) < awaited:
                assert process.poll() is None, process.communicate()[1]
                time.sleep(0.001)
        time.sleep(moments.uniform(0.0, 0.1 if kill >= 2 else 3.0))
        process.kill()
        process.communicate()
        kept.append(len(list(out.glob("*.parquet"))))
    assert 0 < kept[-1] < MANY, kept
    assert aniso_jax(*words, out) == 0
    assert records_of(out) == records_of(tmp_path / "whole")
    print(f"parts there after each kill: {kept}")


def test_sigterm_stops_as_ctrl_c_does_and_every_line_is_json(words, tmp_path):
    out = tmp_path / "run"
    process = started(words, out, 1, "--log-json")
    process.terminate()
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    *_, last = [json.loads(line) for line in errors.splitlines()]
    assert last == {
        "event": "stopped",
        "text": f"Stopped: 32 of {INPUTS} inputs are done and kept in {out}; run the same command "
        "again to go on.",
    }


def test_ctrl_c_before_anything_is_there(words, tmp_path, monkeypatch, capsys):
    def stop(config):
        raise KeyboardInterrupt

    monkeypatch.setattr("aniso_jax.runs.setup.read_inputs", stop)
    assert aniso_jax(*words, tmp_path / "run") == 130
    assert capsys.readouterr().err.splitlines()[-1] == (
        "aniso-jax: Stopped; nothing half-written is left. The same command starts again."
    )
    assert tree(tmp_path) == {}


@pytest.mark.parametrize("name", ["pandas", "tyro"])
def test_a_missing_extra_is_named(name):
    process = start("demo", code=f"import sys; sys.modules[{name!r}] = None")
    output, errors = process.communicate(timeout=60)
    assert process.returncode not in (0, None)
    assert output == ""
    assert errors == (
        f"aniso-jax: {name} is not installed; the command line needs its extra: "
        "pip install 'aniso-jax[cli]'\n"
    )
