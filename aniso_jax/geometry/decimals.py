"""Floats cut to a few decimals in a chosen direction, so that a printed claim never grows."""

import math
from decimal import ROUND_FLOOR, Context, Decimal

_WIDE = Context(prec=800)  # wide enough for every float64 with any sensible number of digits


def cut(value: float, digits: int, direction: str = ROUND_FLOOR) -> Decimal:
    """`value` with so many decimals, cut from the shortest text that names the float.

    >>> str(cut(0.3789, 3)), str(cut(0.3, 3)), str(cut(-0.0001, 3))
    ('0.378', '0.300', '-0.001')
    """
    step = Decimal(1).scaleb(-digits)
    return Decimal(repr(finite(value))).quantize(step, rounding=direction, context=_WIDE) + 0


def finite(value: float) -> float:
    """The number as a Python float.

    Raises:
      ValueError: it is infinite or NaN.
    """
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"only finite numbers can be rounded, got {number}; print it as missing")
    return number
