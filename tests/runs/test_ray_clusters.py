"""Runs by actors on real clusters of this machine: whatever happens, the bytes of one process."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from unittest import mock

import pytest
from cli_samples import ROOT, aniso_jax, records_of, short_run, start, tree
from quick import ENVIRONMENT

from aniso_jax.records.load import load_frame
from aniso_jax.records.parts import part_path, present_parts
from aniso_jax.records.sidecar import read_lines, timings_path
from aniso_jax.runs.certify import certify_run
from aniso_jax.runs.config import Certify
from aniso_jax.runs.runner import Interrupted
from aniso_jax.runs.status import status_of
from aniso_jax.runs.watch import Watch

ray = pytest.importorskip("ray", reason="ray is not installed: pip install 'aniso-jax[ray]'")

INPUTS, PARTS = 100, 7  # the last part is ragged
ACTORS = ("--engine", "ray", "--actors", 2)
OPEN = {"RAY_AUTH_MODE": "disabled"}  # a cluster that asks for no token


@pytest.fixture(scope="module", autouse=True)
def as_quickly():
    """The processes that Ray starts inherit it."""
    with mock.patch.dict(os.environ, ENVIRONMENT):
        yield


@pytest.fixture(scope="module")
def words(network, tmp_path_factory):
    return short_run(tmp_path_factory.mktemp("actors"), network, INPUTS)


@pytest.fixture(scope="module")
def whole(words, tmp_path_factory):
    """The directory of an uninterrupted run by one process."""
    out = tmp_path_factory.mktemp("whole") / "run"
    assert aniso_jax(*words, out) == 0
    return out


def asked(words, out: Path, **options) -> Certify:
    """The configuration of these words, for runs that are watched."""
    data, model = words[2], words[4]
    common = {"n0": 20, "n": 300, "alpha": 0.01, "engine": "ray", "actors": 2}
    return Certify(data=data, model=str(model), out=out, **{**common, **options})


def begun(whole: Path, out: Path, parts: range) -> None:
    """What a process that was stopped leaves: some parts of the run."""
    out.mkdir()
    for name in ("run.json", *(part_path(out, part).name for part in parts)):
        shutil.copy(whole / name, out / name)


def processes_of(out: Path) -> list[int]:
    """The actors' processes, as the side file names them, the first one first."""
    return list(dict.fromkeys(line["process"] for line in read_lines(timings_path(out))))


def is_alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def leave(processes: list[int]) -> bool:
    """Whether all end; Ray, which stops them, does not wait for a busy machine."""
    patience = time.monotonic() + 120
    while any(map(is_alive, processes)) and time.monotonic() < patience:
        time.sleep(0.1)
    return not any(map(is_alive, processes))


class Seen(Watch):
    """Looks at the run whenever a part is there."""

    def __init__(self, out: Path) -> None:
        self.out, self.inputs_done, self.status = out, 0, []

    def input(self, done) -> None:
        self.inputs_done += 1

    def part(self, done) -> None:
        if done.fresh:
            self.status.append(list(status_of(self.out).lines()))


def certified(config: Certify, watch: Watch) -> None:
    """Where Ray gives up to start its own processes, nothing of ours can be tried."""
    try:
        certify_run(config, watch=watch)
    except RuntimeError as error:
        if "Ray does not start here" in str(error):
            pytest.skip(f"Ray does not start on this machine: {error}")
        raise


def test_two_actors_end_what_one_process_began(words, whole, tmp_path, capfd):
    out = tmp_path / "run"
    begun(whole, out, range(0, PARTS, 2))
    seen = Seen(out)
    certified(asked(words, out), seen)
    assert records_of(out) == records_of(whole)
    assert seen.inputs_done == INPUTS - (3 * 16 + 4)
    assert seen.status[0][1].startswith(f"Running: process {os.getpid()} on ")
    lines = read_lines(timings_path(out))
    assert {line["actors"] for line in lines} == {2}
    assert {line["host"] for line in lines} == {socket.gethostname()}
    assert all(line["draws"] == line["inputs"] * 320 for line in lines)
    assert capfd.readouterr() == ("", "")  # Ray says nothing of its own
    assert not ray.is_initialized()
    assert leave(processes_of(out))


class KillsAnActor(Watch):
    """As soon as one has finished a part, and has the next to compute."""

    def __init__(self, out: Path) -> None:
        self.out, self.killed = out, 0

    def part(self, done) -> None:
        if not self.killed:
            (self.killed,) = processes_of(self.out)
            os.kill(self.killed, signal.SIGKILL)


@pytest.mark.slow
def test_an_actor_that_is_killed_changes_no_byte(words, whole, tmp_path):
    out = tmp_path / "run"
    watch = KillsAnActor(out)
    certified(asked(words, out), watch)
    assert watch.killed
    assert records_of(out) == records_of(whole)
    assert set(processes_of(out)) - {watch.killed}  # somebody else went on


class Stops(Watch):
    """Ctrl-C after so many parts."""

    def __init__(self, parts: int) -> None:
        self.left = parts

    def part(self, done) -> None:
        self.left -= 1
        if not self.left:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_one_process_ends_what_actors_began(words, whole, tmp_path):
    out = tmp_path / "run"
    with pytest.raises(Interrupted, match=r"Stopped: \d+ of 100 inputs are done and kept"):
        certify_run(asked(words, out), watch=Stops(3))
    assert len(present_parts(out)) == 3
    assert not ray.is_initialized()
    assert aniso_jax(*words, out) == 0
    assert records_of(out) == records_of(whole)


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_a_run_and_its_cluster(words, tmp_path, stop):
    out = tmp_path / "run"
    # draws enough that there is something to stop
    process = start(*words, out, *ACTORS, "--n", 50_000, code="import os; os.setsid()")
    while not present_parts_of(out):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.1)
    if stop == signal.SIGINT:
        os.killpg(process.pid, stop)  # as a terminal does
    else:
        process.send_signal(stop)
    _, errors = process.communicate()
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert "SIGTERM received" not in errors
    assert errors.splitlines()[-1].startswith("aniso-jax: Stopped: ")
    assert leave(processes_of(out))


def present_parts_of(out: Path) -> list[int]:
    return present_parts(out) if out.is_dir() else []


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [("--scale", "anisotropic"), ("--looks", 100, 200, 300, "--target", 0.2)],
    ids=["search", "looks"],
)
def test_searches_and_early_stops_are_the_same(words, tmp_path, options):
    fewer = (*options, "--limit", 40)
    assert aniso_jax(*words, tmp_path / "here", *fewer) == 0
    assert aniso_jax(*words, tmp_path / "there", *fewer, *ACTORS) == 0
    assert records_of(tmp_path / "there") == records_of(tmp_path / "here")


@pytest.mark.slow
def test_a_memory_is_asked_in_the_order_of_the_run(words, tmp_path):
    for name, options in (("here", ()), ("there", ACTORS)):
        memory = ("--memory", tmp_path / f"{name}.sqlite", "--scale", "isotropic")
        assert aniso_jax(*words, tmp_path / name, *memory, "--limit", 40, *options) == 0
    here, there = (load_frame(tmp_path / name) for name in ("here", "there"))
    assert here.equals(there)


def apart(*words: object) -> tuple[int, str]:
    """Exit status and errors of a command in a process of its own: Ray keeps its mode in one."""
    process = start(*words, **OPEN)
    _, errors = process.communicate()
    return process.returncode, errors


@pytest.fixture
def head():
    """The address of a cluster that somebody started, with the packages of this process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = f"start --head --block --port {port} --num-cpus 2 --include-dashboard false"
    process = subprocess.Popen(
        [sys.executable, "-m", "ray.scripts.scripts", *words.split(), "--disable-usage-stats"],
        env={**os.environ, **OPEN, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    for line in process.stdout:
        if "--block" in line:  # the last thing it says
            break
    yield f"127.0.0.1:{port}"
    process.terminate()
    process.communicate()


@pytest.mark.slow
def test_a_cluster_that_is_there_is_used_and_left(head, words, whole, tmp_path):
    at = ("--engine", f"ray:{head}")
    status, errors = apart(*words, tmp_path / "no", *at, "--actors", 3)
    assert status == 2
    assert "wants 3 CPUs, one an actor, and the cluster has 2" in errors
    assert not (tmp_path / "no").exists()
    for name in ("a", "b"):  # it is there the second time too
        status, errors = apart(*words, tmp_path / name, *at, "--actors", 2)
        assert status == 0, errors
        assert records_of(tmp_path / name) == records_of(whole)


@pytest.mark.slow
def test_where_no_cluster_answers_is_one_sentence(words, tmp_path, capsys):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        for port in (1, silent.getsockname()[1]):
            assert aniso_jax(*words, tmp_path / "run", "--engine", f"ray:127.0.0.1:{port}") == 2
            said = capsys.readouterr().err
            assert f"--engine ray:127.0.0.1:{port}: no Ray cluster answers there (" in said
            assert len(said.splitlines()) == 1, said
    assert tree(tmp_path) == {}
