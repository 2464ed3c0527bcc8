"""Data-dependent diagonal scales: the volume of the region is maximised per input."""

from typing import Any

import jax

from aniso_jax.geometry.scales import Scale
from aniso_jax.optimize.ascent import VolumeAscent as VolumeAscent
from aniso_jax.optimize.problem import Optimized, pose, run
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import ApplyFn

default_anisotropic = VolumeAscent()
"""What measures best at a fifth of the published evaluations."""

thorough_anisotropic = VolumeAscent(
    steps=150,
    n=64,
    learning_rate=0.3,
    decay=True,
    momentum=0.9,
    memory=0.95,
    kappa=0.3,
    reach=20.0,
)
"""What measures best at the published number of evaluations."""

published_anisotropic = VolumeAscent(
    steps=100,
    n=100,
    learning_rate=0.04,
    momentum=0.9,
    memory=0.999,
    kappa=2.0,
    log_space=False,
    antithetic=False,
    resolution=None,
)
"""100 Adam steps of 100 draws, learning rate 0.04, kappa 2, in theta itself."""


def optimize_anisotropic(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    init: Scale,
    label: jax.Array | int | None = None,
    settings: VolumeAscent = default_anisotropic,
) -> Optimized:
    """Find a diagonal scale of large certified volume at x, nowhere below `init`.

    Args:
      apply_fn, params, x, key: as in `certify`; the same key may be used there, since phases
        never share draws.
      law: the noise.
      init: an isotropic or diagonal scale, usually the result of `optimize_isotropic`; theta
        stays above it in every coordinate.
      label: the class to certify; None takes the top class of soft votes at `init`.
      settings: `default_anisotropic`, `thorough_anisotropic`, `published_anisotropic` or a
        `VolumeAscent` of your own.

    Returns:
      `Optimized`, with a `Diagonal` scale; at least as good as `init` on fresh soft votes.

    Guarantee: none about the smoothed classifier; only `certify` certifies. That the region
    contains the isotropic one is encouraged (theta >= init), not certain, since its gap is
    estimated anew: ask `surely_contains`.

    Reference: Eiras et al. 2022, Algorithm 1.

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> best = aj.optimize_anisotropic(f, jnp.array([9.0, 0.5]), jnp.array([1.0, 0.0]),
    ...                                jax.random.key(0), law=aj.gaussian,
    ...                                init=aj.Isotropic(sigma=0.2))
    >>> theta = best.scale.theta
    >>> bool(theta[1] > theta[0] >= 0.2)   # longer where f hardly looks
    True
    """
    return run(settings, pose(apply_fn, params, x, key, law=law, init=init, label=label))
