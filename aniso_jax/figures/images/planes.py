"""Planes through an image: directions of its Hessian, and what the network says there."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.models.checkpoint import Model
from aniso_jax.optimize.curvature import (
    ScalarFn,
    hessian_product,
    label_probability,
    low_curvature_direction,
    top_curvature,
)
from aniso_jax.report.figures.panel import Landscape
from aniso_jax.smoothing.votes import ApplyFn

Float64 = NDArray[np.float64]

_GRID = 61


@dataclass(frozen=True, kw_only=True)
class Curvature:
    """The Hessian of f^y at an image: eigenvalues by size, their directions, and flat ones.

    Attributes:
      values: of the directions `basis`, (k,).
      basis: (k, H, W, C), orthonormal.
      flat: (picks, H, W, C), each orthogonal to the basis, picked by seed.
      along_flat: v' H v of each of them, (picks,): 0 but for rounding where the logits are
        piecewise linear, and not 0 where the network has smooth activations.
    """

    values: Float64
    basis: jax.Array
    flat: list[jax.Array]
    along_flat: Float64


def curvature_at(
    model: Model, x: NDArray[np.float32], label: int, picks: int, seed: int
) -> Curvature:
    """As many directions as softmax can bend along, K - 1, and some of the flat rest.

    For piecewise linear logits all other eigenvalues are 0. In float64: where f^y is nearly 1 its
    Hessian is a small difference.
    """
    k = max(min(model.classes - 1, x.size - 1), 2)
    with jax.enable_x64(True):
        params = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), model.params)
        f = label_probability(model.apply_fn, params, label)
        values, found = top_curvature(f, jnp.asarray(x, jnp.float64), k, seed=seed)
        keys = [jax.random.fold_in(jax.random.key(seed), pick) for pick in range(picks)]
        flat = [low_curvature_direction(found, key) for key in keys]
        along = _curvature_along(f, jnp.asarray(x, jnp.float64), flat)
    single = [jnp.asarray(np.asarray(rows, np.float32)) for rows in (found, *flat)]
    return Curvature(values=np.asarray(values), basis=single[0], flat=single[1:], along_flat=along)


def _curvature_along(f: ScalarFn, x: jax.Array, directions: list[jax.Array]) -> Float64:
    product = jax.jit(lambda v: jnp.vdot(v, hessian_product(f, x, v)))
    return np.array([float(product(v)) for v in directions])


def plane_landscape(
    model: Model, x: NDArray[np.float32], label: int, plane: jax.Array, width: float
) -> Landscape:
    """f^y on a square of half-width `width` of a plane through x."""
    line = jnp.linspace(-width, width, _GRID)
    found = [_row(model.apply_fn, model.params, jnp.asarray(x), plane, line, up) for up in line]
    logits = np.asarray(jnp.stack(found), np.float64)
    own, others = logits[..., label], np.delete(logits, label, axis=-1)
    confidence = 1 / (1 + np.exp(others - own[..., None]).sum(axis=-1))
    extent = (-width, width, -width, width)
    return Landscape(confidence=confidence, margin=own - others.max(axis=-1), extent=extent)


@partial(jax.jit, static_argnums=0)
def _row(
    apply_fn: ApplyFn, params: Any, x: jax.Array, plane: jax.Array, line: jax.Array, up: jax.Array
) -> jax.Array:
    """Logits along one row of the grid: one shape for networks of any size."""
    moved = x + up * plane[1] + line.reshape(-1, *[1] * x.ndim) * plane[0]
    return apply_fn(params, moved)
