"""Smoothing of a star-shaped classifier without draws: an integral along rays from the origin.

P[x + S z is outside] = integral over phi of the noise's mass beyond R(phi) on the ray at phi, which
is closed for the Gaussian and the uniform law; the trapezoidal rule does the rest. The small
probability of the other class is summed itself, so that it keeps its digits.
"""

import math

import numpy as np
import scipy.special
from numpy.typing import NDArray

from aniso_jax.figures.plane.stars import Star
from aniso_jax.smoothing.laws import Law

Float64 = NDArray[np.float64]


def failure(star: Star, x: Float64, scale: Float64, law: Law, *, rays: int = 8192) -> float:
    """P[x + S z is of class 1], z of the Gaussian or the uniform law.

    Args:
      star: the classifier.
      x: (2,).
      scale: S, (2, 2).
      law: gaussian or uniform.
      rays: of the trapezoidal rule. The error is that of float64 for the Gaussian law where the
        noise is wider than the rays' distance, and below 1e-4 for the uniform one.

    Raises:
      ValueError: another law.

    >>> import aniso_jax as aj
    >>> disc = Star(core=1.0, arm=0.0, sharpness=1.0, turn=0.0)
    >>> q = failure(disc, np.zeros(2), 0.5 * np.eye(2), aj.gaussian)
    >>> bool(abs(q - np.exp(-2)) < 1e-12)   # P[r > 1], r Rayleigh
    True
    """
    beyond = {"gaussian": _gaussian, "uniform": _uniform}.get(law.name)
    if beyond is None:
        raise ValueError(
            f"There is no quadrature for the {law.name} law: take gaussian or uniform."
        )
    phi = np.linspace(-np.pi, np.pi, rays, endpoint=False)
    inverse = np.linalg.inv(scale)
    along = inverse @ np.stack([np.cos(phi), np.sin(phi)])
    mass = beyond(along, inverse @ x, star.boundary(phi))
    total = abs(np.linalg.det(inverse)) * float(mass.sum()) * 2 * math.pi / rays
    return float(min(max(total, 0.0), 1.0))


def _gaussian(along: Float64, center: Float64, edge: Float64) -> Float64:
    """Integral over r > edge of r exp(-|r a - c|^2 / 2) / (2 pi), a being `along`, c `center`."""
    square, product = (along**2).sum(axis=0), along.T @ center
    nearest, width = product / square, np.sqrt(square)
    off = np.maximum(center @ center - product**2 / square, 0.0)
    h = width * (edge - nearest)
    tail = np.exp(-h * h / 2) / square
    tail += nearest * math.sqrt(2 * math.pi) / width * scipy.special.ndtr(-h)
    density: Float64 = np.exp(-off / 2) * np.maximum(tail, 0.0) / (2 * math.pi)
    return density


def _uniform(along: Float64, center: Float64, edge: Float64) -> Float64:
    """Integral over r > edge of r [|r a - c| <= 1 in both coordinates] / 4."""
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = (center[:, None] - 1) / along, (center[:, None] + 1) / along
    low, high = np.fmin(first, second).max(axis=0), np.fmax(first, second).min(axis=0)
    low = np.maximum(low, edge)
    mass: Float64 = np.where(high > low, (high**2 - low**2) / 8, 0.0)
    return mass
