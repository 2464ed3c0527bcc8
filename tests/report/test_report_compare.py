import pandas as pd
import pytest

from aniso_jax.report.compare import with_containment

SAME = {"data_fingerprint": "d", "model_fingerprint": "m"}


@pytest.fixture
def pair(run):
    """An isotropic and an anisotropic run over the same inputs."""
    runs = [run("gaussian", kind).drop(columns="contains_isotropic") for kind in
            ("isotropic", "anisotropic")]  # fmt: skip
    for df in runs:
        df.attrs |= SAME
    return runs


def test_only_inputs_that_the_isotropic_run_certified_count(pair):
    ball, region = pair
    _, compared = with_containment(pair)
    abstains = ball["prediction"] == -1
    assert 0 < abstains.sum() < len(ball)
    assert (compared["contains_isotropic"].isna() == abstains).all()
    wide = (region["radius"] >= ball["radius"])[~abstains]
    assert (compared["contains_isotropic"][~abstains] == wide).all()


@pytest.mark.parametrize(
    "name", ["data_fingerprint", "model_fingerprint", "law", "alpha", "n", "n0", "seed"]
)
def test_a_run_of_other_content_or_draws_is_no_partner(pair, name):
    pair[0].attrs[name] = "another"
    assert "contains_isotropic" not in with_containment(pair)[1]
    for df in pair:
        del df.attrs[name]
    assert "contains_isotropic" not in with_containment(pair)[1]


def test_other_inputs_are_no_partner(pair):
    pair[0]["input_id"] = pd.Series(["0" * 16] * len(pair[0]))
    assert "contains_isotropic" not in with_containment(pair)[1]
