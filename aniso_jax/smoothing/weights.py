"""The law of the noise on a grid: integers out of 2^64, and how far they are from the real ones."""

import numpy as np
from numpy.typing import NDArray

from aniso_jax.smoothing.laws import Law

_WORD = 2.0**-64
_TAIL_ERROR = 2e-15  # of SciPy's tails at z, relative to (1 + z^2): the argument is rounded too
_TAIL_ERROR_ABSOLUTE = 2.0**-52  # of the uniform law's, which are differences


def integer_weights(law: Law, width: float) -> tuple[NDArray[np.uint64], float]:
    """The weights, of 2^64, of round(width z) = -reach .. reach, and their error.

    With T_v = P[round(width z) >= v] rounded down to 64 bits, v has the weight T_v - T_(v+1), -v
    the same, and 0 what is left. Rounding in T, SciPy's own error, and the tail beyond `reach`
    bound the total variation from the law's: at most 3 sum of errors of T, plus the tail.

    Args:
      width: one unit of z in grid steps.
    """
    reach = int(np.ceil(-law.host_quantile(np.asarray(_WORD / 2)) * width + 0.5))
    z: NDArray[np.float64] = (np.arange(1.0, reach + 1.0) - 0.5) / width
    tails = law.host_tail(z)
    beyond = float(law.host_tail(np.asarray((reach + 0.5) / width)))
    counts = np.floor(np.ldexp(tails, 64)).astype(np.uint64)
    if counts[0] == 0:
        raise ValueError(
            f"A scale of {width:.3g} grid steps leaves every input as it is: give a larger one."
        )
    positive = counts - np.append(counts[1:], np.uint64(0))
    centre = np.uint64(0) - np.uint64(2) * counts[:1]  # of 2^64, which is 0
    errors = _TAIL_ERROR * (1 + z**2) * tails + _TAIL_ERROR_ABSOLUTE + _WORD
    weights = np.concatenate([positive[::-1], centre, positive])
    return weights, float(3 * np.sum(errors) + 2 * beyond)
