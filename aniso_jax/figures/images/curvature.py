"""Figure 3: planes through an image along its Hessian's directions, and how regions cut them."""

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aniso_jax.figures.caption import Drawing, confidence
from aniso_jax.figures.images.planes import Curvature, curvature_at, plane_landscape
from aniso_jax.figures.images.regions import image_at, regions_at, settings_of
from aniso_jax.figures.images.runs import ImageRuns
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.sections import section, shadow
from aniso_jax.report.figures.panel import Panel
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.report.rounding import text_down

Float64 = NDArray[np.float64]


def sections(runs: ImageRuns, *, picks: int, seed: int) -> Drawing:
    """The plane of the two most curved directions, and planes of the first and a flat one.

    Raises:
      ValueError: no image on which every run certifies the label.
    """
    index = chosen(runs)
    x, label = image_at(runs, index), int(runs.inputs.data.y[index])
    bent = curvature_at(runs.model, x, label, picks, seed)
    regions = regions_at(runs, index)
    seconds = [bent.basis[1], *bent.flat]
    names = ["ν₂", *(f"ν_d, pick {pick + 1}" for pick in range(picks))]
    planes = [jnp.stack([bent.basis[0], other]) for other in seconds]
    width = _width(regions, planes)
    panels = [
        _panel(runs, x, label, plane, regions, name, width)
        for plane, name in zip(planes, names, strict=True)
    ]
    reach = _reaches(regions, ["ν₁", *names], [bent.basis[0], *seconds])
    settings = settings_of(runs) | {"index": index, "seed of the directions": seed}
    numbers = {"eigenvalues": bent.values.tolist(), "reach": reach}
    return Drawing(
        name="3-sections",
        title="Where planes through an image cut its regions",
        caption=_caption(runs, index, label, bent, reach, seed),
        figure=_figure(panels),
        settings=settings,
        numbers=numbers,
    )


def chosen(runs: ImageRuns) -> int:
    """The certified image whose region gains most over its ball, by proxy radius.

    Where the ball is smaller than the largest one inside the region by over a fifth, it was not
    found well, and a gain over it would say little: such an image only stands in where all are.
    """
    certified = runs.certified()
    if not certified:
        raise ValueError("No image is certified by every run: certify more of them, or draw more.")
    balls, regions = runs.rows["isotropic"], runs.rows[runs.experiment.scale]

    def gain(index: int) -> float:
        return float(regions[index]["proxy_radius"] / balls[index]["radius"])

    fair = [i for i in certified if regions[i]["radius"] <= 1.2 * balls[i]["radius"]]
    return max(fair or certified, key=gain)


def _panel(
    runs: ImageRuns,
    x: NDArray[np.float32],
    label: int,
    plane: jax.Array,
    regions: dict[str, Region],
    name: str,
    width: float,
) -> Panel:
    cuts = {kind: section(region, plane) for kind, region in regions.items()}
    casts = {kind: shadow(region, plane) for kind, region in regions.items()}
    differs = {k: c for k, c in casts.items() if np.abs(c).max() > 1.01 * np.abs(cuts[k]).max()}
    return Panel(
        title=f"plane of ν₁ and {name}",
        law=runs.experiment.law,
        landscape=plane_landscape(runs.model, x, label, plane, width),
        outlines=cuts,
        labels={k: f"{k} ±{text_down(_along(r, plane[1]), 2)}" for k, r in regions.items()},
        shadows=differs,
        measure=f"section along {name}",
        axes=("along ν₁ [pixel range]", f"along {name} [pixel range]"),
    )


def _width(regions: dict[str, Region], planes: list[jax.Array]) -> float:
    """Half a window that shows all sections whole, and the projections if they are not far off."""
    pairs = [(region, plane) for region in regions.values() for plane in planes]
    cut = max(float(np.abs(section(*pair)).max()) for pair in pairs)
    cast = max(float(np.abs(shadow(*pair)).max()) for pair in pairs)
    return 1.12 * min(cast, 2.5 * cut)


def _reaches(
    regions: dict[str, Region], names: list[str], axes: list[jax.Array]
) -> dict[str, dict[str, float]]:
    """How far each region reaches along each axis, by its name."""
    return {
        name: {kind: _along(region, axis) for kind, region in regions.items()}
        for name, axis in zip(names, axes, strict=True)
    }


def _along(region: Region, direction: jax.Array) -> float:
    """How far the region reaches along a direction of length one."""
    return float(1 / region.gauge(direction))


def _figure(panels: list[Panel]) -> Figure:
    columns = next(c for c in (2, 3, len(panels)) if len(panels) % c == 0)
    rows = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    alt = (
        "Planes through an image: along the two most curved directions the isotropic and "
        "anisotropic sections have like sizes, along a direction without curvature the anisotropic "
        "one reaches farther; dashed projections are larger than all sections."
    )
    return sheet(rows, grey="f^y, the network's probability of the label", alt=alt)


def _caption(
    runs: ImageRuns,
    index: int,
    label: int,
    bent: Curvature,
    reach: dict[str, dict[str, float]],
    seed: int,
) -> str:
    values = ", ".join(f"{value:.2g}" for value in bent.values)
    e, d = runs.experiment, runs.experiment.dimension
    times = ", ".join(
        f"{at[e.scale] / at['isotropic']:.2f} along {name}" for name, at in reach.items()
    )
    return (
        f"Image {index} of {e.data}, label {label}: of the {len(runs.certified())} certified ones "
        f"the one with the largest gain over the ball. Certified by n = {e.n:,} draws of the "
        f"{e.law} law at alpha = {e.alpha:g} (seed {e.seed}); {confidence(e.alpha)}. Axes: "
        "directions of length one, ν₁ and ν₂ those of the two eigenvalues of largest size of the "
        f"Hessian of f^y at the image (the {len(bent.values)} largest: {values}); the unit is that "
        f"of a pixel, whose range is 1. The other {d - len(bent.values)} directions are flat, so "
        f"ν_d is picked in them by seed {seed}, evenly, and {len(bent.flat)} picks are shown. "
        "Filled: the section, the region's own points in that plane (gauge 1 on the outline); the "
        f"legend says how far it reaches along the vertical axis. The {e.scale} section reaches as "
        f"many times as far as the isotropic one: {times}. Dashed, where it differs: the "
        "projection of the whole region, whose points mostly lie outside the plane and outside the "
        "box of images. Dark line: where the network itself changes its answer; the certificate "
        "speaks of the smoothed one, each region of the network smoothed with its own scale."
    )
