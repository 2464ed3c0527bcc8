"""Data-dependent rotated scales: theta and k stretched directions, found together per input."""

from typing import Any

import jax

from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.scales import Scale
from aniso_jax.optimize.anisotropic import published_anisotropic, thorough_anisotropic
from aniso_jax.optimize.problem import Optimized, pose, run
from aniso_jax.optimize.turning import RotatedAscent as RotatedAscent
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import ApplyFn

default_rotated = RotatedAscent()
"""The steps of `default_anisotropic`, in nine directions."""

thorough_rotated = RotatedAscent(ascent=thorough_anisotropic)
"""The steps of `thorough_anisotropic`."""

published_rotated = RotatedAscent(ascent=published_anisotropic, source="gauss-newton")
"""The steps of `published_anisotropic`, in the eigenbasis of the cross-entropy's curvature."""


def optimize_rotated(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    init: Scale,
    label: jax.Array | int | None = None,
    settings: RotatedAscent = default_rotated,
) -> Optimized:
    """Find a rotated scale of large certified volume at x, from a diagonal one.

    k directions are taken where the classifier leans or bends most, in units of `init`; then
    theta and their stretches t climb together, on the volume that `optimize_anisotropic` climbs.

    Args:
      apply_fn, params, x, key, law, label: as in `optimize_anisotropic`.
      init: an isotropic or diagonal scale, usually the result of `optimize_anisotropic`; no axis
        falls below its shortest one.
      settings: `default_rotated`, `thorough_rotated`, `published_rotated` or a `RotatedAscent`.

    Returns:
      `Optimized`, with a `Rotated` scale; at least as good as `init` on fresh soft votes, and with
      t = 1 where it is `init` itself.

    Guarantee: none about the smoothed classifier; only `certify` certifies.

    Raises:
      ValueError: init is rotated already.

    Reference: Rumezhak et al. 2023, in d k numbers instead of d^2.

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> best = aj.optimize_rotated(f, jnp.array([9.0, 9.0]), jnp.array([1.0, 0.5]),
    ...                            jax.random.key(0), law=aj.gaussian,
    ...                            init=aj.Isotropic(sigma=0.2),
    ...                            settings=aj.RotatedAscent(directions=1))
    >>> bool(best.scale.stretch[0] < 1)   # shorter along the one direction that f looks at
    True
    """
    if isinstance(init, Rotated):
        raise ValueError("init is a Rotated scale: start from an Isotropic or Diagonal one.")
    return run(settings, pose(apply_fn, params, x, key, law=law, init=init, label=label))
