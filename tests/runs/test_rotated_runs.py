"""Runs with rotated scales: their records hold the whole scale, and verify derives it all again."""

import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from cli_samples import SHAPE, SIGMAS, aniso_jax, write_data, write_network

sys.path.insert(0, str(Path(__file__).parents[1] / "audit"))


import aniso_jax as aj
from aniso_jax.audit.axes import axes_of
from aniso_jax.audit.stored import stored_scale
from aniso_jax.audit.verify.rederive import row_findings
from aniso_jax.records.directory import read_experiment
from aniso_jax.runs.lengths import lengths_of

LAW = "gaussian"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("rotated")
    network = write_network(home / "n.safetensors")
    data = f"npz:{write_data(home / 'd.npz', network, 3)}"
    common = ("--data", data, "--model", network)
    words = ("--out", home / "run", "--law", LAW, "--sigma", SIGMAS[LAW])
    done = aniso_jax("certify", *common, *words, "--n", 300, "--n0", 50, "--scale", "rotated")
    assert done == 0
    assert aniso_jax("verify", home / "run", *common) == 0
    return home / "run", common


def test_records_hold_the_scale_and_its_measures(made) -> None:
    run, _ = made
    rows = pq.read_table(run / "part-00000.parquet").to_pylist()
    assert any(max(abs(t - 1) for t in row["stretch"]) > 0.1 for row in rows)
    for row in rows:
        scale = stored_scale(row, SHAPE)
        assert isinstance(scale, aj.Rotated)
        assert bool(scale.is_valid())
        matrix = np.stack(
            [np.ravel(scale.push(e.reshape(SHAPE))) for e in np.eye(16, dtype=np.float32)], axis=1
        )
        proxy = row["gap"] * np.exp(np.linalg.slogdet(np.float64(matrix))[1] / 16)
        assert row["proxy_radius"] == pytest.approx(proxy, rel=1e-5)
        shortest = np.linalg.svd(np.float64(matrix))[1].min()
        assert 0.5 * shortest * row["gap"] <= row["radius"] <= shortest * row["gap"] * (1 + 1e-5)
        assert row["domain_log_volume"] <= min(0, row["log_volume"] + 1e-2)


@pytest.mark.slow
def test_verify_searches_and_draws_it_again(made) -> None:
    run, common = made
    assert aniso_jax("verify", run, *common, "--replay", 2) == 0


def test_verify_finds_every_changed_number(made) -> None:
    run, _ = made
    experiment = read_experiment(run)
    row = pq.read_table(run / "part-00000.parquet").to_pylist()[0]
    assert not list(row_findings(row, experiment))
    for column in ("radius", "proxy_radius", "log_volume"):
        more = row[column] + 1e-6 * abs(row[column])
        assert [f.column for f in row_findings(row | {column: more}, experiment)] == [column]
    shorter = [row["stretch"][0] * 0.9, *row["stretch"][1:]]
    found = {f.column for f in row_findings(row | {"stretch": shorter}, experiment)}
    assert {"proxy_radius", "log_volume"} <= found
    assert list(row_findings(row | {"basis": row["basis"][:-1]}, experiment))


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("size", ((6, 2), (40, 5), (6, 6)))
def test_run_and_audit_measure_alike_and_never_too_long(order, size) -> None:
    d, k = size
    rng = np.random.default_rng(d)
    basis = np.float32(np.linalg.qr(rng.normal(size=(d, k)))[0].T)
    scale = aj.Rotated(
        theta=np.float32(rng.uniform(0.2, 3, d)),
        basis=basis,
        stretch=np.float32(rng.uniform(0.1, 2, k)),
    )
    row = {name: np.ravel(getattr(scale, name)).tolist() for name in ("theta", "basis", "stretch")}
    batch = aj.Rotated(theta=scale.theta[None], basis=basis[None], stretch=scale.stretch[None])
    mine, theirs = lengths_of(batch, 1, order=order), axes_of(row, order)
    inner = np.eye(d) + (basis.T * (np.float64(scale.stretch) - 1)) @ np.float64(basis)
    exact = 1 / np.linalg.norm(np.linalg.inv(np.float64(scale.theta)[:, None] * inner), order)
    assert mine.shortest[0] == pytest.approx(theirs.shortest, rel=1e-12)
    assert mine.mean_log[0] == pytest.approx(theirs.mean_log, abs=1e-12)
    assert float(scale.inradius(order)) <= mine.shortest[0] <= exact * (1 + 1e-12)
    around = (np.float64(scale.theta) / theirs.around)[:, None] * inner
    assert np.linalg.norm(around, order) <= 1 + 1e-9


def test_what_does_not_go_with_rotated_scales_is_refused(made, tmp_path, capsys) -> None:
    _, common = made
    words = ("certify", *common, "--scale", "rotated", "--out", tmp_path / "r")
    for extra in (("--grid", 255), ("--memory", tmp_path / "m.sqlite")):
        assert aniso_jax(*words, *extra) != 0
        assert "--scale rotated goes without --memory and --grid" in capsys.readouterr().err
    assert aniso_jax("optimize", *common, "--scale", "rotated", "--out", tmp_path / "o.npz") != 0
    assert "--scale rotated" in capsys.readouterr().err
