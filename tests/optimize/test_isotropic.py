"""The search for sigma: near the optimum of a bump, never below its start."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import DISTRIBUTION

import aniso_jax as aj
from aniso_jax.optimize.problem import pose, run

WIDTH = 1.0


def slab(params, batch):
    score = 200.0 * (params - jnp.abs(batch[:, 0]))
    return jnp.stack([score, -score], axis=-1)


@partial(jax.jit, static_argnames=("law", "settings", "apply_fn"))
def search(sigma, key=0, *, law=aj.gaussian, settings=aj.golden_section, apply_fn=slab):
    return aj.optimize_isotropic(
        apply_fn,
        jnp.float32(WIDTH),
        jnp.zeros(1),
        jax.random.key(key),
        law=law,
        init=aj.Isotropic(sigma=sigma),
        settings=settings,
        label=0,
    )


def true_radius(law: aj.Law, sigma: float) -> float:
    """Of a slab around its middle: sigma F^-1(p), p = P[|sigma z| <= width] as 256 draws tell it.

    Without that doubt of 1/(4 n) the smallest sigma would be the best.
    """
    truth, doubt = DISTRIBUTION[law.name], 1 / (4 * aj.golden_section.n)
    failure = (2 * truth.sf(WIDTH / sigma) + doubt) / (1 + 2 * doubt)
    return float(sigma * truth.isf(failure))


@pytest.mark.parametrize("law", (aj.gaussian, aj.laplace), ids=repr)
@pytest.mark.parametrize("start", (0.1, 0.9))
def test_sigma_comes_close_to_the_best(law, start) -> None:
    best = max(true_radius(law, sigma) for sigma in np.geomspace(0.02, 10, 1000))
    found = search(jnp.float32(start), law=law)
    radius = true_radius(law, float(found.scale.sigma))
    assert radius > 0.95 * best
    assert radius > true_radius(law, start)
    assert found.improved


def test_the_start_is_kept_where_nothing_helps() -> None:
    best = search(jnp.float32(0.4), settings=aj.GoldenSection(factor=1.0001))
    assert float(best.scale.sigma) == pytest.approx(0.4, rel=2e-4)


def test_a_network_that_breaks_down_leaves_a_finite_sigma() -> None:
    def fragile(params, batch):
        return jnp.where(jnp.abs(batch) > 0.9, jnp.nan, slab(params, batch))

    def silent(params, batch):
        return slab(params, batch) * jnp.nan

    found = search(jnp.float32(0.2), apply_fn=fragile)
    assert float(found.scale.sigma) >= 0.2
    nothing = search(jnp.float32(0.2), apply_fn=silent, settings=aj.GradientAscent(steps=5))
    assert float(nothing.scale.sigma) == pytest.approx(0.2)
    assert float(nothing.gap) == 0


@pytest.mark.parametrize(
    "settings",
    (aj.golden_section, pytest.param(aj.GradientAscent(steps=8, n=64), marks=pytest.mark.slow)),
)
def test_scan_and_a_loop_over_the_public_step_agree(settings) -> None:
    problem = pose(
        slab,
        jnp.float32(WIDTH),
        jnp.zeros(1),
        jax.random.key(0),
        law=aj.gaussian,
        init=aj.Isotropic(sigma=jnp.float32(0.2)),
        label=0,
    )
    state, step = settings.init(problem), jax.jit(settings.step)
    for _ in range(settings.steps):
        state = step(problem, state)
    looped = jax.jit(settings.finish)(problem, state)
    scanned = jax.jit(lambda problem: run(settings, problem))(problem)
    assert float(looped.scale.sigma) == pytest.approx(float(scanned.scale.sigma), rel=1e-5)


def test_the_published_settings_have_a_name() -> None:
    published = aj.published_isotropic
    assert (published.steps, published.n, published.learning_rate) == (900, 100, 0.04)


def test_only_an_isotropic_start_is_taken() -> None:
    with pytest.raises(ValueError, match="init must be an Isotropic scale, got Diagonal"):
        aj.optimize_isotropic(
            slab,
            jnp.float32(WIDTH),
            jnp.zeros(1),
            jax.random.key(0),
            law=aj.gaussian,
            init=aj.Diagonal(theta=jnp.ones(1)),
        )
