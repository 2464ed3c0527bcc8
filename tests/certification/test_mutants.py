"""Mistakes that nobody would see, the guarantee that each breaks, and the check that sees it.

A mutant replaces one name in the package. The check passes with the honest code and fails with the
mutant; a check simulates 10,000 certificates with exact probabilities, or proves the tables.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import simulate
from oracles import LAWS, too_many_errors
from proofs import is_proved
from simulate import ALPHA, RUNS, SCALES, draw_votes, edges_for, is_false

import aniso_jax as aj
from aniso_jax.certification import tables
from aniso_jax.smoothing.noise import Phase

HALF = (0.5, 0.5)
LOOKS = (64, 128, 256, 512, 1024)
JOINT = 20
CROWD = (0.34, 0.33, *(0.33 / 30,) * 30)  # a runner-up, and thirty others that add up to as much
LOST = (0.6, 0.1)  # class 0, class 1; the rest of the draws have a row that is not finite


@dataclass(frozen=True, kw_only=True)
class Mutant:
    name: str
    breaks: str
    holds: Callable[[], bool]
    instead: Mapping[str, object]


# The checks: whether a guarantee holds.


def errs_at_most_alpha(p, n0: int = simulate.N0, **settings) -> bool:
    """P[false claim] <= alpha at p, for whatever stopping rule; only the draws are simulated."""
    plan = aj.plan(aj.gaussian, n0=n0, alpha=ALPHA, **settings)
    found = simulate.conclude_many(plan, *draw_votes(p, plan.looks, n0=n0))
    return not too_many_errors(int(is_false(aj.gaussian, p, *found).sum()), RUNS, ALPHA)


def a_joint_claim_errs_at_most_alpha() -> bool:
    """P[any of twenty claims is false] <= alpha, each made at alpha / 20."""
    plan = aj.plan(aj.gaussian, n=64, alpha=ALPHA / JOINT)
    votes = draw_votes(HALF, plan.looks, runs=RUNS * JOINT)
    false = is_false(aj.gaussian, HALF, *simulate.conclude_many(plan, *votes))
    return not too_many_errors(int(false.reshape(RUNS, JOINT).any(axis=1).sum()), RUNS, ALPHA)


def certify_errs_at_most_alpha() -> bool:
    """The whole of `certify`, draws and all, at p = 1/2; traced anew, so that a mutant is seen."""
    simulate.certify_many.clear_cache()
    n = 62  # of the n up to a block, where the discrete bound's level comes near alpha: .049
    plan = aj.plan(aj.gaussian, n0=n, n=n, alpha=ALPHA)
    scale, theta = SCALES["diagonal"]
    p = (*HALF, 0.0)
    edges = edges_for(aj.gaussian, p, theta)
    found = simulate.certify_many(aj.gaussian, scale, edges, plan, jax.random.key(0))
    simulate.certify_many.clear_cache()
    return not too_many_errors(int(is_false(aj.gaussian, p, *found).sum()), RUNS, ALPHA)


def every_table_is_proved() -> bool:
    settings = ({}, {"looks": (100, 1000)}, {"bound": "two-class", "classes": 2})
    return all(is_proved(aj.plan(law, n=1000, **kind)) for law in LAWS for kind in settings)


# The mutants' code.


def claim_from_the_remaining_draws(plan: aj.Plan, look, votes, guess) -> jax.Array:
    """k hits of the draws that voted, as if no others had been made."""
    gaps = np.zeros((plan.n + 1, plan.n + 1), np.float32)
    for n in range(10, plan.n + 1):
        gaps[n, : n + 1] = tables.gap_table(plan.law, tables.failure_bounds(n, plan.alpha))
    return jnp.asarray(gaps)[jnp.sum(votes), votes[guess]]


def conclude_from_one_rival(plan: aj.Plan, selection: np.ndarray, history: np.ndarray):
    """alpha / 2 for the runner-up of the selection draws, and nothing about any other class.

    (The runner-up of the estimation draws themselves would be covered: it has at least the votes
    of the true runner-up, whose bound errs with probability alpha / 2.)
    """
    second, first = np.argsort(selection, axis=1)[:, -2:].T
    votes, run = history[:, -1], np.arange(len(history))
    pair = aj.plan(plan.law, n=plan.n, alpha=plan.alpha, bound="two-class", classes=2)
    lower = np.asarray(pair.lower)[votes[run, first]]
    upper = np.asarray(pair.upper)[votes[run, second]]
    gaps = np.maximum((lower - upper) / 2, 0)
    return np.where(gaps > 0, first, aj.ABSTAIN), gaps


def multiplied(factor: int) -> Callable[[int, float], np.ndarray]:
    """The Clopper-Pearson bounds at `factor` times the alpha that they are asked for."""
    return lambda n, alpha, honest=tables.failure_bounds: honest(n, factor * alpha)


TABLES, CERTIFY = "aniso_jax.certification.tables", "aniso_jax.certification.certify"
MUTANTS = (
    Mutant(
        name="doubled alpha",
        breaks="a certificate is false with probability at most alpha",
        instead={f"{TABLES}.failure_bounds": multiplied(2)},
        holds=partial(errs_at_most_alpha, HALF, n=1000),
    ),
    Mutant(
        name="reused selection draws",
        breaks="the class is chosen by draws that do not bound it",
        instead={f"{CERTIFY}.Phase": SimpleNamespace(SELECT=Phase.ESTIMATE)},
        holds=certify_errs_at_most_alpha,
    ),
    Mutant(
        name="nearest rounding of p_A",
        breaks="the float32 gap that is claimed is the one that was proved",
        instead={f"{TABLES}.float32_down": lambda values: values.astype(np.float32)},
        holds=every_table_is_proved,
    ),
    Mutant(
        name="nearest rounding of p_B",
        breaks="the float32 bound on a rival is the one that was proved",
        instead={f"{TABLES}.float32_up": lambda values: values.astype(np.float32)},
        holds=every_table_is_proved,
    ),
    Mutant(
        name="runner-up without union",
        breaks="p_B bounds the probability of every rival",
        instead={"simulate.conclude_many": conclude_from_one_rival},
        holds=partial(errs_at_most_alpha, CROWD, n=200, bound="two-class", classes=len(CROWD)),
    ),
    Mutant(
        name="draws dropped from n",
        breaks="a draw without a vote counts against the class",
        instead={f"{CERTIFY}.claim": claim_from_the_remaining_draws},
        holds=partial(errs_at_most_alpha, LOST, n=512),
    ),
    Mutant(
        name="peeking without paying",
        breaks="the bounds of all looks hold together",
        instead={f"{TABLES}.share_and_bounds": lambda *_: (ALPHA, tables.failure_bounds)},
        holds=partial(errs_at_most_alpha, HALF, looks=LOOKS),
    ),
    Mutant(
        name="a fixed-n bound at any time",
        breaks="an anytime bound holds at every n at once",
        instead={f"{TABLES}.anytime_failure_bounds": tables.failure_bounds},
        holds=partial(errs_at_most_alpha, HALF, looks=LOOKS, bound="anytime"),
    ),
    Mutant(
        name="a joint claim at alpha each",
        breaks="with alpha / N each, N certificates hold together",
        instead={f"{TABLES}.failure_bounds": multiplied(JOINT)},
        holds=a_joint_claim_errs_at_most_alpha,
    ),
)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_honest_code_passes_and_the_mutant_is_found_out(mutant, monkeypatch) -> None:
    assert mutant.holds(), f"The honest code does not keep what it promises: {mutant.breaks}."
    for name, replacement in mutant.instead.items():
        monkeypatch.setattr(name, replacement)
    assert not mutant.holds(), f"{mutant.name}: not found out, though it breaks: {mutant.breaks}."
