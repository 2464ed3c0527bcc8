"""Integer noise: its weights, its total variation, and what it adds up to."""

import jax
import jax.numpy as jnp
import mpmath
import numpy as np
import pytest
import scipy.stats
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import DISTRIBUTION, LAW_NAMES, LAWS

import aniso_jax as aj
from aniso_jax.smoothing.alias import alias_table
from aniso_jax.smoothing.noise import BLOCK, Window, noisy_on_grid
from aniso_jax.smoothing.weights import integer_weights

WIDTHS = (1.0, 5.0, 63.75, 110.4, 300.0)


def weights_of(cut: np.ndarray, alias: np.ndarray) -> list[int]:
    """How many of the 2^64 words give each value, in Python's integers."""
    share, count = 2**64 // len(cut), [0] * len(cut)
    for own, (below, other) in enumerate(zip(cut.tolist(), alias.tolist(), strict=True)):
        assert 0 <= below <= share
        count[own] += below
        count[other] += share - below
    return count


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_table_draws_every_value_with_exactly_its_weight(law, width) -> None:
    weights, _ = integer_weights(law, width)
    drawn = weights_of(*alias_table(weights))
    assert drawn[: len(weights)] == weights.tolist()
    assert not any(drawn[len(weights) :])
    assert sum(drawn) == 2**64


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=70))
@settings(max_examples=200, deadline=None)
def test_any_weights_make_an_exact_table(cuts) -> None:
    edges = np.array([*sorted(cuts), 0], np.uint64)  # 2^64, which is 0
    weights = np.diff(edges, prepend=np.uint64(0))
    if int(weights.sum(dtype=object)) == 2**64:
        assert weights_of(*alias_table(weights))[: len(weights)] == weights.tolist()


def exact_tail(law: aj.Law, z: mpmath.mpf) -> mpmath.mpf:
    if law.name == "gaussian":
        return mpmath.erfc(z / mpmath.sqrt(2)) / 2
    return mpmath.exp(-z) / 2 if law.name == "laplace" else max(1 - z, mpmath.mpf(0)) / 2


@pytest.mark.parametrize("width", (1.0, 63.75, 110.4))
@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_stated_total_variation_bounds_the_true_one(law, width) -> None:
    mpmath.mp.dps = 40
    weights, stated = integer_weights(law, width)
    reach, half = len(weights) // 2, mpmath.mpf(1) / 2
    tails = [exact_tail(law, (v - half) / mpmath.mpf(width)) for v in range(1, reach + 2)]
    true = [tails[v] - tails[v + 1] for v in range(reach)]
    drawn = [mpmath.mpf(int(w)) / 2**64 for w in weights[reach + 1 :]]
    apart = sum(abs(a - b) for a, b in zip(true, drawn, strict=True)) + tails[reach]
    centre = abs(1 - 2 * tails[0] - mpmath.mpf(int(weights[reach])) / 2**64)
    assert apart + centre / 2 <= stated < 1e-10 * max(width, 1)


def test_the_discounts_are_those_that_are_stated() -> None:
    for law in LAWS:
        assert 0 < aj.grid(law, [0.25], shape=(28, 28, 1)).discount < 3e-9
        assert 0 < aj.grid(law, [0.5], shape=(32, 32, 3)).discount < 2e-8
    whole = aj.grid(aj.gaussian, aj.palette(), shape=(28, 28, 1))
    assert 0 < whole.discount < 1e-7
    assert whole.theta.size == 192


def drawn(law: aj.Law, theta: np.ndarray, blocks: int) -> np.ndarray:
    """The noise in grid steps, added to an input in the middle of the grid."""
    grid = aj.grid(law, np.unique(theta), shape=theta.shape)
    x = jnp.full(theta.shape, 128 / 255, jnp.float32)
    window = Window(key=jax.random.key(3), phase=aj.Phase.ESTIMATE, first=2, blocks=blocks)
    noisy = noisy_on_grid(x, aj.Diagonal(theta=jnp.asarray(theta)), grid, window)
    assert noisy.dtype == jnp.float32
    steps = np.round(np.asarray(noisy, np.float64) * 255).astype(int)
    pixels = (steps / np.float64(255)).astype(np.float32)
    assert np.array_equal(np.asarray(noisy), pixels)  # the very numbers that 8-bit images are
    return steps - 128


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_every_coordinate_follows_the_rounded_law_of_its_own_theta(law) -> None:
    theta = np.array([0.02, 0.25, 1.5], np.float32)
    noise = drawn(law, theta, blocks=400)
    assert noise.shape == (400 * BLOCK, 3)
    for column, width in zip(noise.T, 255 * theta.astype(np.float64), strict=True):
        distribution = DISTRIBUTION[law.name]
        edges = np.arange(column.min(), column.max() + 2) - 0.5
        observed, _ = np.histogram(column, edges)
        expected = len(column) * np.diff(distribution.cdf(edges / width))
        often = expected > 20
        statistic = np.sum((observed - expected)[often] ** 2 / expected[often])
        assert scipy.stats.chi2.sf(statistic, often.sum()) > 1e-4
    assert np.abs(np.corrcoef(noise.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(len(noise))


def test_scales_are_snapped_to_the_nearest_of_the_palette() -> None:
    grid = aj.grid(aj.gaussian, [0.25, 0.5, 1.0], shape=(3,))
    snapped = grid.snap(aj.Diagonal(theta=jnp.array([0.1, 0.36, 0.7])))
    assert snapped.theta.tolist() == [0.25, 0.5, 0.5]
    assert float(grid.snap(aj.Isotropic(sigma=jnp.float32(3.0))).sigma) == 1.0


X = jnp.array([0.0, 127 / 255, 1.0], jnp.float32)


def test_an_input_or_a_scale_off_the_grid_abstains_and_says_so() -> None:
    grid = aj.grid(aj.gaussian, [0.25], shape=(3,))
    plan = aj.plan(aj.gaussian, n=100, grid=grid)

    def status(x, sigma) -> aj.Status:
        scale = aj.Isotropic(sigma=jnp.float32(sigma))
        key = jax.random.key(0)
        c = aj.certify(lambda w, b: b[:, :2], (), x, key, law=aj.gaussian, scale=scale, plan=plan)
        assert int(c.label) == aj.ABSTAIN or int(c.status) == aj.Status.CERTIFIED
        return aj.Status(int(c.status))

    assert status(X, 0.25) in (aj.Status.CERTIFIED, aj.Status.ABSTAINED)
    assert status(X, 0.26) == aj.Status.OFF_GRID
    assert status(X + 0.001, 0.25) == aj.Status.OFF_GRID
    assert status(X * (1 - 1e-6), 0.25) == aj.Status.OFF_GRID
    assert status(X * jnp.nan, 0.25) == aj.Status.NONFINITE_INPUT


def test_the_region_is_about_the_grid_point_and_nothing_nearly_on_it() -> None:
    """Under l1 a thousandth of a step in each of 784 coordinates adds up to a false certificate."""
    width, d = 12.5 / 255, 784
    grid = aj.grid(aj.uniform, [width], shape=(d,))
    plan = aj.plan(aj.uniform, n=10_000, grid=grid)
    scale = aj.Isotropic(sigma=jnp.float32(width))

    def some_pixel_from_141_on(params, batch):
        bright = jnp.any(jnp.round(batch * 255) >= 141, axis=-1).astype(jnp.float32)
        return jnp.stack([1 - bright, bright], axis=-1)

    def certify(x: float) -> aj.Certification:
        ask = some_pixel_from_141_on, (), jnp.full(d, x, jnp.float32), jax.random.key(0)
        return aj.certify(*ask, law=aj.uniform, scale=scale, plan=plan)

    assert int(certify((128 + 0.00095) / 255).status) == aj.Status.OFF_GRID
    on_grid = certify(128 / 255)
    assert int(on_grid.label) == 0
    assert float(on_grid.region.radius()) <= width
    assert (on_grid.region.center == np.float32(128 / 255)).all()


@pytest.mark.parametrize("law", LAWS, ids=LAW_NAMES)
def test_the_palette_serves_every_law(law) -> None:
    grid = aj.grid(law, aj.palette(high=1.0), shape=(3,))
    assert grid.discount < 1e-9
    assert float(grid.theta[0]) > 1 / 255


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves every input as it is"):
        aj.grid(aj.uniform, [0.001], shape=(3,))
    with pytest.raises(ValueError, match="theta has shape"):
        aj.grid(aj.gaussian, [1.0], shape=(3,)).holds(X, aj.Diagonal(theta=jnp.ones((2, 3))))
    with pytest.raises(ValueError, match="whole steps"):
        aj.grid(aj.gaussian, [1.0], shape=(3,), steps=254.9)
    with pytest.raises(ValueError, match="finite positive scales"):
        aj.grid(aj.gaussian, [], shape=(3,))
    with pytest.raises(ValueError, match="made for inputs of shape"):
        aj.grid(aj.gaussian, [1.0], shape=(3,)).holds(jnp.zeros(4), aj.Isotropic(sigma=1.0))
    with pytest.raises(ValueError, match="plan is for uniform"):
        aj.plan(aj.uniform, grid=aj.grid(aj.gaussian, [1.0], shape=(3,)))


def test_the_discount_lowers_every_gap_and_no_more() -> None:
    grid = aj.grid(aj.gaussian, [0.25], shape=(28, 28, 1))
    plain, discounted = aj.plan(aj.gaussian), aj.plan(aj.gaussian, grid=grid)
    assert (np.asarray(discounted.gaps) <= np.asarray(plain.gaps)).all()
    assert float(plain.gaps[-1] - discounted.gaps[-1]) < 1e-4
    assert (np.asarray(discounted.failures) >= np.asarray(plain.failures)).all()


def test_a_grid_first_made_inside_jit_serves_outside() -> None:
    def noise(theta):
        return aj.grid(aj.gaussian, [0.31], shape=(3,)).theta * theta

    assert np.allclose(jax.jit(noise)(2.0), noise(2.0))
