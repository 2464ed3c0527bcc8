"""Anisotropic randomized-smoothing certificates, as pure JAX functions.

The names below need only jax, numpy, scipy and chex. `from_nnx`, `from_linen`, `load_model`,
`load_data` and `load_run` load what they need (flax, pyarrow, ...) when they are first asked for.
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
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.memory.answers import MemoryAnswer, MemoryVerdict
from aniso_jax.memory.certify import memory_certify
from aniso_jax.memory.registry import Memory, memory_empty, memory_insert, memory_query
from aniso_jax.memory.store import MemoryFile, memory_open
from aniso_jax.optimize.anisotropic import (
    VolumeAscent,
    default_anisotropic,
    optimize_anisotropic,
    published_anisotropic,
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
    "Scale",
    "Status",
    "VolumeAscent",
    "binomial_lower",
    "certify",
    "clopper_pearson_interval",
    "clopper_pearson_lower",
    "clopper_pearson_upper",
    "count_votes",
    "default_anisotropic",
    "from_linen",
    "from_nnx",
    "gaussian",
    "golden_section",
    "grid",
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
    "palette",
    "plan",
    "predict",
    "published_anisotropic",
    "published_isotropic",
    "shrink_to_avoid",
    "soft_gap",
    "soft_votes",
    "surely_contains",
    "surely_disjoint",
    "uniform",
    "volume_objective",
]

if TYPE_CHECKING:
    from aniso_jax.data.load import load as load_data
    from aniso_jax.models.adapters import from_linen, from_nnx
    from aniso_jax.models.checkpoint import load as load_model
    from aniso_jax.records.load import load_run

_LAZY = {
    "from_linen": ("aniso_jax.models.adapters", "from_linen"),
    "from_nnx": ("aniso_jax.models.adapters", "from_nnx"),
    "load_data": ("aniso_jax.data.load", "load"),
    "load_model": ("aniso_jax.models.checkpoint", "load"),
    "load_run": ("aniso_jax.records.load", "load_run"),
}


def __getattr__(name: str) -> Any:
    """Load a name of the upper floors when it is first asked for."""
    if name not in _LAZY:
        raise AttributeError(f"module 'aniso_jax' has no attribute {name!r}")
    module, attribute = _LAZY[name]
    return getattr(import_module(module), attribute)
