"""What a scale is searched for: the soft gap and the volume it gives."""

from typing import Any

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.soft import soft_votes
from aniso_jax.smoothing.votes import ApplyFn


def soft_gap(votes: jax.Array, label: jax.Array, *, law: Law, n: int) -> jax.Array:
    """The law's gap at soft votes: (F^-1(p_label) - F^-1(largest other)) / 2; may be negative.

    1 - p_label is summed over the other classes, so that it keeps its digits near 0, and every
    probability is drawn toward 1/2 by 1/(4 n), less than n draws can tell apart. That bounds the
    gap where a hard clamp would also kill the gradient.
    """
    is_label = jnp.arange(votes.shape[-1]) == label
    others = jnp.where(is_label, 0.0, votes)
    doubt = 1 / (4 * n)
    failure = (jnp.sum(others) + doubt) / (1 + 2 * doubt)
    rival = (jnp.max(others) + doubt) / (1 + 2 * doubt)
    return law.margin(failure, rival)


def log_gap(gap: jax.Array) -> jax.Array:
    """log gap, continued as a straight line below 0.01: no gap is without a direction upward.

    >>> float(log_gap(jnp.float32(1.0)))
    0.0
    """
    edge = 0.01
    above = jnp.maximum(gap, edge)
    return jnp.where(gap > edge, jnp.log(above), jnp.log(edge) + (gap - edge) / edge)


def volume_objective(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    label: jax.Array | int | None = None,
    n: int = 100,
    kappa: float = 2.0,
    antithetic: bool = False,
    first_block: jax.Array | int = 0,
) -> tuple[jax.Array, jax.Array]:
    """ANCER's volume objective, differentiable in the scale: bring your own optimiser.

    gap |det S|^(1/d) + kappa gap inradius(S): the proxy radius plus kappa times the radius, with
    the soft gap of `label` against the largest other class.

    Args:
      apply_fn, params, x, key, law, scale: as in `soft_votes`; differentiate by `scale`.
      label: the class to certify. None takes the top class of these soft votes: hold it fixed
        between steps, or the objective jumps.
      n: draws of the soft votes.
      kappa: weight of the radius.
      antithetic, first_block: as in `soft_votes`.

    Returns:
      (value, soft votes); value is a scalar in input units.

    Reference: Eiras et al. 2022, eq. (3); the gap with its 1/2.

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> def loss(scale):
    ...     value, _ = aj.volume_objective(f, jnp.array([2.0, 0.0]), jnp.array([1.0, 0.0]),
    ...                                    jax.random.key(0), law=aj.gaussian, scale=scale, label=0)
    ...     return -value
    >>> gradient = jax.grad(loss)(aj.Diagonal(theta=jnp.array([0.5, 0.5])))
    >>> bool(gradient.theta[1] < 0)   # the coordinate that f ignores wants to grow
    True
    """
    votes = soft_votes(
        apply_fn,
        params,
        x,
        key,
        law=law,
        scale=scale,
        n=n,
        antithetic=antithetic,
        first_block=first_block,
    )
    label = jax.lax.stop_gradient(jnp.argmax(votes)) if label is None else label
    gap = soft_gap(votes, jnp.asarray(label), law=law, n=n)
    dimension = jnp.size(x)
    mean_axis = jnp.exp(scale.log_abs_det(dimension) / dimension)
    return gap * mean_axis + kappa * gap * scale.inradius(law.order), votes
