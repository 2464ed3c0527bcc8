import numpy as np
import pytest
import scipy.stats

from aniso_jax.report.population import population_lower, population_summary
from aniso_jax.report.printing import printed
from aniso_jax.report.statement import statement


@pytest.mark.parametrize("hits, inputs", [(0, 10), (7, 10), (10, 10), (480, 500)])
def test_the_bound_is_clopper_pearson_less_alpha(hits, inputs):
    exact = scipy.stats.beta.ppf(0.05, hits, inputs - hits + 1) if hits else 0.0
    assert population_lower(hits, inputs, 0.001) == pytest.approx(max(exact - 0.001, 0), abs=1e-8)
    assert population_lower(hits, inputs, 0.001) <= max(exact - 0.001, 0) + 1e-12


def test_the_bound_holds_where_a_share_alpha_of_the_certificates_is_false():
    """True and right: p. Hits also count false certificates; the bound speaks of the true ones."""
    rng, p, alpha, inputs, runs = np.random.default_rng(0), 0.7, 0.05, 200, 20_000
    hits = rng.binomial(inputs, p + alpha, runs)
    bounds = np.array([population_lower(k, inputs, alpha) for k in range(inputs + 1)])[hits]
    errors = int(np.sum(bounds > p))
    assert scipy.stats.binomtest(errors, runs, 0.05, alternative="greater").pvalue > 1e-4
    without = np.sum(bounds + alpha > p)  # the mutant that trusts every certificate
    assert scipy.stats.binomtest(int(without), runs, 0.05, alternative="greater").pvalue < 1e-9


def test_the_table_counts_inputs_that_are_right_and_rounds_to_the_safe_side(run):
    frame = run()
    table = population_summary([frame], radii=[0.0, 0.5])
    right = frame[frame["correct"]]
    hits = int((right["radius"] >= 0.5).sum())
    bound = population_lower(hits, len(frame), frame.attrs["alpha"])
    assert table["population@0.5"].iloc[0] == bound
    text = printed(table).iloc[0]
    assert float(text["r ≥ 0.5"]) <= 100 * bound
    assert text["false certificates expected"].startswith("≤ ")


def test_shared_draws_bound_no_population(run):
    frame = run()
    frame.attrs["shared_draws"] = True
    assert np.isnan(population_summary([frame], radii=[0.5])["population@0.5"].iloc[0])


def test_other_tools_files_have_no_row(run):
    theirs = run()
    theirs.attrs = {"name": "theirs"}
    assert len(population_summary([run(), theirs])) == 1


def test_a_joint_claim_says_so(run):
    joint, single = run(), run()
    joint.attrs |= {"joint_alpha": 0.05, "alpha": 0.05 / len(joint)}
    said = statement([joint])
    assert said.startswith(
        "For all inputs of a run together, with probability at least 1 − α = 0.95"
    )
    assert "jointly" not in said
    both = statement([joint, single])
    assert both.startswith("For each input by itself")
    assert f"with the probability named: {joint.attrs['name']} (0.95)" in both


def test_a_run_with_a_memory_counts_false_regions_and_bounds_no_population(run):
    """Fifty neighbours may adopt one false region: no count of inputs bounds that."""
    plain, remembering = run(), run()
    remembering.attrs["memory"] = "m.sqlite"
    table = population_summary([plain, remembering], radii=[0.5])
    assert np.isnan(table["population@0.5"]).tolist() == [False, True]
    assert np.isnan(table["expected_false"]).tolist() == [False, True]
    expected = len(remembering) * remembering.attrs["alpha"]
    assert table["expected_false_regions"].iloc[1] == expected
    assert "false own regions expected" in printed(table)


def test_a_run_with_a_memory_claims_regions_and_not_inputs(run):
    remembering = run()
    remembering.attrs["memory"] = "m.sqlite"
    said = statement([remembering])
    assert said.startswith("For each input that the memory m.sqlite was asked about, by itself")
    assert "one false region makes every answer that rests on it false" in said
    assert "For each input by itself" not in said
    assert statement([run(), remembering]) == f"{statement([run()])} {said}"


def test_equal_inputs_bound_no_population(run):
    """They have the same key, so that one false certificate is counted as often as the input."""
    frame = run()
    frame.loc[frame.index[1], "input_id"] = frame.loc[frame.index[0], "input_id"]
    assert np.isnan(population_summary([frame], radii=[0.0])["population@0"].iloc[0])
