"""From a batch of certifications to records, in float64 and rounded so that claims shrink."""

from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from aniso_jax.certification.certify import Certification
from aniso_jax.certification.plan import Plan
from aniso_jax.certification.status import Status
from aniso_jax.certification.tables import failure_tables
from aniso_jax.geometry.balls import log_unit_ball
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Isotropic
from aniso_jax.runs.lengths import Lengths, lengths_of
from aniso_jax.runs.sources import Scales

Float64 = NDArray[np.float64]
_DOWN = 1 - 1e-12  # float64 logarithms and means are good to 1e-13


def rows_of(
    certified: Certification, scales: Scales, plan: Plan, *, labels: Any, shape: tuple[int, ...]
) -> dict[str, Any]:
    """The columns that follow from a batch of certifications.

    Args:
      certified: batched, on any device.
      labels: the true classes.
      shape: of one input.
    """
    host = jax.device_get(certified)
    selected = np.argmax(host.selection_votes, axis=-1)
    hits = np.take_along_axis(host.votes, selected[:, None], axis=-1)[:, 0].astype(np.int64)
    history = zip(host.history, host.reached, strict=True)
    lengths = lengths_of(scales.scale, len(labels), order=plan.law.order)
    dimension, is_isotropic = int(np.prod(shape)), isinstance(scales.scale, Isotropic)
    return {
        "label": np.asarray(labels, np.int32),
        "prediction": host.label,
        "correct": host.label == labels,
        "status": [Status(int(code)).name.lower() for code in host.status],
        "selection_votes": host.selection_votes.astype(np.int64),
        "votes": [counts[:reached].tolist() for counts, reached in history],
        "hits": hits,
        "p_lower": p_lower(host.history, host.reached, selected, plan),
        "gap": host.region.gap,
        **measures(host.region.gap, lengths, dimension, order=plan.law.order),
        "sigma": np.asarray(scales.sigma, np.float32),
        "theta": None if is_isotropic else lengths.theta.astype(np.float32),
        "min_sigma": lengths.theta.min(axis=-1),
        "capped_share": _optional(scales.capped_share),
        **_directions(scales.scale),
    }


def _directions(scale: Any) -> dict[str, Any]:
    """The columns that only rotated scales have."""
    if not isinstance(scale, Rotated):
        return {}
    names = ("basis", "stretch")
    return {name: np.asarray(jax.device_get(getattr(scale, name)), np.float32) for name in names}


def p_lower(history: Any, reached: Any, selected: Any, plan: Plan) -> Float64:
    """The best lower bound on p_A of the looks reached, from the float64 tables, rounded down."""
    discount = 0.0 if plan.grid is None else plan.grid.discount
    tables = failure_tables(plan.bound, plan.looks, plan.alpha, discount=discount)
    by_look = tables * len(plan.looks) if plan.bound == "curtailed" else tables
    rows = zip(history, reached, selected, strict=True)
    failures = [
        min((by_look[look][counts[look, guess]] for look in range(done)), default=1.0)
        for counts, done, guess in rows
    ]
    bounds: Float64 = np.nextafter(1 - np.asarray(failures, np.float64), 0.0)
    return bounds


def measures(gap: NDArray[np.float32], lengths: Lengths, dimension: int, *, order: int) -> Any:
    """Radius, proxy radius and log-volume of regions, from the stored float32 numbers.

    Args:
      gap: (N,).
      lengths: of the N scales.
      dimension: d.
      order: of the norm.
    """
    exact, claims = gap.astype(np.float64), gap > 0
    with np.errstate(divide="ignore"):
        log_proxy = np.log(exact) + lengths.mean_log
    volume = dimension * log_proxy + log_unit_ball(dimension, order)
    return {
        "radius": exact * lengths.shortest * _DOWN,
        "proxy_radius": np.exp(log_proxy) * _DOWN,
        "log_volume": [
            float(v) if claim else None for v, claim in zip(volume, claims, strict=True)
        ],
    }


def _optional(values: Any) -> NDArray[np.float32] | None:
    return None if values is None else np.asarray(values, np.float32)
