import os

import numpy as np
import pandas as pd
import pytest

from aniso_jax.report.export import export
from aniso_jax.report.foreign import read_tsv

FIELD = ["idx", "label", "predict", "radius", "correct", "time", "radius_proxy", "min_sigma"]
OURS = ["n0", "n", "hits", "p_lower", "gap", "log_volume", "status", "seed", "run", "law"]


def test_tsv_has_the_field_s_columns_first(run, tmp_path):
    df = run()
    lines = export(df, "tsv", tmp_path / "a.tsv").read_text().splitlines()
    assert lines[0].split("\t") == [*FIELD, *OURS]
    assert len(lines) == 1 + len(df)
    abstained = int(np.flatnonzero(df["prediction"] == -1)[0])
    assert lines[1 + abstained].split("\t")[2:5] == ["-1", "0.0", "0"]


@pytest.mark.parametrize("law", ["gaussian", "uniform"])
def test_tsv_round_trip(run, tmp_path, law):
    df = run(law, "anisotropic")
    time = pd.Series(np.linspace(0.1, 0.9, len(df)), index=df.index)
    back = read_tsv(export(df, "tsv", tmp_path / "a.tsv", time=time))
    same = ["index", "label", "prediction", "correct", "hits", "p_lower", "gap", "log_volume"]
    for name in [*same, "min_sigma", "status"]:
        assert back[name].tolist() == df[name].tolist(), name
    for name in ("radius", "proxy_radius"):
        assert (back[name] <= df[name]).all()
        assert np.allclose(back[name], df[name], rtol=0, atol=1.001e-6)
    assert back["time"].tolist() == time.tolist()
    settings = ("n0", "n", "seed", "run", "law")
    assert {key: back.attrs[key] for key in settings} == {key: df.attrs[key] for key in settings}
    assert read_tsv(tmp_path / "a.tsv", law="laplace").attrs["law"] == law  # the file knows better


def test_time_that_was_not_measured_is_nan(run, tmp_path):
    back = read_tsv(export(run(), "tsv", tmp_path / "a.tsv"))
    assert back["time"].isna().all()
    assert "certify_seconds" not in back.attrs


def test_parquet_round_trip(run, tmp_path):
    df = run("uniform", "isotropic")
    df["votes"] = [np.array([[1, 2], [3, 4]])[:1].tolist() for _ in range(len(df))]
    back = pd.read_parquet(export(df, "parquet", tmp_path / "a.parquet"))
    pd.testing.assert_frame_equal(
        back.drop(columns="votes"), df.drop(columns="votes"), check_dtype=False
    )
    assert back.attrs == df.attrs


def test_markdown_and_latex_hold_both_tables(run, tmp_path):
    text = export(run(), "markdown", tmp_path / "a.md").read_text()
    assert "r ≥ 0.25" in text
    assert "ACR-proxy" in text
    assert export(run(), "latex", tmp_path / "a.tex").read_text().count(r"\toprule") == 2


def test_nothing_is_overwritten_unasked_and_nothing_half_written(run, tmp_path, monkeypatch):
    path = tmp_path / "a.tsv"
    path.write_text("mine")
    with pytest.raises(FileExistsError, match="exists"):
        export(run(), "tsv", path)
    assert path.read_text() == "mine"

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="full"):
        export(run(), "tsv", path, overwrite=True)
    assert path.read_text() == "mine"
    assert [file.name for file in tmp_path.iterdir()] == ["a.tsv"]
    monkeypatch.undo()
    export(run(), "tsv", path, overwrite=True)
    assert path.read_text().startswith("idx\t")


@pytest.mark.parametrize(
    ("change", "format", "options", "said"),
    [
        (lambda df: df, "csv", {}, "format must be one of tsv, markdown, latex, parquet"),
        (lambda df: df.iloc[:0], "tsv", {}, "no inputs"),
        (lambda df: df.drop(columns=["gap", "hits"]), "tsv", {}, "lacks gap, hits"),
        (lambda df: df, "tsv", {"time": pd.Series([1.0])}, "time holds 1 inputs"),
        (lambda df: df.assign(status="a\tb"), "tsv", {}, "tab or a line break"),
    ],
)
def test_bad_asks_write_nothing(run, tmp_path, change, format, options, said):
    with pytest.raises(ValueError, match=said):
        export(change(run()), format, tmp_path / "a", **options)
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(run, tmp_path):
    with pytest.raises(FileNotFoundError, match="make it first"):
        export(run(), "tsv", tmp_path / "no" / "a.tsv")
