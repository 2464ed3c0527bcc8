"""The search for theta: it grows where the classifier does not look, up to the cap."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import LAW_NAMES, LAWS, half_space

import aniso_jax as aj
from aniso_jax.geometry.balls import semi_axis_cap
from aniso_jax.optimize.anisotropic import VolumeAscent
from aniso_jax.optimize.problem import pose, run

X = jnp.array([0.5, 0.2, 0.7])
PARAMS = (jnp.array([20.0, 0.0, 4.0]), jnp.float32(0))
START = aj.Isotropic(sigma=jnp.float32(0.2))


def problem(law=aj.gaussian, *, apply_fn=half_space, x=X, key=0, start=START, label=0):
    key = jax.random.key(key)
    return pose(apply_fn, PARAMS, x, key, law=law, init=start, label=label)


run_jitted = jax.jit(run, static_argnums=0)


def objective(settings: VolumeAscent, p, theta) -> float:
    """Of theta, on draws that the search has not seen."""
    gap = p.soft_gap(aj.Diagonal(theta=theta), n=4096, first_block=5000, antithetic=True)
    return float(settings.objective(gap, theta))


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_an_ignored_coordinate_grows_up_to_the_cap(law) -> None:
    settings = aj.default_anisotropic
    found = run_jitted(settings, problem(law))
    theta, gap = np.asarray(found.scale.theta), float(found.gap)
    cap = semi_axis_cap(3, law.order)
    assert theta[1] == theta.max()
    assert np.all(theta >= 0.2)
    assert gap * theta[1] == pytest.approx(cap, rel=0.2)
    assert float(found.capped_share) >= 1 / 3 - 1e-6
    assert found.improved
    start = jnp.full(3, 0.2)
    assert objective(settings, problem(law), found.scale.theta) > objective(
        settings, problem(law), start
    )


PUBLISHED = replace(aj.published_anisotropic, steps=6)


@pytest.mark.parametrize(
    "settings", (VolumeAscent(steps=6), pytest.param(PUBLISHED, marks=pytest.mark.slow))
)
def test_scan_loop_and_map_agree(settings) -> None:
    floor = aj.Diagonal(theta=jnp.array([0.1, 0.3, 0.2]))
    p = problem(start=floor)
    state, step = settings.init(p), jax.jit(settings.step)
    for _ in range(settings.steps):
        state = step(p, state)
    looped = jax.jit(settings.finish)(p, state).scale.theta
    scanned = run_jitted(settings, p).scale.theta
    assert np.allclose(looped, scanned, rtol=1e-5)
    assert np.all(np.asarray(scanned) >= np.asarray(floor.theta))
    xs = jnp.stack([X, 2 * X])
    mapped = jax.jit(jax.vmap(lambda x: run(settings, problem(x=x, start=floor)).scale.theta))(xs)
    assert np.allclose(mapped[0], scanned, rtol=1e-5)
    assert np.allclose(
        mapped[1], run_jitted(settings, problem(x=2 * X, start=floor)).scale.theta, rtol=1e-5
    )


def test_the_start_is_kept_where_steps_cannot_help() -> None:
    wild = VolumeAscent(steps=2, learning_rate=50.0, reach=1e6)
    isolated = problem(apply_fn=bump, x=jnp.zeros(3))
    found = run_jitted(wild, isolated)
    assert not found.improved
    assert np.allclose(found.scale.theta, 0.2)
    assert float(found.gap) > 0


def bump(params, batch):
    """Class 0 in a small ball around 0 only: long axes empty the region."""
    score = 50.0 * (0.8 - jnp.linalg.norm(batch, axis=-1))
    return jnp.stack([score, -score], axis=-1)


def test_an_empty_region_never_beats_the_start() -> None:
    lost = run_jitted(aj.default_anisotropic, problem(label=1))  # x is of class 0
    assert not lost.improved
    assert np.allclose(lost.scale.theta, 0.2)


def fragile(params, batch):
    """Breaks down, forward and backward, where noise is large."""
    safe = half_space(params, batch)
    return safe + jnp.log(jnp.maximum(2.5 - jnp.abs(batch[:, 1:2]), -1.0))


def test_a_network_that_breaks_down_leaves_a_finite_theta() -> None:
    found = run_jitted(
        VolumeAscent(steps=20, learning_rate=1.0, reach=1e6), problem(apply_fn=fragile)
    )
    assert np.all(np.isfinite(found.scale.theta))
    assert np.all(np.asarray(found.scale.theta) >= 0.2)
    assert float(found.gap) > 0


def test_the_public_function_takes_the_label_itself_and_the_published_settings() -> None:
    published = aj.published_anisotropic
    assert (published.steps, published.n, published.learning_rate) == (100, 100, 0.04)
    assert (published.kappa, published.log_space, published.antithetic) == (2.0, False, False)
    found = jax.jit(
        lambda x: aj.optimize_anisotropic(
            half_space,
            PARAMS,
            x,
            jax.random.key(0),
            law=aj.gaussian,
            init=START,
            settings=published,
        )
    )(-X)
    assert float(found.gap) > 0  # of class 1
    assert float(found.scale.theta[1]) > 0.5
