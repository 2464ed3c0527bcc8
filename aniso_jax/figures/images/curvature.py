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
    numbers = {
        "eigenvalues": bent.values.tolist(),
        "curvature along the picks": bent.along_flat.tolist(),
        "reach": reach,
    }
    return Drawing(
        name="3-sections",
        title="Where planes through an image cut its regions",
        caption=_caption(runs, index, label, bent, reach, seed),
        figure=_figure(panels, _times(runs, reach)),
        settings=settings,
        numbers=numbers,
    )


def chosen(runs: ImageRuns) -> int:
    """The comparable image whose region gains most over its ball, by proxy radius."""
    images = runs.comparable()
    if not images:
        raise ValueError("No image is certified by every run: certify more of them, or draw more.")
    balls, regions = runs.rows["isotropic"], runs.rows[runs.experiment.scale]

    def gain(index: int) -> float:
        return float(regions[index]["proxy_radius"] / balls[index]["radius"])

    return max(images, key=gain)


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
    name = name.replace("ν_d", "$ν_d$")
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


def _times(runs: ImageRuns, reach: dict[str, dict[str, float]]) -> str:
    """How many times as far as the ball the region reaches, direction by direction."""
    kind = runs.experiment.scale
    said = (f"{at[kind] / at['isotropic']:.2f} along {name}" for name, at in reach.items())
    return (
        f"The {kind} section reaches as many times as far as the isotropic one: {', '.join(said)}."
    )


def _figure(panels: list[Panel], times: str) -> Figure:
    columns = 3 if len(panels) % 3 == 0 else 2
    rows = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    alt = (
        "Planes through an image, with the sections of its certified regions: one of the two most "
        f"curved directions, the others of the first and one of low curvature. {times}"
    )
    return sheet(rows, grey="$f^y$, the network's probability of the label", alt=alt)


def _along_picks(bent: Curvature) -> str:
    """What was measured: it is 0 but for rounding only where the logits are piecewise linear."""
    said = ", ".join(f"{value:.1g}" for value in bent.along_flat)
    return f"{'them' if len(bent.flat) > 1 else 'it'} is {said}"


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
    return (
        f"Image {index} of {e.data}, label {label}: of {len(runs.comparable())} certified ones "
        f"the one with the largest gain over the ball.{runs.left_out()} Certified by "
        f"n = {e.n:,} draws of the {e.law} law at alpha = {e.alpha:g} (seed {e.seed}); "
        f"{confidence(e.alpha)}. Axes: directions of length one, ν₁ and ν₂ of the two eigenvalues "
        "of largest size of the Hessian of f^y at the image (the "
        f"{len(bent.values)} largest: {values}); the unit is that of a pixel, whose range is 1. "
        f"ν_d is picked in the other {d - len(bent.values)} dimensions by seed {seed}, evenly, and "
        f"{len(bent.flat)} picks are shown; the second derivative of f^y along "
        f"{_along_picks(bent)}, against {bent.values[0]:.2g} along ν₁. Filled: the section, the "
        "region's own points in that plane (gauge 1 on the outline); the legend says how far it "
        f"reaches along the vertical axis. {_times(runs, reach)} Dashed, where it differs: the "
        "projection of the whole region, whose points mostly lie outside the plane and outside the "
        "box of images. Dark line: where the network itself changes its answer; the certificate "
        "speaks of the smoothed one, each region of the network smoothed with its own scale."
    )
