"""Runs with a memory: what their records claim, how they go on, and what looks into the memory."""

import json
import re
import sqlite3
from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest
from cli_samples import SHAPE, aniso_jax, records_of

import aniso_jax as aj
from aniso_jax.memory.binding import Binding
from aniso_jax.memory.check import Overview
from aniso_jax.memory.log import Logged, write_answer
from aniso_jax.memory.rows import Row, write_row
from aniso_jax.records.load import load_frame
from aniso_jax.records.parts import part_path
from aniso_jax.report.memory import memory_statement
from aniso_jax.runs.memory import _shown
from aniso_jax.runs.remember import _in_order
from aniso_jax.runs.runner import PartResult

ALPHA = 0.01  # of the fixture `plan`


@pytest.fixture(scope="module")
def bound(network):
    return {
        "weights": aj.load_model(network).fingerprint,
        "law": aj.gaussian,
        "shape": SHAPE,
        "alpha": ALPHA,
    }


@pytest.fixture(scope="module")
def before(certified):
    return load_frame(certified("gaussian", "fixed"))


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, data, before, bound):
    """A memory with regions that crowd the first certified input and hold the second one."""
    path = tmp_path_factory.mktemp("memory") / "m.sqlite"
    first, second = before.index[before["prediction"] >= 0][:2]
    x = np.load(data)["x"]
    beside = x[before["index"][first]].copy()
    beside.flat[0] += 0.2
    other = (int(before["prediction"][first]) + 1) % 3, (int(before["prediction"][second]) + 1) % 3
    with aj.memory_open(path, **bound) as memory:
        memory.ask(ball(beside, 0.1), other[0], draws="by hand")
        memory.ask(ball(x[before["index"][second]] + np.float32(1e-3), 0.1), other[1], draws="me")
    return path, first, second, other[1]


@pytest.fixture(scope="module")
def folded(tmp_path_factory, prepared, asked, plan):
    out = tmp_path_factory.mktemp("folded") / "run"
    words = ("certify", *asked(), *plan, "--out", out, "--memory", prepared[0])
    assert aniso_jax(*words) == 0
    return words, out


def ball(center, gap) -> aj.Region:
    scale = aj.Isotropic(sigma=jnp.float32(1))
    return aj.Region(center=jnp.asarray(center), scale=scale, gap=jnp.float32(gap), order=2)


def test_records_hold_what_is_claimed_after_the_memory_was_asked(folded, prepared, before, bound):
    path, first, second, adopted = prepared
    frame = load_frame(folded[1])
    same = ("index", "votes", "hits", "p_lower", "status", "sigma")
    for name in same:
        assert frame[name].map(str).tolist() == before[name].map(str).tolist()
    assert frame["own_prediction"].tolist() == before["prediction"].tolist()
    assert frame["own_gap"].tolist() == before["gap"].tolist()
    shrunk, held = frame.loc[first], frame.loc[second]
    assert shrunk["memory"] == "shrunk"
    assert 0 < shrunk["gap"] < shrunk["own_gap"]
    assert shrunk["radius"] == pytest.approx(shrunk["gap"] * 0.25)
    assert 0.09 < shrunk["radius"] < 0.1  # what is left beside the region in the memory
    assert shrunk["memory_cost"] == pytest.approx(
        16 * np.log(shrunk["own_gap"] / shrunk["gap"]), rel=1e-5
    )
    assert (held["memory"], held["prediction"], held["memory_region"]) == ("adopted", adopted, 2)
    assert held["own_prediction"] != adopted
    assert not held["correct"] or held["label"] == adopted
    assert held["radius"] == pytest.approx(0.1 - 4e-3, rel=1e-3)
    assert np.all(held["claimed_theta"] == 1)
    assert np.isnan(held["memory_cost"])  # nothing is claimed for its own class
    kept = frame[frame["memory"] == "kept"]
    assert len(kept) > 5
    for name in ("prediction", "gap", "radius", "proxy_radius", "log_volume", "correct"):
        assert kept[name].tolist() == before.loc[kept.index][name].tolist()
    with aj.memory_open(path, **bound) as memory:
        assert memory.count() == 2 + len(kept) + (frame["memory"] == "shrunk").sum()


def test_the_claim_and_the_report_speak_of_the_memory(folded):
    claim = json.loads((folded[1] / "run.json").read_text())["claim"]
    asked = r"For each input that m\.sqlite \([0-9a-f]{12}\) was asked about, by itself, with"
    assert re.match(asked, claim)
    frame = load_frame(folded[1])
    said = memory_statement([frame])
    assert said.startswith("Memory m.sqlite (")
    assert " kept, " in said
    assert "; 1 answers are another class than the input's own; 2 certificates lost volume" in said


def test_a_run_that_lost_a_part_ends_with_the_same_bytes(folded):
    words, out = folded
    whole = records_of(out)
    for part in (0, 1):
        part_path(out, part).unlink()
        assert aniso_jax(*words) == 0
        assert records_of(out) == whole
    for path in out.glob("part-*"):
        path.unlink()
    assert aniso_jax(*words) == 0
    assert records_of(out) == whole


def test_parts_are_folded_in_order_whichever_is_done_first(monkeypatch):
    done = []
    monkeypatch.setattr("aniso_jax.runs.remember._folded", lambda table, *_: done.append(table))

    def compute(parts):
        yield from ((at, PartResult(at, {})) for at in (2, 0, 3, 1))

    found = [at for at, _ in _in_order(compute, None, None, None, range(4))]
    assert found == done == [0, 1, 2, 3]


def test_other_draws_law_alpha_or_noise_are_refused(folded, tmp_path, capsys):
    words, _ = folded
    swapped = list(words)
    swapped[swapped.index("--out") + 1] = tmp_path / "other"
    for more, said in (
        (("--seed", 8), "with other draws (seed 7, now seed 8); a second try needs its own share"),
        (("--n", 301), "a second try needs its own share of alpha"),
        (("--law", "uniform"), "law is gaussian, you asked for uniform"),
        (("--alpha", 0.02), "alpha is 0.01, you asked for 0.02"),
        (("--simultaneous",), "alpha is 0.01, you asked for 0.0005"),
    ):
        assert aniso_jax(*swapped, *more) == 2
        assert said in capsys.readouterr().err
        assert not (tmp_path / "other").exists()


def test_a_run_that_dies_while_it_draws_was_a_try_at_all_its_inputs(
    asked, plan, tmp_path, monkeypatch, capsys
):
    class Died(Exception):
        pass

    def died(*_):
        raise Died

    memory, out = tmp_path / "m.sqlite", tmp_path / "run"
    words = ("certify", *asked(), *plan, "--memory", memory, "--limit", 4)
    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr("aniso_jax.runs.remember._in_order", died)
        aniso_jax(*words, "--out", out)
    with sqlite3.connect(memory) as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone() == (4,)
    connection.close()
    assert aniso_jax(*words, "--out", tmp_path / "other", "--seed", 8) == 2
    assert "a second try needs its own share of alpha" in capsys.readouterr().err
    assert aniso_jax(*words, "--out", out) == 0
    assert len(load_frame(out)) == 4


@pytest.fixture(scope="module")
def rounded(tmp_path_factory, data):
    """The data as images of 8 bits."""
    path = tmp_path_factory.mktemp("rounded") / "small.npz"
    with np.load(data) as content:
        np.savez(path, x=np.rint(content["x"] * 255) / np.float32(255), y=content["y"])
    return path


def test_rounding_to_a_grid_is_part_of_the_network_that_a_memory_is_about(
    rounded, asked, plan, tmp_path, capsys
):
    memory = tmp_path / "m.sqlite"
    words = [*asked(), *plan, "--limit", 2, "--memory", memory]
    words[words.index("--data") + 1] = f"npz:{rounded}"
    gridded = tmp_path / "gridded"
    assert aniso_jax("certify", *words, "--grid", 255, "--out", gridded) == 0
    claim = json.loads((gridded / "run.json").read_text())["claim"]
    assert claim.endswith("its total variation from the law's is paid for.")
    capsys.readouterr()
    names = "--data", f"npz:{rounded}", "--model", words[words.index("--model") + 1]
    assert aniso_jax("verify", gridded, *names, "--memory", memory) == 0
    assert "that it holds these regions" in capsys.readouterr().out
    assert aniso_jax("certify", *words, "--out", tmp_path / "float") == 2
    assert "(weights is grid 255, " in capsys.readouterr().err


def test_a_joint_claim_has_a_memory_of_its_own(asked, plan, tmp_path, capsys):
    memory = tmp_path / "m.sqlite"
    words = ("certify", *asked(), *plan, "--memory", memory, "--simultaneous")
    assert aniso_jax(*words, "--limit", 5, "--out", tmp_path / "joint") == 0
    claim = json.loads((tmp_path / "joint" / "run.json").read_text())["claim"]
    assert claim.startswith("For all inputs that m.sqlite (")
    assert ") was asked about together, with probability at least 0.99 over the draws" in claim
    capsys.readouterr()
    assert aniso_jax("verify", tmp_path / "joint", "--memory", memory) == 0
    assert "m.sqlite: its pages, answers and all its regions" in capsys.readouterr().out
    again = (*words, "--limit", 5, "--out", tmp_path / "again")
    assert aniso_jax(*again, "--n0", 21) == 2  # another run, of the same alpha a certificate
    assert "(weights is run " in capsys.readouterr().err


def test_show_check_and_query(folded, prepared, data, capsys):
    path, _, second, adopted = prepared
    frame = load_frame(folded[1])
    assert aniso_jax("memory", "show", path) == 0
    said = capsys.readouterr().out
    assert "law gaussian (l2), alpha 0.01" in said
    assert memory_statement([frame]).split("; ")[-1].rstrip(".") in said.splitlines()
    assert aniso_jax("memory", "check", path) == 0
    assert "regions of different classes are disjoint" in capsys.readouterr().out
    assert aniso_jax("memory", "query", path, "--data", f"npz:{data}") == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()[1:]]
    answers = [-1 if row[2] == "ABSTAIN" else int(row[2]) for row in rows]
    claimed = frame["prediction"].to_numpy()
    assert all(
        answer == claim or claim == -1 for answer, claim in zip(answers, claimed, strict=True)
    )
    assert answers[second] == adopted


def test_of_many_classes_those_with_most_regions_are_shown():
    bound = Binding(weights="abc", law="gaussian", shape=(2,), alpha=0.001)
    regions = {label: 1 + label % 7 for label in range(1000)}
    seen = Overview(regions=regions, answers={}, inputs=0, nats=())
    said = list(_shown(bound, seen))[2]
    assert said.startswith(f"{sum(regions.values())} regions (class: regions; 6: 7, 13: 7, 20: 7")
    assert said.endswith("83: 7, and 988 more)")


def test_queries_that_cannot_be_answered_are_refused(prepared, tmp_path, capsys):
    for words, said in (
        (("show", tmp_path / "none"), "There is no file"),
        (("query", prepared[0]), "--data goes with query"),
        (("copy", prepared[0]), "--to goes with copy, and copy needs it"),
        (("copy", prepared[0], "--to", prepared[0]), "exists; give another path for the copy"),
        (("query", prepared[0], "--data", "toy2d"), "have shape (2,)"),
    ):
        assert aniso_jax("memory", *words) == 2
        assert said in capsys.readouterr().err


def test_copy_makes_the_same_memory(prepared, tmp_path, capsys):
    copy = tmp_path / "copy.sqlite"
    assert aniso_jax("memory", "copy", prepared[0], "--to", copy) == 0
    assert f"regions copied to {copy}." in capsys.readouterr().out
    said = []
    for path in (prepared[0], copy):
        assert aniso_jax("memory", "show", path) == 0
        said.append(capsys.readouterr().out)
    assert said[0] == said[1]


def kept(region: int, *, label: int, gap: float) -> Logged:
    gap = np.float32(gap).tobytes()
    said = {"input": "i", "draws": "d", "run": "", "verdict": "keep", "asked": 0.0, "claimed": 0.0}
    return Logged(region=region, label=label, gap=gap, **said)


def test_check_finds_regions_that_meet(tmp_path, bound, capsys):
    path = tmp_path / "m.sqlite"
    with aj.memory_open(path, **bound) as memory:
        memory.ask(ball(np.zeros(SHAPE, np.float32), 1), 0, draws="d")
        far = np.zeros(SHAPE, np.float32)
        far.flat[0] = 5
        memory.ask(ball(far, 1), 1, draws="d")
    assert aniso_jax("memory", "check", path) == 0
    row = Row(
        id=3,
        label=2,
        gap=np.float32(4.5),
        center=far,
        theta=np.ones(SHAPE, np.float32),
    )
    connection = sqlite3.connect(path)
    with connection:
        write_row(connection, replace(row, label=1, gap=np.float32(3.9)))
        write_answer(connection, kept(3, label=1, gap=3.9), path=path)
    assert aniso_jax("memory", "check", path) == 0
    capsys.readouterr()
    with connection:
        connection.execute("DELETE FROM regions WHERE id = 3")
        connection.execute("DELETE FROM answers WHERE id = 3")
        write_row(connection, row)
        write_answer(connection, kept(3, label=2, gap=4.5), path=path)
    connection.close()
    assert aniso_jax("memory", "check", path) == 2
    said = capsys.readouterr().err
    assert "does not keep its promise: Regions 1 and 3, of classes 0 and 2, may meet." in said
    assert "(and 1 more)" in said
