"""Regions of points of the plane as anyone gets them: a search on draws, then fresh draws certify."""

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
from aniso_jax.geometry.scales import Isotropic, Scale
from aniso_jax.optimize.anisotropic import thorough_anisotropic
from aniso_jax.optimize.isotropic import golden_section
from aniso_jax.optimize.turning import RotatedAscent
from aniso_jax.runs.search import search_batch
from aniso_jax.smoothing.laws import Law

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

    Guarantee: each of the 3 N regions holds with probability 1 - alpha over its own draws; the
    keys of the three kinds are the same, so their draws are not independent of each other.
    """
    points, params, draws = jnp.asarray(x), star.params, effort.plan(law)
    keys = jax.random.split(jax.random.key(effort.seed), len(x))
    scale: Scale = Isotropic(sigma=jnp.full(len(x), START, jnp.float32))
    certified = {}
    for kind, search in effort.searches.items():
        found = search_batch(search, star_logits, params, points, keys, law=law, init=scale)
        scale = found.scale
        certified[kind] = _certify(law, draws, params, points, keys, scale)
    return certified


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
