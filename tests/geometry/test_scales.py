"""Scales: push undoes pull, determinants add up, and what is no scale is refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import scales

import aniso_jax as aj


@pytest.mark.parametrize("kind", ("isotropic", "diagonal"))
def test_push_undoes_pull_and_the_determinant_is_theirs(kind) -> None:
    scale, theta = scales(6, kind)
    v = jnp.asarray(np.random.default_rng(0).normal(size=6), jnp.float32)
    assert np.allclose(scale.push(scale.pull(v)), v, rtol=1e-6)
    matrix = np.asarray(jax.jacobian(scale.push)(v), np.float64)
    assert np.allclose(matrix, np.diag(theta), rtol=1e-6)
    _, log_det = np.linalg.slogdet(matrix)
    assert float(scale.log_abs_det(6)) == pytest.approx(log_det, abs=1e-5)
    assert float(scale.inradius(1)) == float(scale.inradius(2)) == pytest.approx(theta.min())
    assert isinstance(scale, aj.Scale)
    assert scale.is_valid()


@pytest.mark.parametrize("bad", (0.0, -1.0, float("nan"), float("inf")))
def test_numbers_that_are_no_scale_are_refused_or_flagged(bad) -> None:
    with pytest.raises(ValueError, match="sigma must be finite and positive, got"):
        aj.Isotropic(sigma=bad)
    with pytest.raises(ValueError, match="theta must be finite and positive, got"):
        aj.Diagonal(theta=np.array([1.0, bad]))
    assert not aj.Isotropic(sigma=jnp.float32(bad)).is_valid()
    assert not aj.Diagonal(theta=jnp.array([1.0, bad])).is_valid()


def test_a_theta_of_another_size_has_no_determinant() -> None:
    with pytest.raises(ValueError, match="theta has 3 entries, wanted 4"):
        aj.Diagonal(theta=jnp.ones(3)).log_abs_det(4)


def test_scales_pass_through_jit_vmap_and_grad() -> None:
    thetas = jnp.array([[1.0, 2.0], [3.0, 4.0]])
    stacked = aj.Diagonal(theta=thetas)
    dets = jax.jit(jax.vmap(lambda scale: scale.log_abs_det(2)))(stacked)
    assert np.allclose(dets, np.log([2.0, 12.0]))
    slope = jax.grad(lambda scale: scale.log_abs_det(2))(aj.Diagonal(theta=thetas[0]))
    assert np.allclose(slope.theta, [1.0, 0.5])
