"""Regions: measures in float64, membership that errs to the outside, batches refused."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import scales

import aniso_jax as aj
from aniso_jax.geometry import balls


def make(dimension: int, kind: str, order: int, gap: float = 1.3) -> tuple[aj.Region, np.ndarray]:
    scale, theta = scales(dimension, kind)
    center = np.random.default_rng(9).uniform(size=dimension)
    region = aj.Region(
        center=jnp.asarray(center, jnp.float32), scale=scale, gap=jnp.float32(gap), order=order
    )
    return region, theta


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("kind", ("isotropic", "diagonal"))
@pytest.mark.parametrize("dimension", (1, 3, 784, 150_528))
def test_measures_agree_with_float64(order, kind, dimension) -> None:
    region, theta = make(dimension, kind, order)
    gap = float(region.gap)
    proxy = gap * np.exp(np.log(theta).mean())
    log_volume = dimension * np.log(proxy) + balls.log_unit_ball(dimension, order)
    assert 0 <= 1 - float(region.proxy_radius()) / proxy < 1e-4
    assert 0 <= 1 - float(region.radius()) / (gap * theta.min()) < 2e-6
    assert float(region.log_volume()) == pytest.approx(log_volume, rel=1e-6, abs=1e-5)


def test_the_proxy_radius_is_rounded_down_for_small_and_large_axes() -> None:
    d = 150_528
    for theta in (1e-4, 0.25, 300.0):
        values = np.random.default_rng(0).uniform(theta / 2, theta, d).astype(np.float32)
        region = aj.Region(
            center=jnp.zeros(d), scale=aj.Diagonal(theta=values), gap=jnp.float32(2), order=2
        )
        exact = 2 * np.exp(np.log(values.astype(np.float64)).mean())
        assert 0 <= 1 - float(region.proxy_radius()) / exact < 1e-4


def test_the_volume_is_the_share_of_points_inside() -> None:
    for order in (1, 2):
        region, theta = make(2, "diagonal", order, gap=0.8)
        reach = 0.8 * theta
        ys = (
            np.asarray(region.center) + np.random.default_rng(0).uniform(-1, 1, (40_000, 2)) * reach
        )
        share = np.mean(jax.vmap(region.contains)(jnp.asarray(ys, jnp.float32)))
        volume = share * np.prod(2 * reach)
        assert volume == pytest.approx(float(jnp.exp(region.log_volume())), rel=0.02)


@given(
    st.lists(st.floats(-4, 4, width=32), min_size=3, max_size=3),
    st.sampled_from((1, 2)),
    st.floats(0.125, 8, width=32),
)
def test_contains_is_never_true_outside(y, order, gap) -> None:
    theta = np.array([0.3, 1.0, 2.5], np.float32)
    region = aj.Region(
        center=jnp.full(3, 0.1), scale=aj.Diagonal(theta=theta), gap=jnp.float32(gap), order=order
    )
    point = np.asarray(y, np.float32)
    whitened = (point.astype(np.float64) - np.float64(np.float32(0.1))) / theta
    exact = np.linalg.norm(whitened, ord=order) / gap
    assert float(region.gauge(jnp.asarray(point))) == pytest.approx(exact, rel=1e-6)
    contained = bool(region.contains(jnp.asarray(point)))
    assert exact <= 1 if contained else exact > 1 - 1e-5


def test_an_empty_region_contains_nothing() -> None:
    region, _ = make(3, "diagonal", 2, gap=0.0)
    assert not region.contains(region.center)
    assert np.isposinf(region.gauge(region.center))
    assert np.isneginf(region.log_volume())
    assert float(region.proxy_radius()) == float(region.radius()) == 0


@pytest.mark.parametrize("bad", (jnp.nan, jnp.inf))
def test_an_empty_region_of_no_scale_is_empty_all_the_same(bad) -> None:
    scale = aj.Diagonal(theta=jnp.array([1.0, bad]))
    region = aj.Region(center=jnp.zeros(2), scale=scale, gap=jnp.float32(0), order=2)
    assert float(region.proxy_radius()) == float(region.radius()) == 0
    assert np.isneginf(region.log_volume())


def test_a_radius_that_float32_cannot_hold_is_its_largest_number() -> None:
    scale = aj.Isotropic(sigma=jnp.float32(3e38))
    region = aj.Region(center=jnp.zeros(2), scale=scale, gap=jnp.float32(2), order=2)
    for measure in (region.radius(), region.proxy_radius()):
        assert 3.3e38 < float(measure) < np.inf


@pytest.mark.parametrize("dtype", (jnp.bfloat16, jnp.float16))
def test_scales_of_16_bits_overstate_no_radius(dtype) -> None:
    sigma = jnp.asarray(0.3, dtype)
    theta = jnp.full(784, sigma)
    for scale in (aj.Isotropic(sigma=sigma), aj.Diagonal(theta=theta)):
        region = aj.Region(center=jnp.zeros(784), scale=scale, gap=jnp.float32(1), order=2)
        assert 0.9999 * float(sigma) < float(region.proxy_radius()) <= float(sigma)


@pytest.mark.parametrize("order", (1, 2))
@pytest.mark.parametrize("bad", (np.nan, np.inf))
def test_a_point_that_is_not_finite_is_outside(order, bad) -> None:
    region, _ = make(3, "isotropic", order)
    assert not region.contains(region.center.at[1].set(bad))


def test_a_point_of_another_shape_is_refused() -> None:
    region, _ = make(3, "isotropic", 2)
    for y in (jnp.float32(0), jnp.zeros((5, 3)), jnp.zeros((3, 1))):
        with pytest.raises(ValueError, match="y has shape"):
            region.contains(y)


def batch() -> aj.Region:
    one, _ = make(2, "diagonal", 2)
    return jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), one)


@pytest.mark.parametrize(
    "ask",
    [
        lambda r: r.gauge(r.center),
        lambda r: r.contains(r.center),
        lambda r: r.log_volume(),
        lambda r: r.proxy_radius(),
        lambda r: r.radius(),
        lambda r: r.surely_contains(r),
        lambda r: aj.surely_contains(r, r),
        aj.log_volume_in_box,
    ],
)
def test_a_batch_is_refused_and_mapped(ask) -> None:
    with pytest.raises(ValueError, match=r"call the method under jax\.vmap"):
        ask(batch())
    assert jax.vmap(ask)(batch()).shape == (2,)


@pytest.mark.parametrize("kind", ("isotropic", "diagonal"))
def test_measures_scale_with_the_inputs(kind) -> None:
    region, _ = make(5, kind, 2)
    larger = aj.Region(
        center=4 * region.center,
        scale=jax.tree.map(lambda leaf: 4 * leaf, region.scale),
        gap=region.gap,
        order=2,
    )
    assert float(larger.proxy_radius()) == pytest.approx(4 * float(region.proxy_radius()), rel=1e-6)
    assert float(larger.log_volume() - region.log_volume()) == pytest.approx(
        5 * np.log(4), rel=1e-5
    )
    y = region.center + 0.1
    assert float(larger.gauge(4 * y)) == pytest.approx(float(region.gauge(y)), rel=1e-6)
