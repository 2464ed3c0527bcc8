"""What memory changed, as a table."""

import numpy as np
import pandas as pd
import pytest

from aniso_jax.report.compare import _claimed_theta
from aniso_jax.report.memory import memory_statement, memory_summary
from aniso_jax.report.printing import printed
from aniso_jax.report.statement import statement


@pytest.fixture
def remembering() -> pd.DataFrame:
    """Two dimensions: one region kept, one shrunk to half, one adopted of another class."""
    run = pd.DataFrame(
        {
            "label": [0, 1, 2, 2],
            "memory": ["kept", "shrunk", "adopted", "abstained"],
            "prediction": [0, 1, 0, -1],
            "correct": [True, True, False, False],
            "own_prediction": [0, 1, 2, -1],
            "own_gap": np.float32([1, 2, 1, 0]),
            "radius": [0.5, 0.5, 0.1, 0.0],
            "proxy_radius": [1.0, 1.0, 0.1, 0.0],
            "sigma": np.float32([0.5] * 4),
            "theta": [[0.5, 2.0]] * 4,
            "claimed_theta": [None, None, [1.0, 1.0], None],
            "min_sigma": [0.5] * 4,
            "memory_cost": [0.0, 2 * np.log(2), None, None],
        }
    )
    run.attrs = {"name": "l2", "memory": "m.sqlite", "dimension": 2, "fold_seconds": 0.25}
    return run


def test_the_table_counts_and_compares(remembering):
    other = pd.DataFrame({"correct": [True]})
    other.attrs = {"name": "without"}
    table = memory_summary([other, remembering])
    assert table.index.tolist() == ["l2"]
    row = table.loc["l2"]
    counts = [row[name] for name in ("kept", "shrunk", "adopted", "memory_abstained")]
    assert counts == [1, 1, 1, 1]
    assert row["other_class"] == 1
    assert row["acr_alone"] == pytest.approx((0.5 + 1.0 + 0.5) / 4)
    assert row["acr"] == pytest.approx((0.5 + 0.5) / 4)
    assert row["acr_proxy_alone"] == pytest.approx((1 + 2 + 1) / 4)
    assert row["acr_proxy"] == pytest.approx((1 + 1) / 4)
    assert row["nats_lost"] == pytest.approx(2 * np.log(2))
    text = printed(table)
    assert text["log volume lost"].tolist() == ["1.4"]
    assert text["memory, s/input"].tolist() == ["0.25"]


def test_an_adopted_answer_of_another_class_keeps_nothing_of_the_own_certificate(remembering):
    said = (
        "2 certificates lost volume, with 0.250 of the proxy radius left at mean and nothing left"
    )
    assert memory_statement([remembering]).endswith(f"; {said} of 1.")


def test_one_sigma_stands_for_all_coordinates(remembering):
    fixed = remembering.assign(theta=None)
    row = memory_summary([fixed]).loc["l2"]
    assert row["acr_proxy_alone"] == row["acr_alone"]


def test_a_gallery_shows_the_scale_that_is_claimed(remembering):
    assert _claimed_theta(remembering).tolist() == [[0.5, 2.0]] * 2 + [[1.0, 1.0], [0.5, 2.0]]


def test_joint_regions_are_said_to_hold_together(remembering):
    remembering.attrs |= {"alpha": 0.001, "mode": "float", "joint_alpha": 0.01, "scale": "fixed"}
    said = statement([remembering])
    assert said.startswith("For all inputs that the memory m.sqlite was asked about together, w")
    assert "at least 1 − α = 0.99 over the draws" in said
