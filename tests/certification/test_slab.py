"""A slab: two boundaries, p_A in closed form; the region stays where the class is constant."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import LAW_NAMES, LAWS, slab, slab_p, slab_reach

import aniso_jax as aj

WIDTH, THETA = 1.0, 0.7
POSITIONS = (0.0, 0.3, 0.6)


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize("theta", (0.2, 0.7, 1.2))
def test_the_exact_gap_stays_inside_the_constant_set(law, position, theta) -> None:
    p = slab_p(law, WIDTH, position, theta)
    gap = float(law.host_gap(np.float64(1 - p)))
    assert position + gap * theta <= slab_reach(law, WIDTH, theta) + 1e-9
    if position == 0.0 and law.name == "gaussian":
        assert gap * theta < WIDTH  # two boundaries: not even the nearer one is reached


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_certified_regions_stay_inside(law) -> None:
    plan = aj.plan(law, n=1000)
    scale = aj.Diagonal(theta=jnp.array([THETA, 5.0]))
    keys = jax.random.split(jax.random.key(1), 8)

    @jax.jit
    @jax.vmap
    def certify(x: jax.Array, key: jax.Array) -> aj.Certification:
        width = jnp.float32(WIDTH)
        return aj.certify(slab, width, x, key, law=law, scale=scale, plan=plan, chunk=64)

    reach = slab_reach(law, WIDTH, THETA)
    for position in POSITIONS:
        xs = jnp.tile(jnp.array([position, 0.0]), (8, 1))
        found = certify(xs, keys)
        p = slab_p(law, WIDTH, position, THETA)
        assert abs(float(found.votes[:, 0].mean()) / 1000 - p) <= 5 * np.sqrt(p * (1 - p) / 8000)
        assert np.all(position + np.asarray(found.region.gap) * THETA <= reach)
        assert np.all(np.asarray(found.label) == 0)
    outside = certify(jnp.tile(jnp.array([3.0, 0.0]), (8, 1)), keys)
    assert np.all(np.asarray(outside.label) == 1)
