"""Figure 4: changes that leave the isotropic region and stay in the anisotropic one."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.figures.caption import Drawing, confidence
from aniso_jax.figures.images.regions import image_at, regions_at, settings_of
from aniso_jax.figures.images.runs import ImageRuns
from aniso_jax.figures.images.similarity import ssim
from aniso_jax.geometry.regions import Region
from aniso_jax.report.figures.changes import Change, changes_figure

Float64 = NDArray[np.float64]

OUTSIDE, INSIDE = 1.02, 0.98
"""Gauges wanted of a change: at least, in the isotropic region; at most, in the other one."""

_POWERS = (0.0, 0.5, 1.0, 2.0, 4.0)


@dataclass(frozen=True, kw_only=True)
class Regions:
    """The ball that a change leaves, and the region that it stays in."""

    ball: Region
    region: Region


def changes(runs: ImageRuns, *, images: int, seed: int) -> Drawing:
    """The change that looks least, for the first images for which one is found.

    Raises:
      ValueError: none is found for any image.
    """
    kind = runs.experiment.scale
    found = list(islice(_found(runs, kind, seed), images))
    if not found:
        raise ValueError(
            "On no image a change was found that leaves the isotropic region and stays in the "
            f"{kind} one: certify more images, or draw more."
        )
    e = runs.experiment
    return Drawing(
        name="4-changes",
        title="Changes that hardly show, certified by the larger region alone",
        caption=_caption(runs, kind, seed),
        figure=changes_figure(found, kind=kind, norm=found[0].norm),
        settings=settings_of(runs) | {"seed of the changes": seed, "images": len(found)},
        numbers={"changes": [change.numbers() for change in found], "alpha": e.alpha},
    )


def _found(runs: ImageRuns, kind: str, seed: int) -> Iterator[Change]:
    for index in runs.comparable():
        at = regions_at(runs, index)
        pair = Regions(ball=at["isotropic"], region=at[kind])
        change = least_visible(image_at(runs, index), pair, seed=seed + index)
        if change is not None:
            label = int(runs.inputs.data.y[index])
            yield _drawn(index, label, image_at(runs, index), change, pair)


def least_visible(
    x: NDArray[np.float32], pair: Regions, *, seed: int
) -> NDArray[np.float32] | None:
    """Of changes of several shapes with both gauges as wanted, that of the smallest largest pixel.

    SSIM would choose a few bright specks, since it is a mean over pixels; eyes do not.
    """
    deltas = (_fitted(x, shape, pair) for shape in _shapes(x, pair, seed))
    fitting = [delta for delta in deltas if delta is not None]
    return min(fitting, key=lambda delta: float(np.abs(delta).max()), default=None)


def _shapes(x: NDArray[np.float32], pair: Regions, seed: int) -> Iterator[Float64]:
    """Every pixel toward the middle of its range, or at random; more where the region is wide."""
    ones = jnp.ones_like(jnp.asarray(x))
    wide = np.asarray(1 / np.maximum(np.abs(pair.region.scale.pull(ones)), 1e-6), np.float64)
    inward = np.where(x < 0.5, 1.0, -1.0)
    random = np.random.default_rng(seed).choice([-1.0, 1.0], size=x.shape)
    for power in _POWERS:
        for sign in (inward, random):
            yield sign * (wide / wide.mean()) ** power


def _fitted(x: NDArray[np.float32], shape: Float64, pair: Regions) -> NDArray[np.float32] | None:
    """The shape at the least size that leaves the ball, kept in the box of images; or None."""
    low, high = 0.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        is_out = _gauge(pair.ball, _clipped(x, middle * shape)) >= OUTSIDE
        low, high = (low, middle) if is_out else (middle, high)
    delta = _clipped(x, high * shape)
    fits = _gauge(pair.ball, delta) >= OUTSIDE and _gauge(pair.region, delta) <= INSIDE
    return delta if fits else None


def _clipped(x: NDArray[np.float32], delta: Float64) -> NDArray[np.float32]:
    return np.asarray(np.clip(x + delta, 0, 1) - x, np.float32)


_compiled = jax.jit(Region.gauge)  # asked hundreds of times


def _gauge(region: Region, delta: NDArray[np.float32]) -> float:
    return float(_compiled(region, jnp.asarray(delta)))


def _drawn(
    index: int, label: int, x: NDArray[np.float32], delta: NDArray[np.float32], pair: Regions
) -> Change:
    return Change(
        index=index,
        label=label,
        x=x.astype(np.float64),
        delta=delta.astype(np.float64),
        gauge_ball=_gauge(pair.ball, delta),
        gauge_region=_gauge(pair.region, delta),
        similarity=ssim(x, x + delta),
        length=float(np.linalg.norm(delta.ravel().astype(np.float64), ord=pair.ball.order)),
        norm=f"l{pair.ball.order}",
    )


def _caption(runs: ImageRuns, kind: str, seed: int) -> str:
    e = runs.experiment
    return (
        f"Images of {e.data} with a change delta outside the isotropic region (gauge above 1: not "
        f"certified there) and inside the {kind} one (gauge below 1: the network smoothed with "
        f"that region's scale answers the label at x + delta); n = {e.n:,} draws of the "
        f"{e.law} law, alpha = {e.alpha:g}, seed {e.seed}; {confidence(e.alpha)}. Of changes of "
        "ten shapes, "
        "each pixel toward the middle of its range or of random sign, larger where the region is "
        f"wide (random signs from seed {seed} plus the image's index), each just large enough to "
        "leave the ball and kept in the box of images, the one that changes no pixel by much is "
        "shown. Where a background is exactly black SSIM is low even if eyes see little: any grey "
        f"is another luminance there.{runs.left_out()} The two regions speak of two classifiers: "
        "the network smoothed with each one's own scale."
    )
