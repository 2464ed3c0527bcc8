"""Shortest axis and determinant of the scales of a batch, in float64 from the stored numbers."""

from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from numpy.typing import NDArray

from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Isotropic

Float64 = NDArray[np.float64]

_COLUMNS = 256  # of |S^-1| summed at a time


@dataclass(frozen=True, kw_only=True)
class Lengths:
    """What the measures of regions take from their scales.

    Attributes:
      theta: (N, d), or (N, 1) for isotropic scales.
      shortest: (N,), radius of a ball inside for each unit of gap: exact for aligned scales.
      mean_log: (N,), log |det S| / d.
    """

    theta: Float64
    shortest: Float64
    mean_log: Float64


def lengths_of(scale: Any, rows: int, *, order: int) -> Lengths:
    """The lengths of `rows` scales, for regions of a norm."""
    diagonal = scale.sigma if isinstance(scale, Isotropic) else scale.theta
    theta = np.asarray(jax.device_get(diagonal), np.float64).reshape(rows, -1)
    shortest, mean_log = theta.min(axis=-1), np.mean(np.log(theta), axis=-1)
    if not isinstance(scale, Rotated):
        return Lengths(theta=theta, shortest=shortest, mean_log=mean_log)
    basis, stretch = (
        np.asarray(jax.device_get(values), np.float64) for values in (scale.basis, scale.stretch)
    )
    turned = [
        _turned(*one, order=order)
        for one in zip(theta, basis.reshape(*stretch.shape, -1), stretch, strict=True)
    ]
    radii, logs = np.array(turned, np.float64).reshape(-1, 2).T
    return Lengths(theta=theta, shortest=radii, mean_log=mean_log + logs / theta.shape[-1])


def _turned(theta: Float64, basis: Float64, stretch: Float64, *, order: int) -> Any:
    """(radius of a ball inside, log det M) of diag(theta) M, M = I + V diag(t - 1) V'.

    Exact for the V that is stored, orthonormal or a little off, with G = V'V: det M =
    det(I + diag(t - 1) G), and M's eigenvalues beside 1 are those of that matrix. NaN and 0 where
    the numbers make no scale: nothing is certified there.
    """
    k, d = basis.shape
    inner = np.eye(k) + (stretch - 1)[:, None] * (basis @ basis.T)
    sign, log_det = np.linalg.slogdet(inner)
    if not (np.all(np.isfinite(theta)) and np.all(stretch > 0) and sign > 0):
        return 0.0, np.nan
    if order == 1:
        return 1 / np.max(_column_sums(basis, inner, stretch) / theta), log_det
    least = float(np.min(np.linalg.eigvals(inner).real))
    by_product = np.min(theta) * (least if k == d else min(least, 1.0))
    return max(by_product, _by_sum(theta, basis, inner, stretch)), log_det


def _by_sum(theta: Float64, basis: Float64, inner: Float64, stretch: Float64) -> float:
    """`shortest_axis` exactly: M^-2 = I + V K V', of which the negative part is left out.

    With G = L L', V = U L' for orthonormal U, so that M^-2 = I + U (L' K L) U'.
    """
    once = -np.linalg.solve(inner, np.diag(stretch - 1))
    twice = 2 * once + once @ (basis @ basis.T) @ once.T
    low = np.linalg.cholesky(basis @ basis.T)
    values, vectors = np.linalg.eigh(low.T @ (twice + twice.T) @ low / 2)
    directions = np.linalg.solve(low, basis).T @ (vectors * np.sqrt(np.maximum(values, 0)))
    added = np.linalg.norm(directions / theta[:, None], 2) ** 2
    return float((np.min(theta) ** -2 + added) ** -0.5)


def _column_sums(basis: Float64, inner: Float64, stretch: Float64) -> Float64:
    """Column sums of |M^-1| = |I - V (I + diag(t - 1) G)^-1 diag(t - 1) V'|."""
    right = np.linalg.solve(inner, (stretch - 1)[:, None] * basis)
    sums = []
    for at in range(0, basis.shape[1], _COLUMNS):
        block = -(basis.T @ right[:, at : at + _COLUMNS])
        block[np.arange(at, at + block.shape[1]), np.arange(block.shape[1])] += 1
        sums.append(np.abs(block).sum(axis=0))
    return np.concatenate(sums)
