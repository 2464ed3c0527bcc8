"""Where the scale of each input comes from: a number, or a search; files are in `scale_files`."""

from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Isotropic, Scale
from aniso_jax.models.checkpoint import Model
from aniso_jax.optimize.anisotropic import (
    default_anisotropic,
    published_anisotropic,
    thorough_anisotropic,
)
from aniso_jax.optimize.isotropic import golden_section, published_isotropic
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
        """fixed, isotropic, anisotropic or file."""
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


SETTINGS: dict[str, tuple[Any, Any]] = {
    "default": (golden_section, default_anisotropic),
    "thorough": (golden_section, thorough_anisotropic),
    "published": (published_isotropic, published_anisotropic),
}
"""The searches of each `--settings`: isotropic, then anisotropic."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """Isotropic search from sigma; then, if `anisotropic`, the volume search from what it found."""

    law: Law
    sigma: float
    settings: str
    anisotropic: bool
    is_sought = True

    @property
    def kind(self) -> str:
        """Which scale is sought."""
        return "anisotropic" if self.anisotropic else "isotropic"

    @property
    def description(self) -> str:
        """The searches with all their settings; the hash of a run covers them."""
        searches = [self._searches[0], *([self._searches[1]] if self.anisotropic else [])]
        return f"one per input, {self.settings}: {', then '.join(map(repr, searches))}"

    @property
    def _searches(self) -> tuple[Any, Any]:
        return SETTINGS[self.settings]

    def __call__(self, model: Model, x: jax.Array, keys: jax.Array, ids: list[str]) -> Scales:
        """Search every input's scale, each as if it were alone."""
        isotropic, anisotropic = self._searches
        init = Isotropic(sigma=jnp.full(len(x), self.sigma, jnp.float32))
        network = model.apply_fn, model.params, x, keys
        ball = search_batch(isotropic, *network, law=self.law, init=init)
        sigma = ball.scale.inradius(self.law.order)
        if not self.anisotropic:
            return Scales(scale=ball.scale, sigma=sigma)
        found = search_batch(anisotropic, *network, law=self.law, init=ball.scale)
        return Scales(scale=found.scale, sigma=sigma, capped_share=found.capped_share)
