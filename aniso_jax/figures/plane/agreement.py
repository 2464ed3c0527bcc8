"""Figure 1: where isotropic and anisotropic regions agree, and where they differ several-fold."""

import math
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aniso_jax.figures.caption import Drawing, confidence
from aniso_jax.figures.plane.exact import SHORTEST, largest_regions
from aniso_jax.figures.plane.panels import area, star_panel
from aniso_jax.figures.plane.sought import START, Effort, certified_regions, regions_of
from aniso_jax.figures.plane.stars import Star, toy_star, turned
from aniso_jax.geometry.regions import Region
from aniso_jax.report.figures.panel import Panel
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.smoothing.laws import Law

TURN = math.radians(35)
NORM = {1: "l1", 2: "l2"}
_ROWS = ("certified from draws", "smoothed exactly")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A point of a star, and the window around it."""

    name: str
    star: Star
    x: NDArray[np.float32]
    half_width: float


PLACES = (
    Place(
        name="curved: they agree",
        star=toy_star(),
        x=np.array([-0.05, 0.05], np.float32),
        half_width=1.05,
    ),
    Place(
        name="in the channel",
        star=toy_star(),
        x=np.array([0.88, 0.0], np.float32),
        half_width=0.72,
    ),
    Place(
        name="the channel turned by 35°",
        star=toy_star(TURN),
        x=turned(np.array([0.88, 0.0]), TURN),
        half_width=0.72,
    ),
)


def agreement(law: Law, effort: Effort) -> Drawing:
    """The sheet of one law: certified regions above, those smoothed exactly below."""
    sought = {place.name: _sought(place, law, effort) for place in PLACES}
    exact = {p.name: largest_regions(p.star, p.x.astype(np.float64), law) for p in PLACES}
    rows = [[_panel(p, found[p.name], law) for p in PLACES] for found in (sought, exact)]
    numbers = {
        said: {
            name: {kind: area(region) for kind, region in regions.items()}
            for name, regions in found.items()
        }
        for said, found in zip(_ROWS, (sought, exact), strict=True)
    }
    norm = NORM[law.order]
    return Drawing(
        name=f"1-landscapes-{norm}",
        title=f"Regions of largest area in the plane, {norm}",
        caption=_caption(law, effort),
        figure=_figure(rows, norm),
        settings={
            "law": law.name, "n": effort.n, "n0": 100, "alpha": effort.alpha, "seed": effort.seed,
        },
        numbers={"areas": numbers},
    )  # fmt: skip


def _sought(place: Place, law: Law, effort: Effort) -> dict[str, Region]:
    return regions_of(certified_regions(place.star, place.x[None], law, effort), 0)


def _panel(place: Place, regions: dict[str, Region], law: Law) -> Panel:
    return star_panel(
        place.star,
        place.x.astype(np.float64),
        regions,
        law=law.name,
        title=place.name,
        half_width=place.half_width,
    )


def _figure(rows: list[list[Panel]], norm: str) -> Figure:
    alt = (
        f"Six windows on a classifier of the plane with {norm} regions around a point: the "
        "isotropic, anisotropic and rotated outlines nearly agree where the boundary is curved, "
        "and differ several-fold in a channel; above from draws, below smoothed exactly."
    )
    return sheet(
        rows, names=_ROWS, grey="$f^y$, the network's probability of the class at x", alt=alt
    )


def _caption(law: Law, effort: Effort) -> str:
    return (
        "The classifier of the toy2d data, whose inside has a narrow channel; the dark line is "
        "where its own answer changes, and the legend gives areas, rounded down. Above: scales "
        f"sought from draws (start {START:g} {law.unit}, seed {effort.seed}, the area alone is "
        f"climbed), certified by n = {effort.n:,} fresh draws (n0 = 100) of the {law.name} law at "
        f"alpha = {effort.alpha:g}; {confidence(effort.alpha)}. Below: probabilities by quadrature "
        "instead of draws, scales sought for the largest area with no axis of S below "
        f"{SHORTEST:g}; they have no confidence to state, and are what no number of draws can "
        "exceed by much. A certificate speaks of the smoothed classifier, so an outline may cross "
        "the base classifier's boundary."
    )
