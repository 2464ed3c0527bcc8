"""Figure 3: planes through an image along its Hessian's directions, and how regions cut them."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from aniso_jax.figures.caption import Drawing, confidence
from aniso_jax.figures.images.regions import image_at, regions_at, settings_of
from aniso_jax.figures.images.runs import ImageRuns
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.sections import section, shadow
from aniso_jax.models.checkpoint import Model
from aniso_jax.optimize.curvature import label_probability, low_curvature_direction, top_curvature
from aniso_jax.report.figures.panel import Landscape, Panel
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.report.rounding import text_down
from aniso_jax.smoothing.votes import ApplyFn

Float64 = NDArray[np.float64]

_GRID = 61
_SURE = 0.9999  # above, float32 leaves the Hessian few digits


@dataclass(frozen=True, kw_only=True)
class Curvature:
    """The Hessian of f^y at an image: eigenvalues by size, their directions, and flat ones.

    Attributes:
      values: of the directions `basis`, (k,).
      basis: (k, H, W, C), orthonormal.
      flat: (picks, H, W, C), each orthogonal to the basis, picked by seed.
    """

    values: Float64
    basis: jax.Array
    flat: list[jax.Array]


def curvature_at(model: Model, x: NDArray[np.float32], label: int, picks: int, seed: int) -> Curvature:
    """As many directions as softmax can bend along, K - 1, and some of the flat rest.

    For piecewise linear logits all other eigenvalues are 0.
    """
    f = label_probability(model.apply_fn, model.params, label)
    k = max(min(model.classes - 1, x.size - 1), 2)
    values, basis = top_curvature(f, jnp.asarray(x), k, seed=seed)
    keys = [jax.random.fold_in(jax.random.key(seed), pick) for pick in range(picks)]
    flat = [low_curvature_direction(basis, key) for key in keys]
    return Curvature(values=np.asarray(values, np.float64), basis=basis, flat=flat)


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
    width = 1.12 * max(_reach(regions, plane) for plane in planes)
    panels = [
        _panel(runs, x, label, plane, regions, name, width)
        for plane, name in zip(planes, names, strict=True)
    ]
    longest = {
        name: {kind: _along(region, other) for kind, region in regions.items()}
        for name, other in zip(names, seconds, strict=True)
    }
    settings = settings_of(runs) | {"index": index, "seed of the directions": seed}
    numbers = {"eigenvalues": bent.values.tolist(), "reach along the second axis": longest}
    return Drawing(
        name="3-sections",
        title="Where planes through an image cut its regions",
        caption=_caption(runs, index, label, bent, seed),
        figure=_figure(panels),
        settings=settings,
        numbers=numbers,
    )


def chosen(runs: ImageRuns) -> int:
    """The image with the largest isotropic radius where f^y < 0.9999: at a sure answer, nothing bends.

    The first certified one where f^y is above that everywhere.
    """
    certified = runs.certified()
    if not certified:
        raise ValueError("No image is certified by every run: certify more of them, or draw more.")
    labels = runs.inputs.data.y[certified]
    images = jnp.asarray(runs.inputs.data.x[certified])
    p = np.asarray(jax.nn.softmax(runs.model.apply_fn(runs.model.params, images)))
    bends = [i for i, y, row in zip(certified, labels, p, strict=True) if row[y] < _SURE]
    rows = runs.rows["isotropic"]
    return max(bends or certified[:1], key=lambda index: float(rows[index]["radius"]))


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
        axes=("along ν₁ [pixel range]", f"along {name} [pixel range]"),
    )


def plane_landscape(
    model: Model, x: NDArray[np.float32], label: int, plane: jax.Array, width: float
) -> Landscape:
    """f^y on a square of half-width `width` of a plane through x."""
    line = jnp.linspace(-width, width, _GRID)
    found = [_row(model.apply_fn, model.params, jnp.asarray(x), plane, line, up) for up in line]
    p = np.asarray(jnp.stack(found), np.float64)
    extent = (-width, width, -width, width)
    return Landscape(confidence=p[..., label], is_same=p.argmax(-1) == label, extent=extent)


@partial(jax.jit, static_argnums=0)
def _row(
    apply_fn: ApplyFn, params: Any, x: jax.Array, plane: jax.Array, line: jax.Array, up: jax.Array
) -> jax.Array:
    """Probabilities along one row of the grid: one shape for networks of any size."""
    moved = x + up * plane[1] + line.reshape(-1, *[1] * x.ndim) * plane[0]
    return jax.nn.softmax(apply_fn(params, moved))


def _reach(regions: dict[str, Region], plane: jax.Array) -> float:
    return max(float(np.abs(section(region, plane)).max()) for region in regions.values())


def _along(region: Region, direction: jax.Array) -> float:
    """How far the region reaches along a direction of length one."""
    return float(1 / region.gauge(direction))


def _figure(panels: list[Panel]) -> Figure:
    rows = [panels[at : at + 2] for at in range(0, len(panels) - len(panels) % 2, 2)]
    alt = (
        "Planes through an image: along the two most curved directions the isotropic and "
        "anisotropic sections have like sizes, along a direction without curvature the anisotropic "
        "one reaches farther; dashed projections are larger than all sections."
    )
    return sheet(rows or [panels], grey="f^y, the network's probability of the label", alt=alt)


def _caption(runs: ImageRuns, index: int, label: int, bent: Curvature, seed: int) -> str:
    values = ", ".join(f"{value:.2g}" for value in bent.values)
    e, d = runs.experiment, runs.experiment.dimension
    return (
        f"Image {index} of {e.data}, label {label}, certified by n = {e.n:,} draws of the {e.law} "
        f"law at alpha = {e.alpha:g} (seed {e.seed}); {confidence(e.alpha)}. Axes: directions of "
        f"length one, ν₁ and ν₂ those of the two eigenvalues of largest size of the Hessian of f^y "
        f"at the image (the {len(bent.values)} largest: {values}); the unit is that of a pixel, "
        f"whose range is 1. The other {d - len(bent.values)} directions are flat, so ν_d is picked "
        f"in them by seed {seed}, evenly, and {len(bent.flat)} picks are shown. Filled: the section, "
        "the region's own points in that plane (gauge 1 on the outline); the legend gives how far "
        "it reaches along the vertical axis. Dashed, where it differs: the projection of the whole "
        "region, whose points mostly lie outside the plane and outside the box of images. Dark "
        "line: where the network itself changes its answer; the certificate speaks of the smoothed "
        "one, each region of the network smoothed with its own scale."
    )
