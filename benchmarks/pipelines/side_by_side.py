"""Two pipelines in turn over groups of inputs, and what came of it."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray
from pipelines.ledger import Ledger, compile_times, own_claims, stage_table
from pipelines.measures import Row, means, row_of
from pipelines.ours import Ours, common_batch, counted
from pipelines.peer_process import Peer
from pipelines.published import Published

import aniso_jax as aj

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Match:
    """What both sides share.

    Attributes:
      sigma: where both isotropic searches start.
      batch: most inputs that ours takes side by side.
      steps: of the published searches, as they are run here.
      same_start: our anisotropic search starts from the published sigma.
    """

    peer: Peer
    apply_fn: Any
    params: Any
    plan: aj.Plan
    sigma: float
    batch: int
    steps: dict[str, int]
    peer_batches: tuple[int, ...]
    same_start: bool


def compare(match: Match, x: Array, y: Array, *, group: int) -> dict[str, Any]:
    """Everything that is measured; groups take turns in who goes first.

    Raises:
      ValueError: the inputs are not whole groups; ours would be compiled again for the rest.
    """
    if len(x) % group:
        raise ValueError(f"{len(x)} inputs are not whole groups of {group}; change one of them.")
    ours = Ours(
        apply_fn=match.apply_fn,
        params=match.params,
        plan=match.plan,
        batch=common_batch(group, match.batch),
    )
    theirs = _published(match)
    probed = theirs.choose_rows(x[:group], match.peer_batches)
    first_calls, evaluations = _warm(ours, match, x[:group])
    ledger = Ledger()
    for number, at in enumerate(range(0, len(x), group)):
        sides = [
            lambda x: _run_published(theirs, x, ledger),
            lambda x: _run(ours, match, x, ledger),
        ]
        for side in sides if number % 2 == 0 or match.same_start else sides[::-1]:
            side(x[at : at + group])
        print(f"{at + group} of {len(x)} inputs", flush=True)
    regions = _regions(ours, ledger, x, y)
    return {
        "batches": {"ours": ours.batch, "published": theirs.rows, "probed": probed},
        "stages": stage_table(ledger, group, evaluations, match.steps, match.plan),
        "compile_s": compile_times(first_calls, ledger),
        "scales": _summed(regions),
        "own_claims": own_claims(ledger, regions["published anisotropic"]),
        "inputs": regions,
    }


def _published(match: Match) -> Published:
    plan = match.plan
    certify = {"n0": plan.n0, "n": plan.n, "alpha": plan.alpha}
    return Published(peer=match.peer, sigma=match.sigma, steps=match.steps, certify=certify)


def _warm(ours: Ours, match: Match, x: Array) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of the first calls, compilation among them; and evaluations an input, counted."""
    first = Ledger()
    _run(ours, match, x, first)
    counting, meter = counted(ours)
    evaluations, sigma = {}, first.scales["ours isotropic"][0]
    theta = first.scales["ours anisotropic"][0]
    stages: dict[str, Callable[[], Any]] = {
        "isotropic": lambda: counting.isotropic(x, match.sigma),
        "anisotropic": lambda: counting.anisotropic(x, sigma),
        "certify": lambda: counting.certify(x, theta),
    }
    for stage, run in stages.items():
        run()
        jax.effects_barrier()
        evaluations[stage] = meter.rows / len(x)
        meter.rows = 0
    return {stage: times[0] for stage, times in first.seconds["ours"].items()}, evaluations


def _run(ours: Ours, match: Match, x: Array, ledger: Ledger) -> None:
    """Our three stages on one group."""
    seconds = ledger.seconds["ours"]
    sigma = _timed(seconds["isotropic"], lambda: ours.isotropic(x, match.sigma))
    shared = match.same_start and ledger.scales["published isotropic"]
    start = ledger.scales["published isotropic"][-1] if shared else sigma
    theta = _timed(seconds["anisotropic"], lambda: ours.anisotropic(x, start))
    _timed(seconds["certify"], lambda: ours.certify(x, theta))
    ledger.scales["ours isotropic"].append(sigma)
    ledger.scales["ours anisotropic"].append(theta)


def _run_published(theirs: Published, x: Array, ledger: Ledger) -> None:
    """The published three stages on one group."""
    seconds = ledger.seconds["published"]
    taken, sigma = theirs.optimise_isotropic(x)
    seconds["isotropic"].append(taken)
    taken, theta = theirs.optimise_anisotropic(x, sigma)
    seconds["anisotropic"].append(taken)
    taken, claims = theirs.certify_all(x, theta)
    seconds["certify"].append(taken)
    ledger.scales["published isotropic"].append(sigma)
    ledger.scales["published anisotropic"].append(theta)
    ledger.claims.append(claims)


def _timed(seconds: list[float], run: Callable[[], Any]) -> Any:
    start = time.perf_counter()
    result = run()
    seconds.append(time.perf_counter() - start)
    return result


def _regions(ours: Ours, ledger: Ledger, x: Array, y: Array) -> dict[str, list[Row]]:
    """Every scale certified by our draws, the start of both searches among them."""
    found = {}
    for name, parts in ledger.scales.items():
        values = np.concatenate(parts)
        theta = values if values.ndim == x.ndim else _spread_out(values, x)
        certified = ours.certify(x, theta)
        found[name] = [row_of(one, int(label)) for one, label in zip(certified, y, strict=True)]
    return found


def _spread_out(sigma: Array, x: Array) -> Array:
    return np.broadcast_to(sigma.reshape(-1, *[1] * (x.ndim - 1)), x.shape)


def _summed(regions: dict[str, list[Row]]) -> dict[str, dict[str, float]]:
    answers = np.array([[row["label"] for row in rows] for rows in regions.values()])
    by_all = np.all(answers != aj.ABSTAIN, axis=0)
    return {name: means(rows, by_all) for name, rows in regions.items()}
