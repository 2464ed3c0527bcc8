"""Regions of two dimensions, and what brute force says of them."""

import jax.numpy as jnp
import numpy as np

import aniso_jax as aj

ANGLE = np.linspace(0, 2 * np.pi, 720, endpoint=False)
CIRCLE = np.concatenate([np.stack([np.cos(ANGLE), np.sin(ANGLE)], 1), np.eye(2), -np.eye(2)])
ROUNDING = 1e-5


def region(center, theta, gap, order) -> aj.Region:
    return aj.Region(
        center=jnp.asarray(center, jnp.float32),
        scale=aj.Diagonal(theta=jnp.asarray(theta, jnp.float32)),
        gap=jnp.float32(gap),
        order=order,
    )


def outline(center, theta, gap, order, *, grown: float = 1.0) -> np.ndarray:
    """Points of a region in float64: its center, its outline, and rings between."""
    unit = CIRCLE / np.linalg.norm(CIRCLE, ord=order, axis=1, keepdims=True)
    rings = np.concatenate([unit * share for share in (0.0, 0.5, 0.9, grown)])
    return np.float64(center) + rings * np.float64(gap) * np.float64(theta)


def gauge(center, theta, gap, order, points) -> np.ndarray:
    whitened = (points - np.float64(center)) / (np.float64(gap) * np.float64(theta))
    return np.linalg.norm(whitened, ord=order, axis=1)


def separation(one, other, order) -> float:
    """How far two (center, theta, gap) may both grow before they meet: over all directions w.

    max over w of w . delta / (reach of one + reach of the other), by a net of angles, made finer
    around the best one; a lower bound, off by less than 1e-9.
    """
    axes = [np.float64(gap) * np.float64(theta) for _, theta, gap in (one, other)]
    along_axes = np.max(np.abs(np.float64(one[0]) - np.float64(other[0])) / (axes[0] + axes[1]))
    if along_axes > 1.01:  # one coordinate is enough
        return float(along_axes)
    unit = np.maximum(*axes)
    delta = (np.float64(one[0]) - np.float64(other[0])) / unit
    best, width = 0.0, np.pi
    for _ in range(4):
        angles = best + width * np.linspace(-1, 1, 2001)
        w = np.stack([np.cos(angles), np.sin(angles)], 1)
        dual = np.inf if order == 1 else 2
        reaches = [np.linalg.norm(w * (a / unit), ord=dual, axis=1) for a in axes]
        ratio = w @ delta / (reaches[0] + reaches[1])
        best, width = angles[np.argmax(ratio)], width / 500
    return float(ratio.max())
