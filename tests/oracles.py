"""Classifiers whose smoothed probabilities are known in closed form, told by SciPy alone.

Nothing here uses the laws' own distribution functions: they are what is tested.
"""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.optimize
import scipy.stats

import aniso_jax as aj

LAWS = (aj.gaussian, aj.uniform, aj.laplace)
LAW_NAMES = [law.name for law in LAWS]
DISTRIBUTION = {
    "gaussian": scipy.stats.norm(),
    "uniform": scipy.stats.uniform(-1, 2),
    "laplace": scipy.stats.laplace(),
}


def half_space(params: tuple[jax.Array, jax.Array], batch: jax.Array) -> jax.Array:
    """Class 0 where w.y >= b, class 1 elsewhere; params = (w, b).

    Summed entry by entry: a row's logits have the same bits in every batch.
    """
    weights, offset = params
    score = jnp.sum(batch * weights, axis=tuple(range(1, batch.ndim))) - offset
    return jnp.stack([score, -score], axis=-1)


def slab(params: jax.Array, batch: jax.Array) -> jax.Array:
    """Class 0 where |y_0| <= params, class 1 elsewhere."""
    score = params - jnp.abs(batch[:, 0])
    return jnp.stack([score, -score], axis=-1)


def half_space_p(
    law: aj.Law, weights: np.ndarray, margin: float, theta: np.ndarray | float
) -> tuple[float, float]:
    """(p of class 0, length of S w in the dual norm) at a point with w.x - b = margin.

    Gaussian noise: any w, since w.Sz ~ N(0, ||S w||_2^2). Else one coordinate of w is not 0.
    """
    spread = np.abs(np.asarray(weights, np.float64) * theta)
    if law.name != "gaussian":
        assert np.count_nonzero(spread) == 1
    width = float(np.linalg.norm(spread))
    return float(DISTRIBUTION[law.name].cdf(margin / width)), width


def slab_p(law: aj.Law, half_width: float, x: float, theta: float) -> float:
    """P[|x + theta z| <= half_width], z one coordinate of the law's noise."""
    cdf = DISTRIBUTION[law.name].cdf
    return float(cdf((half_width - x) / theta) - cdf((-half_width - x) / theta))


def slab_reach(law: aj.Law, half_width: float, theta: float) -> float:
    """The x > 0 at which the smoothed slab changes its class, solved numerically."""
    far = half_width + 10 * theta
    return float(
        scipy.optimize.brentq(
            lambda x: slab_p(law, half_width, x, theta) - 0.5, 0, far, xtol=1e-14, rtol=1e-14
        )
    )


def scales(dimension: int, kind: str, seed: int = 0) -> tuple[aj.Scale, np.ndarray]:
    """A scale of a kind, and its theta in float64, one number per coordinate."""
    if kind == "isotropic":
        return aj.Isotropic(sigma=jnp.float32(0.375)), np.full(dimension, 0.375)
    theta = np.random.default_rng(seed).uniform(0.2, 3.0, dimension).astype(np.float32)
    return aj.Diagonal(theta=jnp.asarray(theta)), theta.astype(np.float64)


def too_many_errors(errors: int, runs: int, alpha: float) -> bool:
    """Whether so many errors refute a probability of error of at most alpha."""
    test = scipy.stats.binomtest(errors, runs, alpha, alternative="greater")
    return bool(test.pvalue < 1e-4)
