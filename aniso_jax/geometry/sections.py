"""A region in a plane through its center: where the plane cuts it, and the shadow it casts there.

In the plane { center + a u + b v } with u, v orthonormal, the cut is
{ (a, b) : ||A (a u + b v)|| <= gap }, the region's own points; the shadow is
{ (<y - center, u>, <y - center, v>) : y in R }, which is larger and mostly
made of points that lie outside the plane. Both are computed in float64.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from numpy.typing import NDArray

from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated

Float64 = NDArray[np.float64]

_CORNERS = 4096
"""Pairs of corners that a drawn cross-polytope keeps, at most: more are less than a pixel apart."""


def section(region: Region, plane: ArrayLike, *, points: int = 720) -> Float64:
    """The outline of the cut: (N, 2) plane coordinates in order, the first one again at the end.

    Every point has gauge 1; a cross-polytope's corners are among them, so that the polygon
    through the points is the cut itself for l1 and lies inside it for l2. Beyond 4,096
    coordinates only the sharpest corners are, and the polygon lies inside the cut for l1 too.

    Args:
      region: one region with a gap above 0.
      plane: (2, *input shape), orthonormal.
      points: evenly spread directions.

    Raises:
      ValueError: an empty region, or a plane that is not two orthonormal directions of its shape.

    >>> import aniso_jax as aj
    >>> region = aj.Region(center=jnp.zeros(3), scale=aj.Isotropic(sigma=0.5), gap=jnp.array(2.0),
    ...                    order=1)
    >>> cut = section(region, np.eye(3)[:2])
    >>> bool(abs(np.abs(cut).sum(axis=1) - 1).max() < 1e-12)
    True
    """
    u, v = _mapped(region, plane, "pull")
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    if region.order == 1:
        sharpest = np.argsort(-np.hypot(u, v))[:_CORNERS]
        kinks = np.arctan2(-u, v)[sharpest]
        angle = np.unique(np.concatenate([angle, kinks, kinks + np.pi]) % (2 * np.pi))
    angle = np.append(angle, angle[0])
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    if region.order == 1:
        lengths = _sums(u, v, angle)
    else:
        lengths = np.array([np.linalg.norm(a * u + b * v) for a, b in circle])
    return float(region.gap) * circle / lengths[:, None]


def shadow(region: Region, plane: ArrayLike, *, points: int = 720) -> Float64:
    """The outline of the projection onto the plane, as `section` gives that of the cut."""
    reach = np.stack(_mapped(region, plane, "adjoint"))  # the column i is where S e_i falls
    gap = float(region.gap)
    if region.order == 1:
        return gap * _around(np.concatenate([reach.T, -reach.T]))
    angle = np.linspace(0, 2 * np.pi, points + 1)
    normal = np.stack([np.cos(angle), np.sin(angle)])
    length = np.linalg.norm(reach.T @ normal, axis=0)
    outline: Float64 = gap * (reach @ (reach.T @ normal) / length).T
    return outline


def _sums(u: Float64, v: Float64, angle: Float64) -> Float64:
    """||cos(angle) u + sin(angle) v||_1 for many angles in one sweep: O((d + angles) log d).

    On the way from 0 to pi every summand changes its sign once; sums of those that have changed
    it, in the order in which they do, give all the others.
    """
    first = np.where(u != 0, np.sign(u), np.sign(v))
    turns = np.where(u != 0, np.arctan2(-u, v) % np.pi, np.pi)
    order = np.argsort(turns)
    passed = np.searchsorted(turns[order], angle % np.pi)
    along = []
    for row in (u, v):
        changed = np.concatenate([[0.0], np.cumsum((first * row)[order])])
        along.append(changed[-1] - 2 * changed[passed])
    sums: Float64 = np.abs(along[0] * np.cos(angle) + along[1] * np.sin(angle))
    return sums


def _around(corners: Float64) -> Float64:
    """The convex hull of points in the plane, in order and closed."""
    from scipy.spatial import ConvexHull  # here, so that the import stays light

    hull = corners[ConvexHull(corners).vertices]
    return np.concatenate([hull, hull[:1]])


def _mapped(region: Region, plane: ArrayLike, way: str) -> tuple[Float64, Float64]:
    """The two directions, through A or through S', flattened."""
    _check(region, plane)
    with jax.enable_x64(True):
        scale = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), region.scale)
        if way == "adjoint" and not isinstance(scale, Rotated):
            way = "push"  # aligned scales are symmetric
        rows = jnp.asarray(np.asarray(plane, np.float64))
        u, v = (np.asarray(getattr(scale, way)(row), np.float64).ravel() for row in rows)
    return u, v


def _check(region: Region, plane: ArrayLike) -> None:
    region.check_single()
    shape = jnp.shape(region.center)
    if jnp.shape(plane) != (2, *shape):
        raise ValueError(
            f"plane has shape {jnp.shape(plane)}, wanted {(2, *shape)}: two directions."
        )
    rows = np.asarray(plane, np.float64).reshape(2, -1)
    if not np.allclose(rows @ rows.T, np.eye(2), atol=1e-4):
        raise ValueError("plane is not orthonormal: divide its rows by their lengths, after QR.")
    if not float(region.gap) > 0:
        raise ValueError("The region is empty (gap 0): nothing is certified, so nothing is drawn.")
