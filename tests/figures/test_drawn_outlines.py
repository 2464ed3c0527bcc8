"""What is drawn of certified regions stays on its side of a boundary that is known exactly.

Noise that is symmetric leaves a half-space where it is: its smoothed classifier has its boundary.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import half_space

import aniso_jax as aj
from aniso_jax.figures.plane.panels import outline_at
from aniso_jax.geometry.sections import section, shadow

D, DISTANCE = 5, 0.3
KINDS = ("isotropic", "anisotropic", "rotated")


def scales(order: int, d: int) -> aj.Rotated:
    """A ball, a diagonal and a rotated scale, as rotated ones: they are certified in one batch."""
    rng = np.random.default_rng(d)
    size = 0.12 if order == 2 else 0.25
    basis = np.linalg.qr(rng.normal(size=(d, 2)))[0].T
    theta = size * np.stack([np.ones(d), *np.exp(0.4 * rng.normal(size=(2, d)))])
    stretch = np.array([[1.0, 1.0], [1.0, 1.0], [0.5, 3.0]])
    three = theta, np.stack([basis] * 3), stretch
    theta, basis, stretch = (jnp.asarray(array, jnp.float32) for array in three)
    return aj.Rotated(theta=theta, basis=basis, stretch=stretch)


def certified(law: aj.Law, d: int) -> tuple[list[aj.Region], np.ndarray, np.ndarray]:
    """Regions of a point at a known distance from the boundary; the point, and the way there."""
    normal = np.random.default_rng(7).normal(size=d)
    normal /= np.linalg.norm(normal)
    x, plan = 1.0 + DISTANCE * normal, aj.plan(law, n=2_000)
    params = jnp.asarray(normal, jnp.float32), jnp.float32(normal.sum())

    def one(scale: aj.Scale) -> aj.Certification:
        ask = half_space, params, jnp.asarray(x, jnp.float32), jax.random.key(0)
        return aj.certify(*ask, law=law, scale=scale, plan=plan)

    found = jax.jit(jax.vmap(one))(scales(law.order, d))
    assert (np.asarray(found.label) == 0).all()
    rows = [jax.tree.map(lambda leaf, at=at: leaf[at], found.region) for at in range(3)]
    return rows, x, -normal


@pytest.mark.parametrize("law", (aj.gaussian, aj.uniform), ids=("gaussian", "uniform"))
@pytest.mark.parametrize("d", (2, D))
def test_outlines_never_lie_in_the_other_class(law, d) -> None:
    found, x, way = certified(law, d)
    other = np.random.default_rng(1).normal(size=d)
    other -= (other @ way) * way
    plane = np.stack([way, other / np.linalg.norm(other)])
    for kind, region in zip(KINDS, found, strict=True):
        drawn = [section(region, plane)[:, 0], shadow(region, plane)[:, 0]]
        if d == 2:
            drawn.append((outline_at(region, x) - x) @ way)
        reach = np.array([outline.max() for outline in drawn])
        assert (reach <= DISTANCE * (1 + 1e-6)).all(), kind
        assert reach.max() >= 0.2 * DISTANCE  # and it is no empty claim
