"""Thousands of certificates at once, for classifiers whose probabilities are known exactly.

The classifier reads one coordinate: class 0 above a first threshold, class 1 below a second one,
class 2 in between. Moving towards class 1, class 0 loses after exactly
(F^-1(p_0) - F^-1(p_1)) / 2 whitened units, so a claim that is larger is false, not just unproved.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from oracles import DISTRIBUTION, LAWS

import aniso_jax as aj
from aniso_jax.certification import certify as certification

ALPHA, RUNS, N0 = 0.05, 10_000, 16
X = np.array([0.0, 51 / 255])
TURNED = aj.Rotated(
    theta=jnp.array([0.25, 3.0]), basis=jnp.array([[0.6, 0.8]]), stretch=jnp.array([2.0])
)
SCALES = {
    "isotropic": (aj.Isotropic(sigma=0.5), 0.5),
    "diagonal": (aj.Diagonal(theta=jnp.array([0.25, 3.0])), 0.25),
    # The coordinate that counts is a sum of two: of Gaussians a Gaussian, S' e_0 long.
    "rotated": (TURNED, 0.25 * float(np.hypot(1 + 0.36, 0.48))),
}
"""Each scale, and that of the noise on the first coordinate."""

PAIRS = [(law, kind) for kind in SCALES for law in LAWS if kind != "rotated" or law == aj.gaussian]


def bands(edges: jax.Array, batch: jax.Array) -> jax.Array:
    """Logits of the three classes: above edges[0], below edges[1], in between."""
    y = batch[:, 0]
    is_first, is_second = y >= edges[0], y < edges[1]
    return jnp.stack([is_first, is_second, ~(is_first | is_second)], axis=-1).astype(jnp.float32)


def edges_for(law: aj.Law, p: tuple[float, float, float], theta: float) -> jax.Array:
    """The thresholds at which the smoothed classes have probabilities p at X."""
    inverse = DISTRIBUTION[law.name].ppf
    return jnp.asarray([-theta * inverse(p[0]), theta * inverse(p[1])], jnp.float32)


def reach(law: aj.Law, p: tuple[float, ...], label: int) -> float:
    """How far the smoothed class `label` reaches: 0 where another class is as likely."""
    inverse, rivals = DISTRIBUTION[law.name].ppf, np.delete(p, label)
    return max(float(inverse(p[label]) - inverse(rivals.max())) / 2, 0.0)


def is_false(law: aj.Law, p: tuple[float, ...], labels, gaps) -> np.ndarray:
    """Which claims reach farther than their class does; an abstention claims nothing."""
    labels, gaps = np.asarray(labels), np.asarray(gaps, np.float64)
    reaches = np.array([reach(law, p, label) for label in range(len(p))])
    return (labels != aj.ABSTAIN) & (gaps > reaches[labels])


@partial(jax.jit, static_argnames="law")
def certify_many(law: aj.Law, scale: aj.Scale, edges: jax.Array, plan: aj.Plan, key: jax.Array):
    """RUNS times the whole of `certify`, each with draws of its own: labels and gaps."""

    def one(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        x = jnp.asarray(X, jnp.float32)
        c = aj.certify(bands, edges, x, key, law=law, scale=scale, plan=plan, chunk=64)
        return c.label, c.region.gap

    return jax.vmap(one)(jax.random.split(key, RUNS))


def conclude_many(plan: aj.Plan, selection: np.ndarray, history: np.ndarray):
    """What `conclude` claims from votes (runs, looks, classes) if nothing stops before the end.

    The best of all looks is claimed, which errs wherever any stopping rule could have erred.
    Traced anew by each call, so that a mutant is seen.
    """

    def one(selection: jax.Array, history: jax.Array) -> tuple[jax.Array, jax.Array]:
        c = certification.conclude(
            jnp.asarray(X, jnp.float32),
            scale=SCALES["isotropic"][0],
            plan=plan,
            selection_votes=selection,
            history=history,
            reached=jnp.int32(len(plan.looks)),
        )
        return c.label, c.region.gap

    return jax.jit(jax.vmap(one))(jnp.asarray(selection), jnp.asarray(history))


def draw_votes(p, looks, *, n0: int = N0, runs: int = RUNS, seed: int = 0):
    """Exact multinomial votes: (runs, classes) of selection, (runs, looks, classes) of estimation.

    Where p sums to less than one, the rest of the draws have a non-finite row and no vote.
    """
    rng, all_p = np.random.default_rng(seed), (*p, max(1 - sum(p), 0.0))
    steps = np.diff(looks, prepend=0)
    fresh = np.stack([rng.multinomial(step, all_p, runs) for step in steps], axis=1)
    selection = rng.multinomial(n0, all_p, runs)
    return selection[:, :-1], np.cumsum(fresh, axis=1)[..., :-1]
