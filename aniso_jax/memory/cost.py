"""What a memory took from certificates, said the same of a file and of a run."""

import math
from collections.abc import Sequence

import numpy as np


def cost_said(nats: Sequence[float], dimension: int) -> str:
    """How many certificates lost volume, and what of their proxy radius they keep, rounded down.

    Args:
      nats: log-volume that each certificate lost: infinity where nothing is claimed for its class,
        negative where more is claimed than it held.
      dimension: of the inputs; the ratio of proxy radii is exp(-nats / dimension).

    >>> cost_said([0.0, -3.0, 2.0, math.inf], 2)
    '2 certificates lost volume, with 0.183 of the proxy radius left at mean and nothing left of 1'
    """
    lost = np.array([each for each in nats if each > 0], np.float64)
    if not len(lost):
        return "no certificate lost volume"
    certificates = "1 certificate" if len(lost) == 1 else f"{len(lost)} certificates"
    mean = math.floor(np.exp(-lost / dimension).mean() * 1000) / 1000
    nothing = int(np.isinf(lost).sum())
    left = f"{mean:.3f} of the proxy radius left at mean and nothing left of {nothing}"
    return f"{certificates} lost volume, with {left}"
