"""Regions of points of the plane as anyone gets them: sought on draws, certified by fresh ones."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan, plan
from aniso_jax.figures.plane.stars import Star, star_logits
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.optimize.anisotropic import thorough_anisotropic
from aniso_jax.optimize.isotropic import golden_section
from aniso_jax.optimize.turning import RotatedAscent
from aniso_jax.runs.search import search_batch
from aniso_jax.smoothing.laws import Law

_BATCH = 8

START = 0.05
"""Where the isotropic search starts, in units of the plane (the law's unit)."""


@dataclass(frozen=True, kw_only=True)
class Effort:
    """How much is drawn: estimation draws, steps of the volume searches, seed; alpha of each claim.

    kappa is 0 here: the area alone is climbed, not the radius beside it.
    """

    n: int = 100_000
    alpha: float = 0.001
    steps: int = 150
    seed: int = 0

    @property
    def searches(self) -> dict[str, Any]:
        """The search of each kind, each from what the one before it found."""
        ascent = replace(thorough_anisotropic, kappa=0.0, steps=self.steps, n=256, check=4096)
        return {
            "isotropic": golden_section,
            "anisotropic": ascent,
            "rotated": RotatedAscent(ascent=ascent, directions=2),
        }

    def plan(self, law: Law) -> Plan:
        """One-sided, one look at n, 100 selection draws."""
        return plan(law, n=self.n, alpha=self.alpha)


def certified_regions(
    star: Star, x: NDArray[np.float32], law: Law, effort: Effort
) -> dict[str, Certification]:
    """The certifications of points (N, 2) under each kind of scale, batched.

    Guarantee: each of the 3 N points gets no false region with probability 1 - alpha over its own
    draws; the three kinds have the same keys, so their draws are not independent of each other.
    """
    keys = jax.random.split(jax.random.key(effort.seed), len(x))
    batches = [_batch(star, x, keys, law, effort, at) for at in range(0, len(x), _BATCH)]
    joined: dict[str, Certification] = jax.tree.map(
        lambda *leaves: jnp.concatenate(leaves)[: len(x)], *batches
    )
    return joined


def _batch(
    star: Star, x: NDArray[np.float32], keys: jax.Array, law: Law, effort: Effort, at: int
) -> dict[str, Certification]:
    """The points from `at` on, the last one again where they are fewer: traced once for all."""
    rows = np.minimum(np.arange(at, at + _BATCH), len(x) - 1)
    points, own = jnp.asarray(x[rows]), keys[rows]
    scale: Scale = Isotropic(sigma=jnp.full(_BATCH, START, jnp.float32))
    certified, draws = {}, effort.plan(law)
    for kind, search in effort.searches.items():
        found = search_batch(search, star_logits, star.params, points, own, law=law, init=scale)
        scale = found.scale if kind != "isotropic" else _diagonal(found.scale, points)
        certified[kind] = _certify(law, draws, star.params, points, own, scale)
    return certified


def _diagonal(ball: Scale, x: jax.Array) -> Diagonal:
    """The same balls, as the diagonal scales are: one compiled certification serves both."""
    return Diagonal(theta=jax.vmap(lambda ball, x: ball.push(jnp.ones_like(x)))(ball, x))


@partial(jax.jit, static_argnums=0)
def _certify(
    law: Law, draws: Plan, params: jax.Array, x: jax.Array, keys: jax.Array, scale: Scale
) -> Certification:
    def one(x: jax.Array, key: jax.Array, scale: Scale) -> Certification:
        return certify(star_logits, params, x, key, law=law, scale=scale, plan=draws, chunk=512)

    return jax.vmap(one)(x, keys, scale)


def regions_of(certified: dict[str, Certification], row: int) -> dict[str, Region]:
    """The regions of one point, of the kinds that certified any."""
    regions = {
        kind: jax.tree.map(lambda leaf: leaf[row], batch.region)
        for kind, batch in certified.items()
    }
    return {kind: region for kind, region in regions.items() if float(region.gap) > 0}


def areas(certified: Certification, label: int = 0) -> NDArray[np.float64]:
    """Areas of a batch of regions, 0 where there is none or it is of another class."""
    claimed = np.asarray(certified.label) == label
    logs = np.asarray(jax.vmap(Region.log_volume)(certified.region), np.float64)
    return np.where(claimed, np.exp(logs), 0.0)
