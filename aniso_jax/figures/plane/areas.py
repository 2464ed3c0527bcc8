"""Areas of certified regions over many points of the 2-D set, by law and kind of scale."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data import toy2d
from aniso_jax.figures.caption import confidence
from aniso_jax.figures.plane.agreement import NORM, TURN
from aniso_jax.figures.plane.sought import Effort, areas, certified_regions
from aniso_jax.figures.plane.stars import toy_star, turned
from aniso_jax.report.rounding import text_down
from aniso_jax.smoothing.laws import Law, gaussian, uniform

Float64 = NDArray[np.float64]

KINDS = ("isotropic", "anisotropic", "rotated")
_SETS = {"toy2d": 0.0, "toy2d turned by 35°": TURN}


@dataclass(frozen=True, kw_only=True)
class AreaRow:
    """One set under one law: mean certified areas, and on how many points each kind gains.

    Attributes:
      isotropic, anisotropic, rotated: mean areas; a point without a region of its class counts 0.
      most: the largest quotient of a point's anisotropic and isotropic areas.
      most_rotated: of its rotated and isotropic areas.
      none: points without an isotropic region.
    """

    data: str
    norm: str
    points: int
    isotropic: float
    anisotropic: float
    rotated: float
    most: float
    most_rotated: float
    none: int


def area_table(points: int, effort: Effort) -> dict[str, Any]:
    """The rows, and what determines them; ready for JSON.

    The points are the first of the test split of the class inside: the outside has no end, so
    its regions have no size that means anything.
    """
    test = toy2d.read("test")
    x = test.x[test.y == 0][:points]
    rows = [
        _row(name, turn, x, law, effort)
        for name, turn in _SETS.items()
        for law in (gaussian, uniform)
    ]
    return {
        "rows": [asdict(row) for row in rows],
        "claim": f"{confidence(effort.alpha)}; a row rests on {3 * len(x)} of them",
        "n": effort.n,
        "n0": 100,
        "alpha": effort.alpha,
        "seed": effort.seed,
        "steps": effort.steps,
    }


def _row(name: str, turn: float, x: NDArray[np.float32], law: Law, effort: Effort) -> AreaRow:
    certified = certified_regions(toy_star(turn), turned(x, turn), law, effort)
    found = {kind: areas(batch) for kind, batch in certified.items()}
    return AreaRow(
        data=name,
        norm=NORM[law.order],
        points=len(x),
        none=int(np.sum(found["isotropic"] == 0)),
        most=_most(found["anisotropic"], found["isotropic"]),
        most_rotated=_most(found["rotated"], found["isotropic"]),
        **{kind: float(found[kind].mean()) for kind in KINDS},
    )


def _most(areas: Float64, of: Float64) -> float:
    """The largest quotient, over points that have both."""
    both = (of > 0) & (areas > 0)
    return float((areas[both] / of[both]).max()) if both.any() else 0.0


def area_lines(table: dict[str, Any]) -> list[str]:
    """The table for people, as Markdown; areas rounded down.

    >>> row = AreaRow(data="a", norm="l2", points=1, isotropic=0.1239, anisotropic=0.2, rotated=0.3,
    ...               most=1.5, most_rotated=2.0, none=0)
    >>> area_lines({"rows": [asdict(row)]})[-1]
    '| a | l2 | 1 | 0.1239 | 0.2000 | 0.3000 | 1.5 | 2.0 | 0 |'
    """
    heads = ["set", "norm", "points", *KINDS, "largest anisotropic / isotropic"]
    heads += ["largest rotated / isotropic", "without an isotropic region"]
    lines = [f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}"]
    for row in table["rows"]:
        means = [text_down(row[kind], 4) for kind in KINDS]
        most = [text_down(row[name], 1) for name in ("most", "most_rotated")]
        cells = [row["data"], row["norm"], str(row["points"]), *means, *most, str(row["none"])]
        lines.append(f"| {' | '.join(cells)} |")
    return lines
