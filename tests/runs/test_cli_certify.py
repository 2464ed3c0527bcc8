"""`aniso-jax certify`: what the records of a run say, and that they say it again."""

import json
from fractions import Fraction

import numpy as np
import pytest
from cli_samples import INPUTS, aniso_jax, records_of, tree

from aniso_jax.records.directory import read_experiment
from aniso_jax.records.load import load_frame
from aniso_jax.report.compare import with_containment
from aniso_jax.runs.layout import PART
from aniso_jax.smoothing.laws import LAWS
from aniso_jax.statistics.binomial import clopper_pearson_lower

LAW_NAMES = ("gaussian", "uniform")
KINDS = ("fixed", "isotropic", "anisotropic", "one", "each")


@pytest.mark.parametrize("law", LAW_NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_records_agree_with_themselves(certified, law, kind):
    run = load_frame(certified(law, kind))
    assert run["index"].tolist() == list(range(INPUTS))
    assert run["input_id"].is_unique
    for row in run.itertuples():
        counts, chosen = row.votes[-1], int(np.argmax(row.selection_votes))
        assert (sum(row.selection_votes), sum(counts)) == (20, 300)
        assert row.hits == counts[chosen]
        assert row.prediction == (chosen if row.gap > 0 else -1)
        assert row.correct == (row.prediction == row.label)
        assert row.status == ("certified" if row.gap > 0 else "abstained")
    assert (run["prediction"] >= 0).sum() >= INPUTS // 4


@pytest.mark.parametrize("law", LAW_NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_measures_follow_from_gap_and_theta_and_are_rounded_down(certified, law, kind):
    run = load_frame(certified(law, kind))
    for row in run.itertuples():
        theta = [row.sigma] * 16 if row.theta is None else row.theta
        assert row.min_sigma == min(theta)
        exact = Fraction(float(row.gap)) * Fraction(float(min(theta)))
        assert exact * (1 - Fraction(1, 10**11)) <= Fraction(row.radius) <= exact
        proxy = float(row.gap) * np.exp(np.mean(np.log(np.float64(theta))))
        assert proxy * (1 - 1e-11) <= row.proxy_radius <= proxy
        assert np.isnan(row.log_volume) == (row.gap == 0)
        assert not row.gap or row.domain_log_volume <= min(0.0, row.log_volume) + 1e-3


@pytest.mark.parametrize("law", LAW_NAMES)
def test_gaps_and_bounds_follow_from_the_votes(certified, law):
    run = load_frame(certified(law, "anisotropic"))
    lower = np.asarray(clopper_pearson_lower(run["hits"].to_numpy(), n=300, alpha=0.01))
    assert (run["p_lower"] >= lower * (1 - 1e-6)).all()
    assert (run["p_lower"] <= lower * (1 + 1e-5)).all()
    # the law's gap at the stored bound: -F^-1(q), with the half that l1 has by its own F
    named = LAWS[law]
    certain = run[run["gap"] > 0]
    again = np.array([_gap(named.name, q) for q in 1 - certain["p_lower"]])
    np.testing.assert_allclose(certain["gap"], again, rtol=1e-5)
    assert (certain["gap"] <= again * (1 + 1e-9)).all()


def _gap(law: str, q: float) -> float:
    from scipy.stats import norm

    return float(-norm.ppf(q)) if law == "gaussian" else 1 - 2 * q


@pytest.mark.parametrize("law", LAW_NAMES)
def test_what_the_experiment_says_of_the_scale(certified, law):
    said = {
        kind: json.loads((certified(law, kind) / "run.json").read_text())["experiment"]
        for kind in KINDS
    }
    assert [said[kind]["scale"] for kind in KINDS] == [*KINDS[:3], "file", "file"]
    assert said["fixed"]["scale_source"] == "one sigma for all inputs"
    assert said["one"]["scale_source"].startswith("one theta for all inputs, sha256 ")
    assert said["each"]["scale_source"].startswith("one theta per input, sha256 ")
    assert said["isotropic"]["scale_source"].startswith("one per input, default: GoldenSection(")
    assert "then VolumeAscent(" in said["anisotropic"]["scale_source"]
    assert all(said[kind]["law"] == law for kind in KINDS)


@pytest.mark.parametrize("law", LAW_NAMES)
def test_the_file_of_optimize_certifies_as_the_search_itself(certified, law):
    sought = load_frame(certified(law, "anisotropic"))
    read = load_frame(certified(law, "each"))
    for name in ("gap", "radius", "proxy_radius", "prediction", "sigma", "hits"):
        assert sought[name].tolist() == read[name].tolist()
    assert all((a == b).all() for a, b in zip(sought["theta"], read["theta"], strict=True))


@pytest.mark.parametrize("law", LAW_NAMES)
def test_containment_is_what_the_radii_say(certified, law):
    kinds = ("isotropic", "anisotropic")
    ball, region = with_containment([load_frame(certified(law, kind)) for kind in kinds])
    assert "contains_isotropic" not in ball
    wide, known = region["radius"] >= ball["radius"], ball["prediction"] >= 0
    assert (region["contains_isotropic"].isna() == ~known).all()
    assert (region["contains_isotropic"][known] == wide[known]).all()
    # every axis was projected to be no shorter than the ball's, in the optimiser's own votes
    theta = np.stack(list(region["theta"]))
    assert (theta.min(axis=1) >= region["sigma"] * (1 - 1e-6)).mean() > 0.9


SIZES = (
    ("--batch", 1),
    ("--batch", 3),
    ("--batch", 3, "--chunk", 64),
    ("--batch", 2, "--chunk", 256),
)


@pytest.mark.compiles("fully")  # bits
@pytest.mark.parametrize("asked_sizes", [SIZES[1:2], pytest.param(SIZES, marks=pytest.mark.slow)])
def test_sizes_never_change_the_bytes_or_are_said(asked_sizes, asked, plan, tmp_path):
    """Where a block's logits have other bits in a chunk, batch and chunk join the configuration."""
    assert aniso_jax("certify", *asked(), *plan, "--out", tmp_path / "own") == 0
    for index, sizes in enumerate(asked_sizes):
        run = tmp_path / str(index)
        assert aniso_jax("certify", *asked(), *plan, *sizes, "--out", run) == 0
        experiments = [read_experiment(path) for path in (run, tmp_path / "own")]
        if all(experiment.chunk is None for experiment in experiments):
            assert records_of(run) == records_of(tmp_path / "own"), sizes
        else:
            assert experiments[0].hash != experiments[1].hash
            said = next(e for e in experiments if e.chunk is not None)
            assert said.batch is not None


@pytest.mark.slow
def test_the_same_search_gives_the_same_bytes(certified, asked, plan, tmp_path):
    out = tmp_path / "run"
    assert aniso_jax("certify", *asked("uniform", "anisotropic"), *plan, "--out", out) == 0
    assert records_of(out) == records_of(certified("uniform", "anisotropic"))


def test_an_input_has_its_votes_whatever_is_asked_beside_it(certified, asked, plan, tmp_path):
    some = ("--start", 3, "--stop", 18, "--skip", 4, "--limit", 3)
    assert aniso_jax("certify", *asked(), *plan, *some, "--out", tmp_path / "run") == 0
    few, whole = load_frame(tmp_path / "run"), load_frame(certified("gaussian", "fixed"))
    assert few["index"].tolist() == [3, 7, 11]
    there = whole.set_index("index").loc[[3, 7, 11]].reset_index()
    assert few["hits"].tolist() == there["hits"].tolist()
    assert few["radius"].tolist() == there["radius"].tolist()


def test_a_finished_run_is_not_computed_again(certified, asked, plan, capsys):
    directory = certified("gaussian", "fixed")
    before = tree(directory)
    assert aniso_jax("certify", *asked(), *plan, "--out", directory) == 0
    assert tree(directory) == before
    assert f"{INPUTS}/{INPUTS} inputs" in capsys.readouterr().err


def test_a_missing_part_is_computed_to_the_same_bytes(certified, asked, plan):
    directory = certified("gaussian", "fixed")
    before = records_of(directory)
    assert sorted(before) == ["part-00000.parquet", "part-00001.parquet", "run.json"]
    (directory / "part-00000.parquet").unlink()
    assert aniso_jax("certify", *asked(), *plan, "--out", directory) == 0
    assert records_of(directory) == before
    assert PART < INPUTS


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (("--seed", 8), "seed: the run has 7, you asked for 8"),
        (("--sigma", 0.5), "sigma: the run has 0.25, you asked for 0.5"),
        (("--alpha", 0.02), "alpha: the run has 0.01, you asked for 0.02"),
        (("--limit", 5), "limit: the run has none, you asked for 5"),
        (("--law", "laplace"), "law: the run has gaussian, you asked for laplace"),
        (("--dtype", "bfloat16"), "dtype: the run has float32, you asked for bfloat16"),
        (("--scale", "isotropic"), "scale: the run has fixed, you asked for isotropic"),
    ],
)
def test_another_configuration_is_refused(certified, asked, plan, changed, said, capsys):
    directory = certified("gaussian", "fixed")
    before = tree(directory)
    capsys.readouterr()
    assert aniso_jax("certify", *asked(), *plan, *changed, "--out", directory) == 2
    sentence = capsys.readouterr().err
    assert said in sentence
    assert "Choose another --out" in sentence
    assert tree(directory) == before


def test_a_network_in_bfloat16_is_another_one_and_the_run_says_so(certified, asked, plan, tmp_path):
    words = ("certify", *asked(), *plan, "--dtype", "bfloat16", "--out", tmp_path / "low")
    assert aniso_jax(*words) == 0
    low, full = load_frame(tmp_path / "low"), load_frame(certified("gaussian", "fixed"))
    assert (low.attrs["dtype"], full.attrs["dtype"]) == ("bfloat16", "float32")
    assert low.attrs["model_fingerprint"] != full.attrs["model_fingerprint"]
    assert low["hits"].tolist() != full["hits"].tolist()  # logits near a tie
    assert (low["prediction"] >= 0).any()
    data = ("--data", words[2], "--model", words[4])
    assert aniso_jax("verify", tmp_path / "low", *data, "--replay", 3) == 0
