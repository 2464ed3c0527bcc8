"""Figure 5: images beside their isotropic and anisotropic parameter maps A^-1."""

import numpy as np

from aniso_jax.figures.caption import Drawing, confidence
from aniso_jax.figures.images.regions import image_at, settings_of
from aniso_jax.figures.images.runs import ImageRuns
from aniso_jax.report.maps import gallery


def maps(runs: ImageRuns, *, images: int) -> Drawing:
    """The gallery of the first certified images, with the share of map variance on dark pixels.

    Raises:
      ValueError: no image is certified by every run, or there is no diagonal scale.
    """
    shown = runs.certified()[:images]
    if not shown:
        raise ValueError("No image is certified by every run: certify more of them, or draw more.")
    rows = [runs.rows[runs.experiment.scale][index] for index in shown]
    x = np.stack([image_at(runs, index) for index in shown])
    theta = np.stack([np.array(row["theta"], np.float64) for row in rows]).reshape(x.shape)
    ratios = [_background(*pair) for pair in zip(x, theta, strict=True)]
    figure = gallery(
        images=x,
        sigma_iso=[runs.rows["isotropic"][index]["sigma"] for index in shown],
        theta=theta,
        labels=[row["label"] for row in rows],
        predictions=[row["prediction"] for row in rows],
        radii=[row["radius"] for row in rows],
        proxy_radii=[row["proxy_radius"] for row in rows],
        unit=runs.experiment.unit,
        rows=images,
        kind=runs.experiment.scale,
    )
    return Drawing(
        name="5-maps",
        title="Where a region is wide: maps of A⁻¹",
        caption=_caption(runs, ratios),
        figure=figure,
        settings=settings_of(runs) | {"images": shown},
        numbers={"theta on background over theta elsewhere": ratios},
    )


def _background(image: np.ndarray, theta: np.ndarray) -> float | None:
    """Geometric mean of theta on pixels below 1/10, over that on all others, if both are."""
    dark = image < 0.1
    if not dark.any() or dark.all():
        return None
    return float(np.exp(np.log(theta[dark]).mean() - np.log(theta[~dark]).mean()))


def _caption(runs: ImageRuns, ratios: list[float | None]) -> str:
    e, known = runs.experiment, [f"{ratio:.2f}" for ratio in ratios if ratio is not None]
    said = f" On pixels below 0.1 theta is {', '.join(known)} times that elsewhere, on average."
    return (
        f"The first images of {e.data} that every run certifies, beside the isotropic scale and "
        f"the {e.scale} one's diagonal theta, in {e.unit}: the wider the noise a pixel stands, the "
        f"wider the region there. Scales sought from draws (seed {e.seed}), certified by "
        f"n = {e.n:,} draws of the {e.law} law at alpha = {e.alpha:g}; {confidence(e.alpha)}. "
        "Radii are rounded down." + (said if known else "")
    )
