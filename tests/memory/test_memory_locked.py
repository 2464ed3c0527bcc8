"""What is done while the file is locked: nothing is compiled, and nothing old is read."""

import contextlib
from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory import rows as memory_rows
from aniso_jax.memory import store
from aniso_jax.memory.check import check

COMPILED = "/jax/core/compile/backend_compile_duration"
SHAPE = (3,)


class Watched:
    """Transactions, and what is compiled and how many rows are read in them."""

    def __init__(self, monkeypatch) -> None:
        self.is_locked, self.transactions, self.compiled, self.read = False, 0, [], 0
        real_transaction, real_row = store.transaction, memory_rows._row

        @contextlib.contextmanager
        def transaction(*about):
            with real_transaction(*about):
                self.is_locked, self.transactions = True, self.transactions + 1
                yield
                self.is_locked = False

        def row(*about, **more):
            self.read += self.is_locked
            return real_row(*about, **more)

        monkeypatch.setattr(store, "transaction", transaction)
        monkeypatch.setattr(memory_rows, "_row", row)
        jax.monitoring.register_event_duration_secs_listener(self.hear)

    def hear(self, event: str, _: float, **more) -> None:
        if event == COMPILED:
            self.compiled.append(self.is_locked)


@pytest.fixture
def watched(monkeypatch):
    watched = Watched(monkeypatch)
    yield watched
    jax.monitoring.clear_event_listeners()


def at(x: float, gap: float = 1.0) -> aj.Region:
    return ball((x, 0, 0), gap, theta=(1, 1, 1))


@pytest.mark.parametrize("ram", (2**30, 0))
def test_nothing_is_compiled_and_only_the_news_is_read_while_the_file_is_locked(
    tmp_path, monkeypatch, watched, ram
):
    monkeypatch.setattr(memory_rows, "_ENTRIES", 15)  # five regions a block
    bound = {**BOUND, "shape": SHAPE}
    with aj.memory_open(tmp_path / "m", **bound) as memory:
        for number in range(12):
            memory.ask(at(10.0 * number), number % 2, draws="d")
    jax.clear_caches()
    watched.compiled, watched.read = [], 0
    isotropic = replace(at(3.0), scale=aj.Isotropic(sigma=jnp.float32(1)))
    weak = replace(at(500.0), gap=jnp.asarray(1.0))
    with (
        aj.memory_open(tmp_path / "m", **bound, ram=ram) as memory,
        aj.memory_open(tmp_path / "m", **bound) as other,
    ):
        for asked, label, verdict in (
            (at(300.0), 1, "keep"),
            (isotropic, 0, "keep"),
            (at(21.5), 1, "shrink"),
            (at(0.5), 1, "adopt"),
            (weak, 1, "keep"),
            (at(700.0, gap=0), -1, "abstain"),
            (at(0.25, gap=0), -1, "adopt"),
        ):
            assert memory.ask(asked, label, draws="d", run="r")[1].verdict == verdict
            memory.ask(asked, label, draws="d", run="r")  # the same question, once more
            other.ask(replace(at(1000.0), center=asked.center + 2000), 0, draws="e")
    assert watched.transactions == 12 + 3 * 7
    assert True not in watched.compiled
    assert len(watched.compiled) > 5
    assert watched.read == 6  # under answers that were given again, one of seven an abstention


@pytest.mark.parametrize("ram", (2**30, 0))
@pytest.mark.parametrize(
    ("meanwhile", "label", "verdict"),
    (
        (at(1.5), 0, "shrink"),
        (at(0.5), 0, "adopt"),
        (at(50.0), 0, "keep"),
        (at(1.5), 1, "keep"),
    ),
)
def test_what_another_stored_after_the_look_and_before_the_lock_counts(
    tmp_path, monkeypatch, ram, meanwhile, label, verdict
):
    monkeypatch.setattr(memory_rows, "_ENTRIES", 15)
    bound = {**BOUND, "shape": SHAPE}
    locked = store.transaction
    with aj.memory_open(tmp_path / "m", **bound, ram=ram) as memory:
        for number in range(7):
            memory.ask(at(100.0 + 10 * number), 1, draws="d")

        def late(*about):
            monkeypatch.setattr(store, "transaction", locked)
            with aj.memory_open(tmp_path / "m", **bound) as other:
                other.ask(meanwhile, label, draws="d")
            return locked(*about)

        monkeypatch.setattr(store, "transaction", late)
        answer, logged = memory.ask(at(0.0), 1, draws="d")
        assert logged.verdict == verdict
        assert int(answer.index) == (8 if verdict == "adopt" else 9)
        assert check(memory) == []
