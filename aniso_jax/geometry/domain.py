"""How much of a region lies where inputs live: log vol(R intersected with the box).

Exponential tilting: on the box, 1[sum_i s_i <= r^p] <= exp(t (r^p - sum_i s_i)) for every t >= 0,
s_i = |y_i - x_i|^p / theta_i^p, and the right-hand side factorises over coordinates.
"""

import jax
import jax.numpy as jnp

from aniso_jax.geometry.axes import thetas_outside
from aniso_jax.geometry.balls import log_unit_ball
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rotated import Rotated
from aniso_jax.geometry.rounding import slack, total

_STEPS = 60  # golden-section steps: the bracket shrinks by 0.618 each, to 3e-13 of its width


def log_volume_in_box(region: Region, low: float = 0.0, high: float = 1.0) -> jax.Array:
    """Upper bound on log vol(R ∩ [low, high]^d), never above the box's own.

    min over t > 0 of  t r^p + sum_i log integral over [0, 1] of exp(-t |y - x_i|^p / theta_i^p) dy.

    Args:
      region: of any of our scales; a rotated one is replaced by an aligned region around it
        (theta max(1, max t) for l2), which makes the bound wider. A center outside the box is
        moved to its nearest point, which is nearer to every point of the box, so it still holds.
      low, high: the box of valid inputs.

    Returns:
      nats; for aligned scales in measurements at most about (1/2) log(2 pi d) above the truth;
      -inf if empty.

    Guarantee:
      Every t gives a valid bound, so the search for the best t cannot break it.

    >>> import aniso_jax as aj, jax.numpy as jnp
    >>> huge = aj.Region(center=jnp.full(4, .5), scale=aj.Isotropic(sigma=9.), gap=jnp.array(9.),
    ...                  order=2)
    >>> float(log_volume_in_box(huge))
    0.0
    """
    region.check_single()
    log_t = _best_log_tilt(region, low, high)
    tilted = _log_tilted_mass(region, log_t, low, high)
    whole = region.dimension * jnp.log(high - low)
    bound = jnp.minimum(jnp.minimum(tilted, whole), _own_volume(region))
    return jnp.where((region.gap > 0) & region.scale.is_valid(), bound, -jnp.inf)


def _own_volume(region: Region) -> jax.Array:
    """The region's log-volume, rounded up by the slack of its terms and of the d logarithms."""
    d, own = region.dimension, region.log_volume()
    sizes = (
        d * jnp.log(region.gap),
        region.scale.log_abs_det(d),
        log_unit_ball(d, region.order),
        d,
    )
    scale = region.scale
    more = scale.log_det_error() if isinstance(scale, Rotated) else 0.0
    return own + more + slack(own.dtype, d) * sum(jnp.abs(size) for size in sizes)


def _log_tilted_mass(region: Region, log_t: jax.Array, low: float, high: float) -> jax.Array:
    """log of the tilted bound at t = exp(log_t); convex in t.

    A half-line integral over length L is L g(a L) with a = t^(1/p) / theta and
    g(s) = integral over [0, 1] of exp(-(s y)^p) dy, so nothing cancels for small t.
    """
    p = region.order
    rate = jnp.exp(log_t / p) / thetas_outside(region.scale, region.center, p)
    center = jnp.clip(region.center, low, high)
    right, left = high - center, center - low
    mass = right * _mean_decay(rate * right, p) + left * _mean_decay(rate * left, p)
    terms = jnp.append(jnp.ravel(jnp.log(mass)), jnp.exp(log_t) * region.gap**p)
    # Rounded up: a sum in pairs errs by no more than its slack times the sum of sizes.
    return total(terms) + slack(terms.dtype, terms.size) * total(jnp.abs(terms))


def _mean_decay(s: jax.Array, order: int) -> jax.Array:
    """g(s): (1 - e^-s)/s for l1, sqrt(pi) erf(s) / (2 s) for l2, 1 at 0."""
    safe = jnp.where(s > 1e-6, s, 1.0)
    decay = -jnp.expm1(-safe) if order == 1 else jnp.sqrt(jnp.pi) / 2 * jax.scipy.special.erf(safe)
    return jnp.where(s > 1e-6, decay / safe, 1.0)


def _best_log_tilt(region: Region, low: float, high: float) -> jax.Array:
    """Golden-section search over log t, in which the bound falls and then rises."""
    ratio = 0.618034

    def narrow(_: int, bracket: tuple[jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        a, b = bracket
        left, right = b - ratio * (b - a), a + ratio * (b - a)
        falls = _log_tilted_mass(region, left, low, high) > _log_tilted_mass(
            region, right, low, high
        )
        return jnp.where(falls, left, a), jnp.where(falls, b, right)

    # At the optimum t r^p is between about 0 and d, so log t lies well inside this bracket.
    gap = jnp.where(region.gap > 0, region.gap, 1.0)
    top = jnp.log(4.0 * region.dimension) - region.order * jnp.log(gap)
    a, b = jax.lax.fori_loop(0, _STEPS, narrow, (top - 40.0, top))
    return jnp.asarray((a + b) / 2)
