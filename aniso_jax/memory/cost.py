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
    '2 certificates lost volume and keep at mean 0.183 of their proxy radius, 1 of them nothing'
    """
    lost = np.array([each for each in nats if each > 0], np.float64)
    if not len(lost):
        return "no certificate lost volume"
    certificates = "1 certificate lost volume and keeps"
    if len(lost) > 1:
        certificates = f"{len(lost)} certificates lost volume and keep"
    mean = math.floor(np.exp(-lost / dimension).mean() * 1000) / 1000
    nothing = int(np.isinf(lost).sum())
    return f"{certificates} at mean {mean:.3f} of their proxy radius, {nothing} of them nothing"
