"""Two-class against one-sided on the same votes: what it costs, and what it gains."""

import numpy as np
import pytest
from oracles import LAW_NAMES, LAWS
from simulate import conclude_many

import aniso_jax as aj

N = 1000


def claimed(plan: aj.Plan, votes: np.ndarray) -> np.ndarray:
    """The gaps claimed for class 0 after these votes, (..., classes)."""
    votes = np.asarray(votes).reshape(-1, np.shape(votes)[-1])
    selection = np.zeros_like(votes)
    selection[:, 0] = 1
    return np.asarray(conclude_many(plan, selection, votes[:, None])[1], np.float64)


def grid(classes: int) -> np.ndarray:
    """Every count of class 0 in N draws; the rest to one rival, to all evenly, or in between."""
    hits = np.tile(np.arange(N + 1), 4)
    spread = np.repeat((0.0, 0.1, 0.5, 1.0), N + 1)
    other = np.floor(spread * (N - hits) / (classes - 1)).astype(int)
    others = np.repeat(other[:, None], classes - 2, axis=1)
    return np.column_stack([hits, N - hits - others.sum(axis=1), others])


@pytest.mark.parametrize("classes", (2, 3, 10))
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_two_class_is_never_more_than_its_price_below_one_sided(law, classes) -> None:
    """The price: the gap that one-sided would lose if it were asked for alpha / 2."""
    votes = grid(classes)
    assert np.all(votes.sum(axis=1) == N)
    half = claimed(aj.plan(law, n=N, alpha=0.0005), votes)
    two = claimed(aj.plan(law, n=N, alpha=0.001, bound="two-class", classes=classes), votes)
    assert np.all(two >= half)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_two_class_certifies_inputs_on_which_one_sided_abstains(law) -> None:
    votes = grid(10)
    one = claimed(aj.plan(law, n=N), votes)
    two = claimed(aj.plan(law, n=N, bound="two-class", classes=10), votes)
    gained = (one == 0) & (two > 0)
    assert np.sum(gained) > 100
    assert np.all(votes[gained, 0] > votes[gained, 1:].max(axis=1))  # most votes, if not a majority
    assert np.mean(two[two > 0] > one[two > 0]) > 0.3


def test_the_gains_that_the_method_is_known_for() -> None:
    one = aj.plan(aj.gaussian, n=100_000)
    two = aj.plan(aj.gaussian, n=100_000, bound="two-class", classes=10)
    spread = np.array([60_000, 10_000] + [3_750] * 8)
    assert 0.70 < claimed(two, spread)[0] < 0.77
    assert 0.23 < claimed(one, spread)[0] < 0.25
    near = np.array([45_000, 30_000] + [3_125] * 8)
    assert claimed(one, near)[0] == 0 < claimed(two, near)[0]


def test_lost_rows_leave_the_rivals_unbounded() -> None:
    two = aj.plan(aj.gaussian, n=N, bound="two-class", classes=3)
    half = aj.plan(aj.gaussian, n=N, alpha=0.0005)
    votes = np.array([700, 100, 100])
    assert claimed(two, votes)[0] == claimed(half, votes)[0]
