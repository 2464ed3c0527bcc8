"""Which source of scales a configuration names."""

from pathlib import Path

from jax.sharding import Mesh

from aniso_jax.records.experiment import SOUGHT
from aniso_jax.runs.config import Smoothing
from aniso_jax.runs.inputs import Inputs
from aniso_jax.runs.scale_files import read_scales
from aniso_jax.runs.sources import Fixed, Sought, Source


def source_of(config: Smoothing, inputs: Inputs, *, mesh: Mesh | None = None) -> Source:
    """The source that a configuration names; refuses a file that is none for these inputs.

    Args:
      mesh: devices that a search shares a batch out to; None for the first one alone.
    """
    if config.scale == "fixed":
        return Fixed(sigma=config.sigma)
    if config.scale in SOUGHT:
        return Sought(
            law=config.noise,
            sigma=config.sigma,
            settings=config.settings,
            anisotropic=config.scale != "isotropic",
            rotated=config.scale == "rotated",
            mesh=mesh,
        )
    return read_scales(Path(config.scale), config.law, inputs)
