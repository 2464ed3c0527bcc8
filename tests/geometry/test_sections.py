"""Outlines are exact: gauge 1 on the section, support planes touched by the projection."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.geometry.sections import section, shadow

SHAPE = (5, 4, 1)
D = 20


def regions(order: int) -> dict[str, aj.Region]:
    rng = np.random.default_rng(order)
    theta = rng.uniform(0.2, 2.0, SHAPE).astype(np.float32)
    basis = np.linalg.qr(rng.normal(size=(D, 3)))[0].T.reshape(3, *SHAPE).astype(np.float32)
    stretch = np.array([0.4, 2.0, 3.0], np.float32)
    found = {
        "isotropic": aj.Isotropic(sigma=np.float32(0.3)),
        "anisotropic": aj.Diagonal(theta=theta),
        "rotated": aj.Rotated(theta=theta, basis=basis, stretch=stretch),
    }
    return {
        kind: aj.Region(center=jnp.zeros(SHAPE), scale=scale, gap=jnp.float32(1.7), order=order)
        for kind, scale in found.items()
    }


def plane() -> np.ndarray:
    rows = np.random.default_rng(9).normal(size=(D, 2))
    return np.linalg.qr(rows)[0].T.reshape(2, *SHAPE)


CASES = [(order, kind) for order in (1, 2) for kind in ("isotropic", "anisotropic", "rotated")]


@pytest.mark.parametrize(("order", "kind"), CASES)
def test_a_drawn_point_of_the_section_has_gauge_one(order, kind) -> None:
    region, axes = regions(order)[kind], plane()
    points = section(region, axes, points=90)
    drawn = np.tensordot(points, axes, axes=1)
    with jax.enable_x64(True):
        wide = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float64), region.scale)
        pulled = np.asarray(jax.vmap(wide.pull)(jnp.asarray(drawn))).reshape(-1, D)
    gauges = np.linalg.norm(pulled, ord=order, axis=1) / float(region.gap)
    assert np.abs(gauges - 1).max() < 1e-6
    rounded = np.asarray(jax.vmap(region.gauge)(jnp.asarray(drawn, jnp.float32)))
    assert np.abs(rounded - 1).max() < 2e-6
    assert np.abs(points[0] - points[-1]).max() == 0


@pytest.mark.parametrize(("order", "kind"), CASES)
def test_the_projection_holds_every_point_and_touches_its_support(order, kind) -> None:
    region, axes = regions(order)[kind], plane().reshape(2, D)
    outline = shadow(region, axes.reshape(2, *SHAPE))
    matrix = np.asarray(jax.vmap(region.scale.push)(jnp.eye(D).reshape(D, *SHAPE))).reshape(D, D)
    normal = np.stack([np.cos(np.arange(12)), np.sin(np.arange(12))], axis=-1)
    lengths = np.linalg.norm(normal @ axes @ matrix.T, ord=2 if order == 2 else np.inf, axis=1)
    support = float(region.gap) * lengths  # of the region itself, by duality
    reached = (outline @ normal.T).max(axis=0)
    np.testing.assert_allclose(reached, support, rtol=2e-4)
    cut = section(region, axes.reshape(2, *SHAPE), points=60)
    assert ((cut @ normal.T).max(axis=0) <= support * (1 + 1e-6)).all()


def test_a_cross_polytope_of_the_plane_has_its_corners() -> None:
    scale = aj.Diagonal(theta=jnp.array([1.0, 3.0]))
    region = aj.Region(center=jnp.zeros(2), scale=scale, gap=jnp.float32(2.0), order=1)
    points = section(region, np.eye(2), points=7)
    for corner in ([2, 0], [0, 6], [-2, 0], [0, -6]):
        assert np.abs(points - corner).max(axis=1).min() < 1e-9


def test_a_cross_polytope_of_an_image_of_224_x_224_x_3_is_cut_in_one_sweep() -> None:
    """Its sharpest corners are among the points, all of which have gauge 1."""
    d = 150_528
    rng = np.random.default_rng(0)
    rows = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
    theta = np.exp(rng.normal(size=d)).astype(np.float32)
    region = aj.Region(
        center=jnp.zeros(d), scale=aj.Diagonal(theta=theta), gap=jnp.float32(3.0), order=1
    )
    points = section(region, rows)
    assert 720 < len(points) < 10_000
    pulled = rows / theta.astype(np.float64)
    gauges = [np.abs(point @ pulled).sum() / 3.0 for point in points[::200]]
    assert np.abs(np.array(gauges) - 1).max() < 1e-9
    u, v = pulled[:, np.argmax(np.linalg.norm(pulled, axis=0))]
    corner = np.array([v, -u]) / np.hypot(u, v)
    turned = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert (turned @ corner).max() > 1 - 1e-14


def test_what_is_refused() -> None:
    region = regions(2)["isotropic"]
    with pytest.raises(ValueError, match="wanted \\(2, 5, 4, 1\\)"):
        section(region, np.eye(2))
    with pytest.raises(ValueError, match="not orthonormal"):
        section(region, 2 * plane())
    empty = aj.Region(center=jnp.zeros(SHAPE), scale=region.scale, gap=jnp.float32(0.0), order=2)
    with pytest.raises(ValueError, match="nothing is certified"):
        section(empty, plane())
