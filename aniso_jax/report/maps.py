"""Gallery: inputs beside their isotropic and anisotropic parameter maps A^-1."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator
from numpy.typing import ArrayLike, NDArray

from aniso_jax.report.frames import ABSTAIN
from aniso_jax.report.rounding import text_down

COLOURS = "viridis"
TITLES = ("input", "isotropic")
Floats = NDArray[np.float64]


def gallery(
    *,
    images: ArrayLike,
    sigma_iso: ArrayLike,
    theta: ArrayLike,
    labels: Sequence[int],
    predictions: Sequence[int],
    radii: Sequence[float],
    proxy_radii: Sequence[float],
    unit: str,
    rows: int = 6,
    kind: str = "anisotropic",
) -> Figure:
    """Draw up to `rows` inputs: the input, its isotropic map, its anisotropic map.

    Args: images (k, H, W, C) with C 1 or 3 in [0, 1], or (k, d) drawn as stems; sigma_iso (k,);
    theta, of the images' shape, in `unit` ('std', 'half-width' or 'b'); labels, predictions
    (-1 = ABSTAIN), radii and proxy_radii of the anisotropic certificates, k each; the kind of
    scale that theta is of: of a rotated one it is the diagonal, without the directions. All maps
    share one logarithmic colour scale; over colour channels a map shows the geometric mean.
    Returns a Matplotlib `Figure` whose label is a sentence for readers without the picture.
    Raises `ValueError` for no inputs, for shapes that disagree and for scales not above 0.
    """
    x, sigma, maps = _checked(images, sigma_iso, theta)
    _check_facts(len(x), labels, predictions, radii, proxy_radii)
    count = min(len(x), rows)
    norm = _norm(sigma[:count], maps[:count])
    figure, axes = _grid(count, kind)
    for row in range(count):
        _text(axes[row, 0], labels[row], predictions[row], radii[row], proxy_radii[row])
        _input(axes[row, 1], x[row])
        _map(axes[row, 2], np.full_like(maps[row], sigma[row]), norm)
        _map(axes[row, 3], maps[row], norm)
    _finish(figure, axes, norm, unit, kind)
    return figure


def _checked(images: ArrayLike, sigma_iso: ArrayLike, theta: ArrayLike) -> tuple[Floats, ...]:
    x, sigma, maps = (np.asarray(a, np.float64) for a in (images, sigma_iso, theta))
    if x.ndim not in (2, 4) or (x.ndim == 4 and x.shape[-1] not in (1, 3)) or not len(x):
        wanted = "(k, H, W, 1), (k, H, W, 3) or (k, d) with k >= 1"
        raise ValueError(f"images has shape {x.shape}, wanted {wanted}; reshape the inputs")
    if maps.shape != x.shape or sigma.shape != x.shape[:1]:
        got = f"theta {maps.shape} and sigma_iso {sigma.shape}"
        raise ValueError(f"got {got}, wanted {x.shape} and {x.shape[:1]} as the images have it")
    if not all((np.isfinite(values) & (values > 0)).all() for values in (maps, sigma)):
        raise ValueError("theta and sigma_iso must be finite and above 0; leave other inputs out")
    if x.ndim == 4:
        maps = np.exp(np.log(maps).mean(axis=-1))
    return x, sigma, maps


def _check_facts(count: int, *facts: Sequence[float]) -> None:
    sizes = [len(column) for column in facts]
    if any(size != count for size in sizes):
        raise ValueError(f"labels, predictions, radii, proxy radii: {sizes}, wanted {count} each")


def _norm(sigma: Floats, maps: Floats) -> LogNorm:
    low, high = min(sigma.min(), maps.min()), max(sigma.max(), maps.max())
    return LogNorm(low, high) if high > 1.01 * low else LogNorm(low / 1.5, high * 1.5)


def _ends(norm: LogNorm) -> tuple[float, float]:
    return float(norm.vmin or 0.0), float(norm.vmax or 0.0)


def _ticks(norm: LogNorm) -> list[float]:
    """Round values on the scale, or its two ends where it is too short to hold two."""
    low, high = _ends(norm)
    decades = math.log10(high / low)
    steps = (1, 2, 5) if decades < 2.5 else (1,)
    ticks = LogLocator(subs=steps, numticks=30).tick_values(low, high)
    inside = [float(tick) for tick in ticks if low <= tick <= high]
    return inside if len(inside) > 1 else [float(f"{end:.2g}") for end in (low, high)]


def _grid(count: int, kind: str) -> tuple[Figure, Any]:
    figure = Figure(figsize=(5.4, 1.32 * count + 1.0), layout="constrained")
    axes = figure.subplots(count, 4, squeeze=False, width_ratios=(0.95, 1, 1, 1))
    for ax in axes.flat:
        ax.set_xticks([])
        ax.spines[:].set_visible(False)
    for ax, title in zip(axes[0, 1:], (*TITLES, kind), strict=True):
        ax.set_title(title, fontsize="medium")
    return figure, axes


def _text(ax: Any, label: int, prediction: int, radius: float, proxy: float) -> None:
    numbers = f"\nradius {text_down(radius, 3)}\nproxy {text_down(proxy, 3)}"
    answer = "abstains" if prediction == ABSTAIN else f"predicted {prediction}{numbers}"
    ax.text(0, 0.86, f"label {label}", weight="bold", va="center", transform=ax.transAxes)
    ax.text(0, 0.7, answer, fontsize="small", va="top", linespacing=1.5, transform=ax.transAxes)
    ax.set_yticks([])


def _input(ax: Any, x: Floats) -> None:
    if x.ndim == 1:
        _stems(ax, x, ["black"] * len(x), base=0.0)
        return
    draw_image(ax, x)
    ax.set_yticks([])


def draw_image(ax: Any, x: Floats) -> None:
    """An image (H, W, C) with values in [0, 1]: colours where C is 3, else grey."""
    shown = np.clip(x, 0, 1)
    shown = shown if x.shape[-1] == 3 else shown[..., 0]  # colours ignore the grey scale
    ax.imshow(shown, cmap="gray", vmin=0, vmax=1, interpolation="none")


def _map(ax: Any, values: Floats, norm: LogNorm) -> None:
    mappable = ScalarMappable(norm, COLOURS)
    if values.ndim == 1:
        low, high = _ends(norm)
        _stems(ax, values, mappable.to_rgba(values), base=low / 1.2)
        ax.set(yscale="log", ylim=(low / 1.2, high * 1.2))
        ax.set_yticks(_ticks(norm), [f"{tick:g}" for tick in _ticks(norm)])
        ax.minorticks_off()
        return
    ax.imshow(values, norm=norm, cmap=COLOURS, interpolation="none")
    ax.set_yticks([])


def _stems(ax: Any, values: Floats, colours: Any, *, base: float) -> None:
    at = np.arange(len(values))
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.vlines(at, base, values, colors=colours)
    ax.scatter(at, values, c=colours, s=12)
    ax.set_xlim(-0.6, len(values) - 0.4)
    ax.tick_params(axis="y", labelsize="x-small", length=2)


def _finish(figure: Figure, axes: Any, norm: LogNorm, unit: str, kind: str) -> None:
    name = "θ, the diagonal" if kind == "rotated" else "A⁻¹ = diag(θ), θ"
    bar = figure.colorbar(
        ScalarMappable(norm, COLOURS), ax=axes[:, 2:], location="bottom", shrink=0.92, pad=0.03,
        aspect=28, label=f"{name} in {unit}", ticks=_ticks(norm), format="%g",
    )  # fmt: skip
    bar.minorticks_off()
    bar.outline.set_visible(False)
    figure.set_label(
        f"{len(axes)} inputs, one a row, each beside its isotropic map (one value) and its "
        f"{kind} map, on one logarithmic scale from {norm.vmin:.3g} to {norm.vmax:.3g} {unit}"
    )
