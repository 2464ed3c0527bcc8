"""What may not be certified with, said in one sentence; and float64 where x64 is on."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import half_space
from quick import ENVIRONMENT

import aniso_jax as aj
from aniso_jax.statistics.binomial import failure_bounds, is_sound

PARAMS = (jnp.array([1.0, 0.0]), jnp.float32(0.0))
X, PLAN = jnp.array([1.0, 0.0]), aj.plan(aj.gaussian, n=100)


def certify(key=None, scale=None, plan=PLAN):
    key = jax.random.key(0) if key is None else key
    scale = aj.Isotropic(sigma=0.5) if scale is None else scale
    return aj.certify(half_space, PARAMS, X, key, law=aj.gaussian, scale=scale, plan=plan)


@pytest.mark.parametrize("impl", ("rbg", "unsafe_rbg"))
def test_a_generator_that_changes_under_vmap_is_refused(impl) -> None:
    with pytest.raises(ValueError, match="threefry2x32"):
        certify(key=jax.random.key(0, impl=impl))


def test_a_raw_key_is_a_key() -> None:
    typed, raw = certify(), certify(key=jax.random.PRNGKey(0))
    assert np.array_equal(typed.votes, raw.votes)


def test_a_batch_of_sigmas_is_no_scale_of_one_input() -> None:
    with pytest.raises(ValueError, match=r"jax\.vmap"):
        certify(scale=aj.Isotropic(sigma=jnp.array([0.5, 100.0])))


def test_theta_may_be_a_list() -> None:
    assert int(certify(scale=aj.Diagonal(theta=[0.5, 0.5])).label) == 0


@pytest.mark.parametrize("sigma", (-1, -0.5, 0.0, float("nan")))
def test_no_scale_below_zero(sigma) -> None:
    with pytest.raises(ValueError, match="sigma must be finite and positive"):
        aj.Isotropic(sigma=sigma)


def test_a_scale_may_name_axes() -> None:
    sigmas = aj.Isotropic(sigma=jnp.array([0.5, 1.0]))
    pushed = jax.vmap(lambda scale: scale.push(1.0), in_axes=(aj.Isotropic(sigma=0),))(sigmas)
    assert pushed.tolist() == [0.5, 1.0]


def test_a_region_of_an_invalid_scale_contains_nothing() -> None:
    scale = aj.Isotropic(sigma=jnp.float32(-1.0))
    region = aj.Region(center=jnp.zeros(2), scale=scale, gap=jnp.float32(1.0), order=2)
    assert not bool(region.contains(jnp.zeros(2)))
    assert float(region.radius()) == 0


@pytest.mark.parametrize("alpha", (1e-150, 0.0, 0.7, float("nan")))
@pytest.mark.parametrize("bound", ("one-sided", "anytime"))
def test_alpha_without_a_proof_is_refused(alpha, bound) -> None:
    with pytest.raises(ValueError, match="alpha must lie in"):
        aj.plan(aj.gaussian, n=20_000, alpha=alpha, bound=bound)


@pytest.mark.parametrize("n", (10, 1000, 20_000))
def test_tables_are_proved_down_to_the_smallest_alpha(n) -> None:
    assert is_sound(failure_bounds(n, 1e-100), 1e-100)


def test_numbers_of_numpy_are_numbers() -> None:
    plan = aj.plan(aj.gaussian, n0=np.int64(10), n=np.int64(100), alpha=np.float32(0.001))
    assert int(certify(plan=plan).votes.sum()) == 100


@pytest.mark.parametrize("k, n", ((101, 100), (2**24, 2**24 + 2)))
def test_counts_that_are_none_prove_nothing(k, n) -> None:
    assert float(aj.binomial_lower(k, n, 0.001)) == 0


X64 = """
import jax; jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp, aniso_jax as aj
f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
w, x, key = jnp.array([1.0, 0.0]), jnp.array([1.0, 0.0]), jax.random.key(0)
ball = aj.optimize_isotropic(f, w, x, key, law=aj.gaussian, init=aj.Isotropic(sigma=0.25))
best = aj.optimize_anisotropic(f, w, x, key, law=aj.gaussian, init=ball.scale)
plan = aj.plan(aj.gaussian, looks=(100, 1000))
c = aj.certify(f, w, x, key, law=aj.gaussian, scale=best.scale, plan=plan)
assert int(c.label) == 0 and 0 < c.region.radius() < 1
"""


@pytest.mark.slow
def test_everything_runs_in_float64() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error::FutureWarning", "-c", X64],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, **ENVIRONMENT},  # compiling is most of it
    )
    assert done.returncode == 0, done.stderr
