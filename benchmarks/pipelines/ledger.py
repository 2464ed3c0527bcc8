"""What a comparison gathers: seconds, scales and claims, and the times and evaluations in them."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pipelines.measures import Row, spread
from pipelines.published import DRAWS, STEPS

import aniso_jax as aj

Array = NDArray[Any]
STAGES = ("isotropic", "anisotropic", "certify")
SIDES = ("ours", "published")


@dataclass(kw_only=True)
class Ledger:
    """Entries group by group.

    Attributes:
      seconds: by side and stage.
      scales: by side and stage, as "ours isotropic".
      claims: labels and gaps by `Smooth.certify`.
    """

    seconds: dict[str, dict[str, list[float]]] = field(
        default_factory=lambda: {side: defaultdict(list) for side in SIDES}
    )
    scales: dict[str, list[Array]] = field(default_factory=lambda: defaultdict(list))
    claims: list[dict[str, Array]] = field(default_factory=list)


def stage_table(
    ledger: Ledger,
    group: int,
    evaluations: dict[str, float],
    steps: dict[str, int],
    plan: aj.Plan,
) -> dict[str, dict[str, Any]]:
    """Seconds and evaluations an input, by stage and end to end.

    The published searches count with all their steps; where fewer were run (`steps`), their times
    are extrapolated in proportion, and say so.
    """
    longer = {stage: STEPS[stage] / steps[stage] for stage in STEPS}
    seconds = {
        "ours": _each(ledger.seconds["ours"], group, {}),
        "published": _each(ledger.seconds["published"], group, longer),
    }
    rows = {"ours": evaluations, "published": _published_evaluations(plan)}
    table = {}
    for stage in (*STAGES, "end to end"):
        parts = STAGES if stage == "end to end" else (stage,)
        is_longer = any(longer.get(part, 1.0) != 1 for part in parts)
        ours, published = (np.array(seconds[side][stage]) for side in SIDES)
        table[stage] = {
            "times_faster": spread((published / ours).tolist()),
            **{
                side: {
                    "seconds": spread(seconds[side][stage]),
                    "evaluations": sum(rows[side][part] for part in parts),
                    "extrapolated": side == "published" and is_longer,
                }
                for side in SIDES
            },
        }
    return table


def compile_times(first_calls: dict[str, float], ledger: Ledger) -> dict[str, float]:
    """What a first call of ours takes beyond a later one."""
    later = ledger.seconds["ours"]
    return {stage: first_calls[stage] - float(np.median(later[stage])) for stage in STAGES}


def own_claims(ledger: Ledger, ours: list[Row]) -> dict[str, float]:
    """What `Smooth.certify` itself says of the published scales, beside what our draws say."""
    labels = np.concatenate([claim["label"] for claim in ledger.claims])
    gaps = np.concatenate([claim["gap"] for claim in ledger.claims])
    others = [label != row["label"] for label, row in zip(labels, ours, strict=True)]
    return {
        "abstained": int(np.sum(labels == aj.ABSTAIN)),
        "other_label_than_ours": int(np.sum(others)),
        "mean_gap": float(np.mean(gaps)),
        "mean_gap_by_our_draws": float(np.mean([row["gap"] for row in ours])),
    }


def _each(
    seconds: dict[str, list[float]], group: int, longer: dict[str, float]
) -> dict[str, list[float]]:
    """Seconds an input, group by group."""
    each = {
        stage: [taken / group * longer.get(stage, 1.0) for taken in seconds[stage]]
        for stage in STAGES
    }
    return each | {"end to end": [sum(parts) for parts in zip(*each.values(), strict=True)]}


def _published_evaluations(plan: aj.Plan) -> dict[str, float]:
    """A forward row once and a backward row twice, for every draw of every step."""
    searches = {stage: 3.0 * steps * DRAWS for stage, steps in STEPS.items()}
    return searches | {"certify": float(plan.n0 + plan.n)}
