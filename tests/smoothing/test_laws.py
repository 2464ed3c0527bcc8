"""Laws against SciPy's distributions: quantiles, gaps and samples."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats
from oracles import DISTRIBUTION, LAW_NAMES, LAWS

import aniso_jax as aj
from aniso_jax.smoothing.noise import BLOCK, Window, standard_noise

pytestmark = pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
P = np.r_[np.logspace(-9, -1, 60), np.linspace(0.11, 0.99, 60)]


def test_quantile_and_distribution_function(law) -> None:
    truth = DISTRIBUTION[law.name]
    assert np.allclose(law.host_quantile(P), truth.ppf(P), rtol=1e-12, atol=1e-14)
    assert np.allclose(law.host_cdf(truth.ppf(P)), P, rtol=1e-12)
    assert np.allclose(
        law.quantile(jnp.asarray(P, jnp.float32)), truth.ppf(P), rtol=2e-6, atol=3e-7
    )
    assert law.std == pytest.approx(truth.std())


def test_gap_of_two_bounds_has_its_half_and_is_never_negative(law) -> None:
    truth = DISTRIBUTION[law.name]
    p_a, p_b = np.meshgrid(np.linspace(0.05, 0.95, 19), np.linspace(0.01, 0.9, 20))
    expected = np.maximum((truth.ppf(p_a) - truth.ppf(p_b)) / 2, 0)
    assert np.allclose(law.host_gap(1 - p_a, p_b), expected, atol=1e-12)
    assert np.allclose(law.gap(1 - p_a, p_b), expected, atol=2e-6)
    one_sided = law.gap(jnp.float32(0.2))
    assert float(one_sided) == pytest.approx(truth.ppf(0.8), rel=1e-6)


def test_the_gap_grows_with_p_and_its_slope_is_finite(law) -> None:
    failure = jnp.logspace(-7, -0.4, 50)
    assert np.all(np.diff(np.asarray(law.gap(failure))) < 0)
    slope = jax.jit(jax.vmap(jax.grad(law.gap)))(failure)
    assert np.all(np.isfinite(slope) & (np.asarray(slope) < 0))


def test_samples_follow_the_law_and_are_independent(law) -> None:
    window = Window(key=jax.random.key(5), phase=aj.Phase.ESTIMATE, first=3, blocks=200)
    z = np.asarray(standard_noise(law, window, (2,)))
    assert z.shape == (200 * BLOCK, 2)
    assert scipy.stats.kstest(z.ravel(), DISTRIBUTION[law.name].cdf).pvalue > 1e-3
    assert abs(np.corrcoef(z.T)[0, 1]) < 4 / np.sqrt(len(z))
    assert abs(np.corrcoef(z[:-1, 0], z[1:, 0])[0, 1]) < 4 / np.sqrt(len(z))


def test_a_law_is_static_and_named(law) -> None:
    assert repr(law) == f"aniso_jax.{law.name}"
    assert hash(law) == hash(law)
    assert jax.jit(lambda law, q: law.gap(q), static_argnums=0)(law, 0.1) > 0
