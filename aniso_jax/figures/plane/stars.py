"""Classifiers of the plane whose inside is star-shaped: class 0 within R(phi) of the origin.

R(phi) = core + arm exp(sharpness (cos(phi - turn) - 1)), as in `data.toy2d`, whose set is one
of them. A negative arm is a narrow peak of the other class that reaches toward the origin.
"""

import math
from dataclasses import astuple, dataclass

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.data import toy2d

SOFTNESS = 0.02
"""Distance from the boundary at which f^y is 0.88: the soft votes of the searches see it."""


@dataclass(frozen=True, kw_only=True)
class Star:
    """The four numbers of R(phi); `turn` in radians."""

    core: float
    arm: float
    sharpness: float
    turn: float

    @property
    def params(self) -> jax.Array:
        """The weights of `star_logits`: core, arm, sharpness, turn."""
        return jnp.asarray(astuple(self), jnp.float32)

    def boundary(self, phi: NDArray[np.float64]) -> NDArray[np.float64]:
        """R(phi) in float64.

        >>> float(toy_star().boundary(np.array(0.0)))
        1.4
        """
        return self.core + self.arm * np.exp(self.sharpness * (np.cos(phi - self.turn) - 1))

    def inside(self, y: NDArray[np.floating]) -> NDArray[np.bool_]:
        """Whether points (..., 2) are of class 0."""
        radius, phi = np.hypot(y[..., 0], y[..., 1]), np.arctan2(y[..., 1], y[..., 0])
        return np.asarray(radius <= self.boundary(phi))

    def distance(self, x: NDArray[np.floating]) -> float:
        """Distance from x to the nearest point of the boundary, to 1e-6."""
        phi = np.linspace(0, 2 * np.pi, 200_001)
        radius = self.boundary(phi)
        edge = np.stack([radius * np.cos(phi), radius * np.sin(phi)], axis=-1)
        return float(np.linalg.norm(edge - x, axis=-1).min())


def star_logits(params: jax.Array, batch: jax.Array) -> jax.Array:
    """(batch, 2) logits; their difference is 2 (R(phi) - r) / SOFTNESS."""
    core, arm, sharpness, turn = params
    radius, phi = jnp.hypot(batch[:, 0], batch[:, 1]), jnp.arctan2(batch[:, 1], batch[:, 0])
    edge = core + arm * jnp.exp(sharpness * (jnp.cos(phi - turn) - 1))
    return jnp.stack([edge - radius, radius - edge], axis=-1) / SOFTNESS


def toy_star(turn: float = 0.0) -> Star:
    """The star of `data.toy2d`, turned around the origin."""
    return Star(core=toy2d.CORE, arm=toy2d.ARM, sharpness=toy2d.SHARPNESS, turn=turn)


def turned(x: NDArray[np.floating], turn: float) -> NDArray[np.float32]:
    """Points (..., 2) turned around the origin by so many radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    return np.asarray(x @ np.array([[cos, sin], [-sin, cos]]), np.float32)
