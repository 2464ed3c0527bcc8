"""A classifier that reads the last bits of a float sum: float noise certifies it, integers do not.

Two grey images, 127 and 128 of 255 in 128 coordinates, l2 distance 0.044. In units of 2^-25 the
float32 number 127/255 is odd and 128/255 is even. Noise sigma z with z in (-2, -1) and sigma = 1/2
is even, and the sum, between -1/2 and 0, is exact: its parity is the image's.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj

D, SIGMA, N = 128, 0.5, 1000
IMAGES = [jnp.full(D, grey / 255, jnp.float32) for grey in (127, 128)]
DISTANCE = float(jnp.linalg.norm(IMAGES[1] - IMAGES[0]))


def reads_the_last_bit(params, batch: jax.Array) -> jax.Array:
    """Class 0 where most of the sums in (-1/2, -1/100) are odd multiples of 2^-25."""
    readable = (batch > -0.5) & (batch < -0.01)
    odd = jnp.round(jnp.abs(batch) * 2**25).astype(jnp.int32) % 2 == 1
    score = jnp.sum(jnp.where(readable, jnp.where(odd, 1.0, -1.0), 0.0), axis=-1)
    return jnp.stack([score, -score], axis=-1)


def leaves_no_odd_bits(params, batch: jax.Array) -> jax.Array:
    """Class 0 where every coordinate is the float32 nearest to a multiple of 1/255."""
    clean = jnp.all(batch == jnp.round(batch * 255) / 255, axis=-1).astype(jnp.float32)
    return jnp.stack([clean, 1 - clean], axis=-1)


def certified(f, noise_grid: aj.Grid | None) -> list[tuple[int, float]]:
    plan = aj.plan(aj.gaussian, n=N, grid=noise_grid)
    scale = aj.Isotropic(sigma=jnp.float32(SIGMA))
    results = [
        aj.certify(f, (), x, jax.random.key(0), law=aj.gaussian, scale=scale, plan=plan)
        for x in IMAGES
    ]
    return [(int(c.label), float(c.region.radius())) for c in results]


def contradict(claims: list[tuple[int, float]]) -> bool:
    """Two different labels, each claimed for a ball in which the other image lies."""
    (a, near), (b, far) = claims
    return aj.ABSTAIN not in (a, b) and a != b and min(near, far) >= DISTANCE


def test_float_noise_lets_a_classifier_that_reads_the_last_bit_be_certified_wrongly() -> None:
    """Expected, and said in every record: float mode assumes real arithmetic."""
    claims = certified(reads_the_last_bit, None)
    assert contradict(claims)
    assert min(radius for _, radius in claims) > 1.0


def test_integer_noise_gives_the_last_bits_nothing_to_tell() -> None:
    grid = aj.grid(aj.gaussian, [SIGMA], shape=(D,))
    for f in (reads_the_last_bit, leaves_no_odd_bits):
        assert not contradict(certified(f, grid))


def test_noise_converted_before_the_addition_is_found_out(monkeypatch) -> None:
    """The mutant adds the same integers as floats; f then sees more than the sum on the grid."""
    least, steps = -2000, jnp.arange(-2000, 2256)
    as_floats = jax.jit(lambda x, noise: x + noise.astype(jnp.float32) / 255)
    sums = [as_floats(jnp.float32(grey / 255), steps - grey) for grey in (127, 128)]

    def knows_the_sums(params, batch: jax.Array) -> jax.Array:
        """Class 0 where more coordinates are sums that 127/255 gives than 128/255."""
        at = jnp.round(batch * 255).astype(jnp.int32) - least
        score = jnp.sum(batch == sums[0][at], axis=-1) - jnp.sum(batch == sums[1][at], axis=-1)
        return jnp.stack([score, -score], axis=-1).astype(jnp.float32)

    grid = aj.grid(aj.gaussian, [SIGMA], shape=(D,))
    assert not contradict(certified(knows_the_sums, grid))
    mutant = lambda self, x, scale, *words: as_floats(x, self._noise(scale, *words))  # noqa: E731
    monkeypatch.setattr(aj.Grid, "noisy", mutant)
    assert contradict(certified(knows_the_sums, grid))


@pytest.mark.parametrize(
    "law, kind",
    [
        (aj.gaussian, "diagonal"),
        (aj.uniform, "isotropic"),
        pytest.param(aj.gaussian, "isotropic", marks=pytest.mark.slow),
        pytest.param(aj.uniform, "diagonal", marks=pytest.mark.slow),
    ],
    ids=str,
)
def test_a_half_space_on_the_grid_is_certified_up_to_its_boundary_and_not_beyond(law, kind) -> None:
    """The smoothed class changes half a step before the step at which f o round changes."""
    theta = np.array([0.25, 0.25 if kind == "isotropic" else 1.0], np.float32)
    grid = aj.grid(law, np.unique(theta), shape=(2,))
    scale = (
        aj.Isotropic(sigma=jnp.float32(0.25))
        if kind == "isotropic"
        else aj.Diagonal(theta=jnp.asarray(theta))
    )
    x = jnp.array([140 / 255, 0.2], jnp.float32)

    def step(params, batch: jax.Array) -> jax.Array:
        score = jnp.round(batch[:, 0] * 255) - 99.5  # class 0 from 100 of 255 on
        return jnp.stack([score, -score], axis=-1)

    plan = aj.plan(law, n=20_000, grid=grid)
    c = aj.certify(step, (), x, jax.random.key(2), law=law, scale=scale, plan=plan)
    boundary = (140 - 99.5) / 255
    assert int(c.label) == 0
    assert 0.9 * boundary < float(c.region.gap) * 0.25 <= boundary
