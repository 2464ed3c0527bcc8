"""Anisotropic randomized-smoothing certificates, as pure JAX functions."""

from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan, plan
from aniso_jax.certification.predict import Prediction, predict
from aniso_jax.certification.status import ABSTAIN, Status
from aniso_jax.geometry.domain import log_volume_in_box
from aniso_jax.geometry.predicates import surely_contains
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
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
from aniso_jax.smoothing.laws import Law, gaussian, laplace, uniform
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.soft import soft_votes
from aniso_jax.smoothing.votes import count_votes
from aniso_jax.statistics.binomial import clopper_pearson_lower, clopper_pearson_upper
from aniso_jax.statistics.traced import binomial_lower
