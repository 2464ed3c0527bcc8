"""What happened to an input, as a value: data never raise inside jit."""

from enum import IntEnum

import jax
import jax.numpy as jnp

from aniso_jax.geometry.scales import Scale

ABSTAIN = -1
"""The label of an input for which nothing is claimed."""


class Status(IntEnum):
    """Why an input has the label it has."""

    CERTIFIED = 0
    """The region holds with the plan's probability."""
    ABSTAINED = 1
    """The bound on p_A is not above 1/2, or the test not significant."""
    NONFINITE_LOGITS = 2
    """Some rows had a non-finite logit and voted for nobody; a region, if any, still holds."""
    NONFINITE_INPUT = 3
    """The input has a NaN or an infinity: abstained."""
    INVALID_SCALE = 4
    """The scale has an entry that is not finite and positive: abstained."""
    OFF_GRID = 5
    """The input does not lie on the plan's grid, or the scale not in its palette: abstained."""


def gravest(
    x: jax.Array, scale: Scale, *, fits: jax.Array, lost_rows: jax.Array, certified: jax.Array
) -> jax.Array:
    """The status of an input: the gravest thing that happened to it."""
    cases = (
        (~jnp.all(jnp.isfinite(x)), Status.NONFINITE_INPUT),
        (~scale.is_valid(), Status.INVALID_SCALE),
        (~fits, Status.OFF_GRID),
        (lost_rows, Status.NONFINITE_LOGITS),
        (certified, Status.CERTIFIED),
    )
    conditions = [condition for condition, _ in cases]
    values = [jnp.int32(status) for _, status in cases]
    return jnp.select(conditions, values, jnp.int32(Status.ABSTAINED))
