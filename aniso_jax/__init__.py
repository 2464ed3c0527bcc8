"""Anisotropic randomized-smoothing certificates, as pure JAX functions.

The names below need only jax, numpy, scipy and chex. The adapters `from_...`, `compose`,
`import_checkpoint`, `load_...` and `save_model` load what they need (flax, pyarrow, ...) when they
are first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan, plan
from aniso_jax.certification.predict import Prediction, predict
from aniso_jax.certification.status import ABSTAIN, Status
from aniso_jax.geometry.disjoint import largest_inside, shrink_to_avoid, surely_disjoint
from aniso_jax.geometry.domain import log_volume_in_box
from aniso_jax.geometry.predicates import surely_contains
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.memory.answers import MemoryAnswer, MemoryVerdict
from aniso_jax.memory.certify import memory_certify
from aniso_jax.memory.opening import memory_open
from aniso_jax.memory.registry import Memory, memory_empty, memory_insert, memory_query
from aniso_jax.memory.store import MemoryFile
from aniso_jax.optimize.anisotropic import (
    VolumeAscent,
    default_anisotropic,
    optimize_anisotropic,
    published_anisotropic,
    thorough_anisotropic,
)
from aniso_jax.optimize.isotropic import (
    GoldenSection,
    GradientAscent,
    golden_section,
    optimize_isotropic,
    published_isotropic,
)
from aniso_jax.optimize.objective import soft_gap, volume_objective
from aniso_jax.optimize.problem import Optimized, Problem
from aniso_jax.optimize.rotated import (
    RotatedAscent,
    default_rotated,
    optimize_rotated,
    published_rotated,
    thorough_rotated,
)
from aniso_jax.smoothing.grid import Grid, grid, palette
from aniso_jax.smoothing.laws import Law, gaussian, laplace, uniform
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.soft import soft_votes
from aniso_jax.smoothing.votes import count_votes
from aniso_jax.statistics.binomial import (
    clopper_pearson_interval,
    clopper_pearson_lower,
    clopper_pearson_upper,
)
from aniso_jax.statistics.traced import binomial_lower

__all__ = [
    "ABSTAIN",
    "Certification",
    "Diagonal",
    "GoldenSection",
    "GradientAscent",
    "Grid",
    "Isotropic",
    "Law",
    "Memory",
    "MemoryAnswer",
    "MemoryFile",
    "MemoryVerdict",
    "Optimized",
    "Phase",
    "Plan",
    "Prediction",
    "Problem",
    "Region",
    "Rotated",
    "RotatedAscent",
    "Scale",
    "Status",
    "VolumeAscent",
    "binomial_lower",
    "certify",
    "clopper_pearson_interval",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "compose",
    "count_votes",
    "default_anisotropic",
    "default_rotated",
    "from_equinox",
    "from_function",
    "from_linen",
    "from_nnx",
    "gaussian",
    "golden_section",
    "grid",
    "import_checkpoint",
    "laplace",
    "largest_inside",
    "load_data",
    "load_model",
    "load_run",
    "log_volume_in_box",
    "memory_certify",
    "memory_empty",
    "memory_insert",
    "memory_open",
    "memory_query",
    "optimize_anisotropic",
    "optimize_isotropic",
    "optimize_rotated",
    "palette",
    "plan",
    "predict",
    "published_anisotropic",
    "published_isotropic",
    "published_rotated",
    "save_model",
    "shrink_to_avoid",
    "soft_gap",
    "soft_votes",
    "surely_contains",
    "surely_disjoint",
    "thorough_anisotropic",
    "thorough_rotated",
    "uniform",
    "volume_objective",
]

if TYPE_CHECKING:
    from aniso_jax.data.load import load as load_data
    from aniso_jax.models.adapters import from_linen, from_nnx
    from aniso_jax.models.checkpoint import load as load_model
    from aniso_jax.models.checkpoint import save as save_model
    from aniso_jax.models.equinox_networks import from_equinox
    from aniso_jax.models.foreign.imported import import_checkpoint
    from aniso_jax.models.functions import compose, from_function
    from aniso_jax.records.load import load_run

_LAZY = {
    "compose": ("aniso_jax.models.functions", "compose"),
    "from_equinox": ("aniso_jax.models.equinox_networks", "from_equinox"),
    "from_function": ("aniso_jax.models.functions", "from_function"),
    "from_linen": ("aniso_jax.models.adapters", "from_linen"),
    "from_nnx": ("aniso_jax.models.adapters", "from_nnx"),
    "import_checkpoint": ("aniso_jax.models.foreign.imported", "import_checkpoint"),
    "load_data": ("aniso_jax.data.load", "load"),
    "load_model": ("aniso_jax.models.checkpoint", "load"),
    "load_run": ("aniso_jax.records.load", "load_run"),
    "save_model": ("aniso_jax.models.checkpoint", "save"),
}


def __getattr__(name: str) -> Any:
    """Load a name of the upper floors when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'aniso_jax' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)
