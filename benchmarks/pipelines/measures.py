"""What a set of certified regions is worth: radii, volumes, accuracies; one row for each input."""

from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

import aniso_jax as aj
from aniso_jax.certification.certify import Certification
from aniso_jax.geometry.balls import box_radius

Row = dict[str, Any]

_in_box = jax.jit(aj.log_volume_in_box)


def row_of(certified: Certification, label: int) -> Row:
    """The measures of one input; all radii are 0 on abstention, and the volume is None."""
    region = certified.region
    answer = int(certified.label)
    if answer == aj.ABSTAIN:
        radius, proxy, volume = 0.0, 0.0, None
    else:
        radius, proxy = float(region.radius()), float(region.proxy_radius())
        volume = float(_in_box(region))
    return {
        "label": answer,
        "correct": answer == label,
        "gap": float(region.gap),
        "radius": radius,
        "proxy_radius": proxy,
        "proxy_radius_in_box": min(proxy, box_radius(region.dimension, region.order)),
        "log_volume_in_box": volume,
    }


def means(rows: Sequence[Row], certified: NDArray[np.bool_]) -> dict[str, float]:
    """Means over all inputs; the volume's is over the inputs that `certified` marks.

    An empty region has no log-volume, so scales are compared on inputs that all of them certify.
    """
    volumes = [row["log_volume_in_box"] for row, both in zip(rows, certified, strict=True) if both]
    return {
        "radius": _mean(row["radius"] for row in rows),
        "proxy_radius": _mean(row["proxy_radius"] for row in rows),
        "proxy_radius_in_box": _mean(row["proxy_radius_in_box"] for row in rows),
        "log_volume_in_box": _mean(volumes),
        "acr": _mean(row["radius"] * row["correct"] for row in rows),
        "acr_proxy": _mean(row["proxy_radius"] * row["correct"] for row in rows),
        "acr_proxy_in_box": _mean(row["proxy_radius_in_box"] * row["correct"] for row in rows),
        "correct": _mean(row["correct"] for row in rows),
        "abstained": sum(row["label"] == aj.ABSTAIN for row in rows),
    }


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, least and most."""
    return {"median": float(np.median(values)), "least": min(values), "most": max(values)}


def _mean(values: Any) -> float | None:
    numbers = [float(value) for value in values]
    return float(np.mean(numbers)) if numbers else None
