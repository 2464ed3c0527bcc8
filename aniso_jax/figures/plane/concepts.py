"""Figure 2: a worst-case ball that tells the whole story, and one that a narrow peak spoils."""

import math

import numpy as np

from aniso_jax.figures.caption import Drawing, confidence
from aniso_jax.figures.plane.panels import area, star_panel
from aniso_jax.figures.plane.sought import Effort, certified_regions, regions_of
from aniso_jax.figures.plane.stars import Star
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.smoothing.laws import Law

ROUND = Star(core=0.5, arm=0.06, sharpness=2.0, turn=0.5)
PEAKED = Star(core=0.5, arm=-0.36, sharpness=160.0, turn=math.radians(40))
_TITLES = ("informative: the boundary is near all around", "spoiled: one narrow peak comes near")
_X = np.zeros(2, np.float32)


def concepts(law: Law, effort: Effort) -> Drawing:
    """Two classifiers, the same point: the worst-case ball beside the certified regions."""
    panels, numbers = [], {}
    for star, title in zip((ROUND, PEAKED), _TITLES, strict=True):
        regions = regions_of(certified_regions(star, _X[None], law, effort), 0)
        x = _X.astype(np.float64)
        panels.append(
            star_panel(star, x, regions, law=law.name, title=title, half_width=0.72, ball=True)
        )
        numbers[title] = {kind: area(region) for kind, region in regions.items()} | {
            "worst-case ball": math.pi * star.distance(x) ** 2
        }
    return Drawing(
        name="2-concepts",
        title="What a worst-case ball says, and what it does not",
        caption=_caption(law, effort),
        figure=sheet([panels], grey="$f^y$, the network's probability of the class at x", alt=_ALT),
        settings={
            "law": law.name, "n": effort.n, "n0": 100, "alpha": effort.alpha, "seed": effort.seed,
        },
        numbers={"areas": numbers},
    )  # fmt: skip


_ALT = (
    "Two windows on classifiers of the plane. On the left the certified regions lie inside the "
    "worst-case ball and fill most of it; on the right a narrow peak of the other class leaves a "
    "small worst-case ball, while the certified regions of the smoothed classifier are several "
    "times as large."
)


def _caption(law: Law, effort: Effort) -> str:
    return (
        "Dotted: the worst-case ball, the largest around the input in which the classifier itself "
        "answers the same, computed from its boundary. Filled: certified regions of the classifier "
        f"smoothed with the {law.name} law, found and certified as in figure 1 (n = {effort.n:,}, "
        f"alpha = {effort.alpha:g}, seed {effort.seed}); {confidence(effort.alpha)}. On the right "
        "a narrow peak of the other class decides the ball alone and says nothing about the other "
        "directions; smoothing gives the peak the small weight that its width has, so the "
        "certified regions, which speak of the smoothed classifier, run across it. "
        "Legend: areas, rounded down."
    )
