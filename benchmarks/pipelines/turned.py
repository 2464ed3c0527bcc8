"""What only the whole matrix of a rotated scale says, and where its volume comes from."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

import aniso_jax as aj
from aniso_jax.certification.certify import Certification

Array = NDArray[Any]


def log_parts(certified: Certification) -> Array:
    """(log gap, mean log theta, sum log t / d) of a region."""
    region = certified.region
    stretch = np.asarray(getattr(region.scale, "stretch", 1.0), np.float64)
    turned = np.sum(np.log(stretch)) / region.dimension
    whole = float(region.scale.log_abs_det(region.dimension)) / region.dimension
    gap = float(region.gap)
    return np.array([np.log(gap) if gap > 0 else np.nan, whole - turned, turned])


def matrix_radius(certified: Certification) -> float:
    """Gap times the smallest singular value of S, in float64."""
    region = certified.region
    if not isinstance(region.scale, aj.Rotated):
        return float(region.radius())
    basis = np.asarray(region.scale.basis, np.float64).reshape(region.scale.directions, -1)
    inner = (basis.T * (np.asarray(region.scale.stretch, np.float64) - 1)) @ basis
    theta = np.asarray(region.scale.theta, np.float64).reshape(-1, 1)
    shortest = np.linalg.svd(theta * (np.eye(len(inner)) + inner), compute_uv=False).min()
    return float(region.gap) * float(shortest)
