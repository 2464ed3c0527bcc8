"""What the other commands print and write."""

import re

import numpy as np
import pandas as pd
import pytest
from cli_samples import INPUTS, ROOT, SHAPE, aniso_jax, tree
from rich.console import Console

import aniso_jax as aj
from aniso_jax.records.load import load_frame
from aniso_jax.report.foreign import read_tsv
from aniso_jax.report.terminal import printout

COLUMNS = (
    "idx label predict radius correct time radius_proxy min_sigma "
    "n0 n hits p_lower gap log_volume status seed run law"
)
PUBLISHED = ROOT / "tests" / "report" / "published"


def test_predict_answers_each_input_or_abstains(asked, capsys):
    assert aniso_jax("predict", *asked(), "--n", 200, "--limit", 8) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split("\t") == ["index", "label", "predict", "p_value"]
    answers = [line.split("\t") for line in lines]
    assert [int(answer[0]) for answer in answers] == list(range(8))
    for _, _, label, p_value in answers:
        assert (float(p_value) <= 0.001) == (label != "ABSTAIN")
    assert any(label != "ABSTAIN" for _, _, label, _ in answers)
    assert aniso_jax("predict", *asked(), "--n", 200, "--limit", 8, "--chunk", 64) == 0
    assert capsys.readouterr().out.splitlines()[1:] == lines


def test_predict_under_a_scale_that_is_sought(asked, capsys):
    words = ("predict", *asked("gaussian", "isotropic"), "--n", 200, "--limit", 2)
    assert aniso_jax(*words) == 0
    assert len(capsys.readouterr().out.splitlines()) == 3


def test_optimize_writes_one_theta_for_each_input(certified, tmp_path, asked, capsys):
    certified("gaussian", "each")
    out = tmp_path / "t.npz"
    words = ("optimize", *asked("gaussian", "anisotropic"), "--out", out)
    assert aniso_jax(*words) == 0
    assert "use them by certify --scale" in re.sub(r"\s+", " ", capsys.readouterr().out)
    found = dict(np.load(out))
    assert found["theta"].shape == (INPUTS, *SHAPE)
    assert (found["theta"] > 0).all()
    assert str(found["law"]) == "gaussian"
    assert aniso_jax(*words) == 2
    assert aniso_jax(*words, "--overwrite") == 0
    again = dict(np.load(out))
    assert all((found[name] == again[name]).all() for name in found)


def test_a_file_that_does_not_say_its_norm_stands_by_itself(certified, tmp_path, capsys):
    published = sorted(PUBLISHED.glob("*noise0.25*.tsv"))[0]
    words = ("report", certified("gaussian", "fixed"), published, "--out", tmp_path / "r.html")
    assert aniso_jax(*words) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "by radius (ℓ₂)" in said
    assert "by radius (norm not stated)" in said
    assert "Results whose norm is not stated" in (tmp_path / "r.html").read_text()


def test_an_image_that_comes_twice_has_one_scale(asked, plan, data, tmp_path, capsys):
    images = dict(np.load(data))
    twice = [0, 1, 0, 2, 1]
    np.savez(tmp_path / "d.npz", x=images["x"][twice], y=images["y"][twice])
    out, given = tmp_path / "t.npz", ("--data", f"npz:{tmp_path / 'd.npz'}")
    assert aniso_jax("optimize", *asked("gaussian", "isotropic"), *given, "--out", out) == 0
    assert re.search(r"3/3 inputs, [\d.,]+ inputs/s, 0 s left", capsys.readouterr().err)
    assert len(set(np.load(out)["ids"])) == len(np.load(out)["theta"]) == 3
    words = ("certify", *asked("gaussian", out), *given, *plan, "--out", tmp_path / "run")
    assert aniso_jax(*words) == 0
    run = load_frame(tmp_path / "run")
    assert run["radius"][[0, 1]].tolist() == run["radius"][[2, 4]].tolist()


def test_train_writes_a_network_that_can_be_read(tmp_path, data, capsys):
    out = tmp_path / "n.safetensors"
    options = ("--arch", "mlp", "--epochs", 2, "--batch", 10, "--out", out)
    assert aniso_jax("train", "--data", f"npz:{data}", *options) == 0
    said = capsys.readouterr().out
    assert re.search(r"epoch 1/2  loss .*\nepoch 2/2  loss ", said)
    model = aj.load_model(out)
    assert model.provenance["command"].startswith("aniso-jax train --data npz:")
    assert (model.shape, model.classes) == (SHAPE, 3)


def test_tsv_has_the_fields_columns_and_reads_back(certified, tmp_path):
    directory = certified("gaussian", "anisotropic")
    assert aniso_jax("export", directory, "--format", "tsv", "--out", tmp_path / "t.tsv") == 0
    heading = (tmp_path / "t.tsv").read_text().splitlines()[0]
    assert heading.split("\t") == COLUMNS.split()
    run, back = load_frame(directory), read_tsv(tmp_path / "t.tsv")
    for name in ("index", "label", "prediction", "correct", "hits"):
        assert back[name].tolist() == run[name].tolist()
    assert (back["radius"] <= run["radius"]).all()
    assert (run["radius"] - back["radius"]).max() < 1e-6
    assert back.attrs["seed"] == 7
    assert (back.attrs["run"], back.attrs["law"]) == (run.attrs["run"], "gaussian")
    assert (back["time"] > 0).all()


@pytest.mark.parametrize(
    ("format", "holds"),
    [("markdown", "| run"), ("latex", r"\toprule"), ("parquet", "PAR1")],
)
def test_other_formats(certified, tmp_path, format, holds):
    out = tmp_path / "table"
    words = ("export", certified("gaussian", "anisotropic"), "--format", format, "--out", out)
    assert aniso_jax(*words) == 0
    assert holds in out.read_bytes().decode("latin-1")
    if format == "parquet":
        assert len(pd.read_parquet(out)) == INPUTS


def test_one_report_over_runs_and_a_published_file(certified, data, tmp_path, capsys):
    runs = [certified("gaussian", kind) for kind in ("isotropic", "anisotropic")]
    published = sorted(PUBLISHED.glob("*noise0.25*.tsv"))[0]
    page = tmp_path / "r.html"
    words = (
        "report",
        *runs,
        published,
        "--data",
        f"npz:{data}",
        "--law",
        "gaussian",
        "--out",
        page,
    )
    before = [tree(run) for run in runs]
    assert aniso_jax(*words) == 0
    html, said = page.read_text(), capsys.readouterr().out
    assert published.stem in html
    assert "gaussian-anisotropic" in html
    assert html.count("<svg") + html.count("<img") == 3  # two curves and a gallery
    assert "74.8" in html  # certified at radius 0 in the published file
    assert "contains isotropic" in said
    assert "Read from result files of other tools" in said
    assert "norm not stated" not in said
    assert [tree(run) for run in runs] == before
    assert aniso_jax(*words) == 2
    assert aniso_jax(*words, "--overwrite") == 0
    capsys.readouterr()
    assert aniso_jax("report", *runs, "--data", "digits", "--out", tmp_path / "other.html") == 2
    assert "are not those of digits: give the data and the split" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


@pytest.mark.parametrize("width", [80, 100])
def test_tables_fit_a_terminal_with_every_name_whole(certified, width, capsys):
    frames = []
    for law, norm, unit in (("gaussian", "l2", "std"), ("uniform", "l1", "half-width")):
        for kind in ("fixed", "isotropic", "anisotropic", "one"):
            frames.append(load_frame(certified("gaussian", kind)))
            frames[-1].attrs |= {"name": f"{norm}-{kind}", "law": law, "unit": unit}
    console = Console(width=width, record=True)
    for printed in printout(frames):
        console.print(printed)
    text = console.export_text()
    assert "…" not in text.replace("… inside the box", "")
    assert not re.search(r"\de[+−-]\d", text)
    assert max(map(len, text.splitlines())) <= width
    assert all(frame.attrs["name"] in text for frame in frames)


@pytest.mark.parametrize(
    "command",
    [
        "",
        "demo",
        "train",
        "optimize",
        "certify",
        "predict",
        "report",
        "export",
        "import-checkpoint",
        "check",
        "memory show",
    ],
)
def test_help_is_for_people(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert aniso_jax(*command.split(), "--help") == 0
    said = capsys.readouterr().out
    for inside in ("None", "aniso_jax", "dataclass", "Literal", "Optional"):
        assert inside not in said
    lines = [line for line in said.splitlines() if not line.startswith("usage: aniso-jax [-h] {")]
    assert all(len(line) <= 100 for line in lines)  # that one lists all commands, unbroken
