"""Runs by actors, as far as it goes without a cluster: what is refused, and who computes what."""

import math
import re
import signal
import sys
from itertools import count
from types import SimpleNamespace

import numpy as np
import pytest
from cli_samples import aniso_jax, tree, write_network

from aniso_jax.models import checkpoint
from aniso_jax.runs.config import Certify
from aniso_jax.runs.engine import Finished
from aniso_jax.runs.on_ray import cluster
from aniso_jax.runs.on_ray.actor import Answer
from aniso_jax.runs.on_ray.alike import check_alike
from aniso_jax.runs.on_ray.cluster import cores_each, places_of
from aniso_jax.runs.on_ray.computing import _check_sent, _Teller
from aniso_jax.runs.on_ray.queue import answered
from aniso_jax.runs.on_ray.settings import settings_here
from aniso_jax.runs.pace import Estimate
from aniso_jax.runs.runner import run_parts
from aniso_jax.runs.setup import read_of
from aniso_jax.runs.status import status_of
from aniso_jax.runs.watch import Watch


def test_ray_that_is_not_installed_is_one_sentence(asked, plan, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    words = ("certify", *asked(), *plan, "--out", tmp_path / "run", "--engine", "ray")
    assert aniso_jax(*words) == 2
    assert capsys.readouterr().err == (
        "aniso-jax: --engine ray needs ray, which is not installed: pip install 'aniso-jax[ray]'\n"
    )
    assert tree(tmp_path) == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        *(
            ({"engine": name}, f"on the cluster's head, got {name}.")
            for name in ("spark", "ray:", "ray:head", "local:1", "ray:ray://head:10001")
        ),
        ({"actors": 2}, "--actors goes with --engine ray: leave it out, or give both."),
        ({"engine": "ray", "actors": 0}, "--actors must be at least 1, got 0."),
        ({"engine": "ray", "devices": "4x2"}, "--devices 4x2 goes without --engine ray"),
    ],
)
def test_engines_that_cannot_be_are_one_sentence(tmp_path, options, said):
    with pytest.raises(ValueError) as refused:
        Certify(data="digits", model="demo", out=tmp_path / "run", **options)
    assert said in str(refused.value)


def test_the_command_line_says_so_too(asked, tmp_path, capsys):
    assert aniso_jax("certify", *asked(), "--out", tmp_path / "run", "--engine", "spark") == 2
    said = re.sub(r"[\s│]+", " ", capsys.readouterr().err)
    assert "--engine must be local, ray, or ray:HOST:PORT with" in said
    assert tree(tmp_path) == {}


def test_a_network_that_cannot_be_sent_is_one_sentence(asked, tmp_path, monkeypatch):
    pytest.importorskip("ray", reason="ray is not installed, which sends networks to actors")
    network = write_network(tmp_path / "n.safetensors")
    stuck = SimpleNamespace(model=SimpleNamespace(apply_fn=(x for x in ()), arch="mlp"))
    with pytest.raises(ValueError, match=r"The network mlp cannot be sent to actors \(.*generator"):
        _check_sent(stuck)
    _check_sent(SimpleNamespace(model=checkpoint.load(network)))


def test_other_devices_and_versions_are_refused():
    here = {"device": "NVIDIA H100", "flax": "0.12"}
    check_alike(here, dict(here), host="node")
    with pytest.raises(ValueError) as refused:
        check_alike(here, {"device": "cpu", "flax": "0.12", "XLA_FLAGS": "--x"}, host="node-7")
    assert str(refused.value) == (
        "An actor on node-7 could compute other bits (device: it has cpu, this process has NVIDIA "
        "H100; XLA_FLAGS: it has --x, this process has none): let all machines of the cluster be "
        "of one kind, with the same versions."
    )


def test_actors_are_told_every_setting_that_bits_may_depend_on(monkeypatch):
    monkeypatch.setenv("XLA_FLAGS", "--xla_cpu_enable_fast_math=false")
    monkeypatch.setenv("NVIDIA_TF32_OVERRIDE", "0")
    monkeypatch.setenv("NPROC", "3")
    settings = settings_here()
    assert settings.environment["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"
    assert settings.environment["NVIDIA_TF32_OVERRIDE"] == "0"
    assert settings.environment["NPROC"] == "3"  # threads, as many as here
    assert {"jax_enable_x64", "jax_default_matmul_precision"} <= set(settings.options)
    settings.apply()  # here everything is as it should be


def nodes(*resources: dict) -> SimpleNamespace:
    return SimpleNamespace(nodes=lambda: [{"Alive": True, "Resources": r} for r in resources])


def test_as_many_actors_as_there_is_room_for(monkeypatch):
    monkeypatch.setenv("NPROC", "4")
    two = nodes({"CPU": 8.0, "GPU": 2.0}, {"CPU": 6.0, "GPU": 1.0}, {"memory": 1.0})
    assert places_of(two, None, platform="gpu").count == 3
    on_cores = places_of(two, None, platform="cpu")
    assert (on_cores.count, on_cores.share) == (3, {"num_cpus": 4})
    assert places_of(two, 7, platform="cpu").share == {"num_cpus": 2}
    assert places_of(nodes({"CPU": 2.0}), None, platform="cpu").share == {"num_cpus": 2}
    with pytest.raises(ValueError, match="wants 4 GPUs, one an actor, and the cluster has 3: give"):
        places_of(two, 4, platform="gpu")
    with pytest.raises(ValueError, match="wants 1 GPUs, one an actor, and the cluster has 0"):
        places_of(nodes({"CPU": 2.0}), None, platform="gpu")
    with pytest.raises(ValueError, match="serves GPUs and CPUs, not tpu"):
        places_of(two, None, platform="tpu")
    for each in range(1, 15):
        cores = cores_each([8, 6], each)
        assert 8 // cores + 6 // cores >= each


def test_sigterm_while_ray_starts_stops_as_ctrl_c_does(monkeypatch):
    """Ray has a handler of its own by then, which ends the process and says nothing."""
    shut = []

    def init(*_, **__):
        raise SystemExit(signal.SIGTERM)

    fake = SimpleNamespace(init=init, shutdown=lambda: shut.append(True))
    monkeypatch.setattr(cluster, "ray_module", lambda: fake)
    with pytest.raises(KeyboardInterrupt), cluster.connected(""):
        pass
    assert shut == [True]


class Clockwork:
    """A cluster whose calls take as long as they say, one at a time on each actor.

    Attributes:
      now: the time; most: the most calls that an actor held; done: who computed what, in order.
    """

    exceptions = SimpleNamespace(RayError=LookupError)

    def __init__(self, speeds: list[float | None]) -> None:
        self.now, self.most, self.done = 0.0, 0, []
        self.actors = [self._actor(at, speed) for at, speed in enumerate(speeds)]
        self._free = [0.0] * len(speeds)
        self._held = [0] * len(speeds)
        self._events, self._numbers = [], count()

    def _actor(self, at: int, speed: float | None) -> SimpleNamespace:
        def ready(shared):
            return None if speed is None else self._reply(at, 1.0, None)

        def compute(shared, call):
            self._held[at] += 1
            self.most = max(self.most, self._held[at])
            return self._reply(at, call * speed, call)

        remote = {name: SimpleNamespace(remote=f) for name, f in (("r", ready), ("c", compute))}
        return SimpleNamespace(ready=remote["r"], compute=remote["c"])

    def _reply(self, at: int, seconds: float, call):
        self._free[at] = max(self._free[at], self.now) + seconds
        reply = next(self._numbers)
        self._events.append((self._free[at], reply, at, call))
        return reply

    def wait(self, replies, *, num_returns, timeout=None):
        there = [event for event in self._events if event[1] in replies]
        if there and min(there)[0] <= self.now + timeout:
            return [min(there)[1]], []
        self.now += timeout
        return [], replies

    def get(self, reply):
        (event,) = (event for event in self._events if event[1] == reply)
        self._events.remove(event)
        self.now, _, at, call = event
        if call is not None:
            self._held[at] -= 1
            self.done.append((at, call))
        return call


def test_actors_take_the_next_call_when_they_are_free():
    calls = [9.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]  # one of them is long
    cluster = Clockwork([1.0, 1.0])
    got = dict(answered(cluster, cluster.actors, None, calls))
    assert got == dict(enumerate(calls))
    assert cluster.most == 2  # the one that it works on, and the next
    assert cluster.now <= 1 + sum(calls) / 2 + 1  # the other one did the rest meanwhile


def test_a_slow_actor_gets_less_and_one_that_never_starts_nothing():
    cluster = Clockwork([1.0, 5.0, None])
    got = dict(answered(cluster, cluster.actors, None, [1.0] * 30))
    assert len(got) == 30 and len(cluster.done) == 30
    by = [sum(at == who for at, _ in cluster.done) for who in range(3)]
    assert by[2] == 0 and by[0] > 3 * by[1] > 0


def test_what_an_actor_never_answers_another_one_computes():
    """Its machine is gone, and the cluster has no room to start it again."""
    cluster = Clockwork([1.0, math.inf])
    got = dict(answered(cluster, cluster.actors, None, [1.0] * 9))
    assert got == dict.fromkeys(range(9), 1.0)
    assert {at for at, _ in cluster.done} == {0}
    assert cluster.now < math.inf


def test_an_answer_that_comes_twice_counts_once():
    cluster = Clockwork([1.0, 1.0, 1000.0])
    numbers = [number for number, _ in answered(cluster, cluster.actors, None, [1.0] * 12)]
    assert sorted(numbers) == list(range(12))
    assert cluster.now > 600  # the third was waited for, then asked no more


def test_nothing_is_computed_twice_where_all_answer():
    cluster = Clockwork([1.0, 1.0, 3.0])
    got = dict(answered(cluster, cluster.actors, None, [1.0] * 12))
    assert len(got) == len(cluster.done) == 12


class Refused(LookupError):
    cause = ValueError("An actor on node would compute another run.")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (Refused("ray::Actor.ready()"), "^An actor on node would compute another run"),
        (
            LookupError("It died.\nIts memory ran out."),
            r"at most \(Its memory ran out\)",
        ),
        (
            LookupError("Actor failed to import on the worker:\nNo module named 'aniso_jax'"),
            r"cannot load this package \(No module named 'aniso_jax'\): install the same aniso-jax",
        ),
    ],
)
def test_an_actor_that_fails_is_one_sentence(error, said):
    class Fails(Clockwork):
        def get(self, reply):
            raise error

    cluster = Fails([1.0])
    with pytest.raises((ValueError, RuntimeError), match=said) as refused:
        list(answered(cluster, cluster.actors, None, [1.0]))
    assert "\n" not in str(refused.value)


def test_what_actors_say_is_told_as_if_it_were_one_process():
    class Seen(Watch):
        def __init__(self):
            self.estimates, self.inputs_done, self.lines = [], [], []

        def estimate(self, estimate):
            self.estimates.append(estimate)

        def input(self, done):
            self.inputs_done.append(done)

        def less(self, draws):
            self.lines.append(draws)

    seen = Seen()
    tell = _Teller(seen, inputs=160, actors=2)
    estimate = Estimate(inputs=16, seconds=20.0, draws_per_second=100.0, at_most=False)
    done = Finished(draws=5, abstained=False, correct=True)
    for _ in range(2):
        tell.all_of(Answer([], [("estimate", estimate), ("less", 64), ("input", done)]))
    assert seen.estimates == [
        Estimate(inputs=160, seconds=100.0, draws_per_second=200.0, at_most=False)
    ]
    assert seen.lines == [64, 64] and seen.inputs_done == [done, done]


def test_the_status_of_a_run_by_two_actors(tmp_path, sample_run):
    experiment, parts, compute = sample_run
    seen = []

    def by_two(asked):
        for position, result in compute(asked):
            result.timings.update(draws=3000, actor=position % 2 + 1, actors=2)
            yield position, result
            seen.append(list(status_of(tmp_path).lines()))

    run_parts(tmp_path, experiment, parts, by_two)
    # two inputs and 3,000 draws in three seconds by each of two
    assert seen[0][1].endswith(", 8 inputs to do, 2,000 draws/s, 6 s left"), seen[0]


def test_what_was_read_belongs_to_no_device(network, data, tmp_path):
    config = Certify(data=f"npz:{data}", model=str(network), scale="anisotropic", out=tmp_path)
    assert read_of(config).source.mesh is None
    assert np.array_equal(read_of(config).inputs.indices, np.arange(20))
