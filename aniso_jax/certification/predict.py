"""Prediction with abstention: the smoothed class, its probability of error bounded."""

from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp

from aniso_jax.certification.status import ABSTAIN, gravest
from aniso_jax.geometry.scales import Scale
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import Phase
from aniso_jax.smoothing.votes import CHUNK, ApplyFn, check_input, count_votes
from aniso_jax.statistics.sign_test import sign_test


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Prediction:
    """label (or ABSTAIN), p_value of the sign test, votes of every class, status."""

    label: jax.Array
    p_value: jax.Array
    votes: jax.Array
    status: jax.Array


def predict(
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    n: int = 1000,
    alpha: float = 0.001,
    chunk: int = CHUNK,
) -> Prediction:
    """Answer the smoothed class of x, or abstain.

    The two largest counts are compared by a two-sided sign test; the larger wins if p <= alpha.

    Args:
      apply_fn, params, x, key, law, scale, chunk: as in `certify`.
      n: draws, static.
      alpha: probability of answering another class than the smoothed classifier's.

    Returns:
      A `Prediction`; its p-value is an upper bound.

    Guarantee: P[label is neither ABSTAIN nor g(x)] <= alpha over the draws, in real arithmetic.

    Raises:
      ValueError: n so small that every answer would be ABSTAIN (the smallest n is named).

    Reference: Cohen et al. 2019, Prop. 2 (Hung and Fithian 2019).

    >>> import aniso_jax as aj, jax, jax.numpy as jnp
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> p = aj.predict(f, jnp.array([1.0, 0.0]), jnp.array([1.0, 0.0]), jax.random.key(0),
    ...                law=aj.gaussian, scale=aj.Isotropic(sigma=0.5), n=100)
    >>> int(p.label), bool(p.p_value < 1e-10)
    (0, True)
    """
    x = check_input(x)
    check_can_answer(n, alpha)
    votes = count_votes(
        apply_fn, params, x, key, law=law, scale=scale, n=n, chunk=chunk, phase=Phase.ESTIMATE
    )
    (first, second), (label, _) = jax.lax.top_k(votes, 2)
    p_value = sign_test(first, second)
    sound_data = jnp.all(jnp.isfinite(x)) & scale.is_valid()
    answers = sound_data & (p_value <= alpha)
    return Prediction(
        label=jnp.where(answers, label, ABSTAIN).astype(jnp.int32),
        p_value=p_value,
        votes=votes,
        status=gravest(
            x, scale, fits=jnp.bool_(True), lost_rows=jnp.sum(votes) < n, certified=answers
        ),
    )


def check_can_answer(n: int, alpha: float) -> None:
    """Refuse an n at which even unanimous votes leave p = 2^(1-n) above alpha."""
    if not 1e-33 <= alpha < 1:
        raise ValueError(
            f"alpha must lie in [1e-33, 1), got {alpha}; the field's default is 0.001."
        )
    smallest = next(m for m in range(1, 2000) if 2.0 ** (1 - m) * (1 + 1e-4) <= alpha)
    if n < smallest:
        raise ValueError(
            f"n = {n} draws must always abstain at alpha = {alpha}: even unanimous votes leave "
            f"p = {2.0 ** (1 - n):.2g}; take n >= {smallest}."
        )
