"""Where the scale of each input comes from: a number, or a search; files are in `scale_files`."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import jax
import jax.numpy as jnp
from jax.sharding import Mesh

from aniso_jax.geometry.scales import Isotropic, Scale
from aniso_jax.models.checkpoint import Model
from aniso_jax.optimize.anisotropic import (
    default_anisotropic,
    published_anisotropic,
    thorough_anisotropic,
)
from aniso_jax.optimize.isotropic import golden_section, published_isotropic
from aniso_jax.optimize.rotated import default_rotated, published_rotated, thorough_rotated
from aniso_jax.runs.search import search_batch
from aniso_jax.smoothing.laws import Law


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Scales:
    """The scales of a batch, and what the records say of them.

    Attributes:
      scale: batched; what certifies.
      sigma: (batch,), the isotropic scale: fixed, found, or the smallest theta of a file's.
      capped_share: (batch,) or None where no diagonal scale was sought.
    """

    scale: Scale
    sigma: jax.Array
    capped_share: jax.Array | None = None


class Source(Protocol):
    """Gives the scales of a batch of inputs."""

    @property
    def kind(self) -> str:
        """fixed, isotropic, anisotropic, rotated or file."""
        ...

    @property
    def description(self) -> str:
        """What determines the scales, and whether there is one for all inputs or one per input."""
        ...

    @property
    def is_sought(self) -> bool:
        """Whether a search finds them."""
        ...

    def __call__(self, model: Model, x: jax.Array, keys: jax.Array, ids: list[str]) -> Scales:
        """The scales of the inputs x."""
        ...


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """One sigma for all inputs."""

    sigma: float
    kind = "fixed"
    description = "one sigma for all inputs"
    is_sought = False

    def __call__(self, model: Model, x: jax.Array, keys: jax.Array, ids: list[str]) -> Scales:
        """Sigma, once per input."""
        sigma = jnp.full(len(x), self.sigma, jnp.float32)
        return Scales(scale=Isotropic(sigma=sigma), sigma=sigma)


SETTINGS: dict[str, tuple[Any, Any, Any]] = {
    "default": (golden_section, default_anisotropic, default_rotated),
    "thorough": (golden_section, thorough_anisotropic, thorough_rotated),
    "published": (published_isotropic, published_anisotropic, published_rotated),
}
"""The searches of each `--settings`: isotropic, then anisotropic, then rotated."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Isotropic search from sigma; then the volume searches, each from what the last one found.

    Attributes:
      anisotropic: whether theta is sought after sigma.
      rotated: whether directions are sought after theta.
      mesh: devices that share a batch; None for the first one alone.
    """

    law: Law
    sigma: float
    settings: str
    anisotropic: bool
    rotated: bool = False
    mesh: Mesh | None = None
    is_sought = True

    @property
    def kind(self) -> str:
        """Which scale is sought."""
        if self.rotated:
            return "rotated"
        return "anisotropic" if self.anisotropic else "isotropic"

    @property
    def description(self) -> str:
        """The searches with all their settings; the hash of a run covers them."""
        return f"one per input, {self.settings}: {', then '.join(map(repr, self._searches))}"

    @property
    def _searches(self) -> tuple[Any, ...]:
        count = 3 if self.rotated else 2 if self.anisotropic else 1
        return SETTINGS[self.settings][:count]

    def __call__(self, model: Model, x: jax.Array, keys: jax.Array, ids: list[str]) -> Scales:
        """Search every input's scale, each as if it were alone."""
        return self.sought(model, x, keys)

    def sought(
        self, model: Model, x: jax.Array, keys: jax.Array, *, most: int | None = None
    ) -> Scales:
        """The scales after all steps of each search, or after `most` of them."""
        isotropic, *larger = self._searches
        init = Isotropic(sigma=jnp.full(len(x), self.sigma, jnp.float32))
        network = model.apply_fn, model.params, x, keys
        sought = partial(search_batch, law=self.law, mesh=self.mesh, most=most)
        found = sought(isotropic, *network, init=init)
        sigma = found.scale.inradius(self.law.order)
        for search in larger:
            found = sought(search, *network, init=found.scale)
        share = found.capped_share if larger else None
        return Scales(scale=found.scale, sigma=sigma, capped_share=share)
