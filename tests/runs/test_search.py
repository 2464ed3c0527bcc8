"""A search driven from the host finds what the same search finds inside a scan."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.runs.search import search_batch

WEIGHTS = jnp.array([[4.0, -4.0], [1.0, -1.0], [0.0, 0.0]])
SETTINGS = {
    "golden section": aj.golden_section,
    "gradient ascent": dataclasses.replace(aj.published_isotropic, steps=5),
    "volume ascent": dataclasses.replace(aj.default_anisotropic, steps=5),
    "volume ascent as published": dataclasses.replace(aj.published_anisotropic, steps=5),
}


def linear(weights, batch):
    return batch @ weights


@pytest.mark.parametrize(
    ("name", "law"),
    [
        ("golden section", aj.gaussian),
        ("volume ascent", aj.uniform),
        pytest.param("gradient ascent", aj.uniform, marks=pytest.mark.slow),
        pytest.param("volume ascent as published", aj.gaussian, marks=pytest.mark.slow),
    ],
)
def test_host_and_scan_agree(name, law):
    settings = SETTINGS[name]
    x = jnp.array([[1.0, 0.5, 0.2], [-0.7, 0.1, 0.0]])
    keys = jax.random.split(jax.random.key(0), 2)
    init = aj.Isotropic(sigma=jnp.array([0.2, 0.3]))
    host = search_batch(settings, linear, WEIGHTS, x, keys, law=law, init=init)
    optimize = aj.optimize_anisotropic if "volume" in name else aj.optimize_isotropic

    def scanned(x, key, init):
        return optimize(linear, WEIGHTS, x, key, law=law, init=init, settings=settings)

    inside = jax.jit(jax.vmap(scanned))(x, keys, init)
    pairs = zip(jax.tree.leaves(host), jax.tree.leaves(inside), strict=True)
    for from_host, from_scan in pairs:
        np.testing.assert_allclose(from_host, from_scan, rtol=1e-5, atol=1e-5)
    moved = host.scale.push(jnp.ones_like(x)) if "volume" in name else host.scale.sigma
    assert not np.allclose(moved, 0.2)
