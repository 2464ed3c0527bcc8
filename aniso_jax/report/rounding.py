"""Printed numbers: decimals whose direction of rounding shrinks the claim.

A decimal is cut from the shortest text that names the float, so 0.3 stays 0.3, and the result,
read back as a float, is never above (never below) the number that it stands for.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Context

from aniso_jax.geometry.decimals import cut, finite


def round_down(value: float, digits: int) -> float:
    """The largest number with `digits` decimals that is not above `value`.

    Guarantee: `round_down(x, k) <= x` and the difference is below 10**-k.
    Raises `ValueError` where `value` is not finite.

    >>> round_down(0.3789, 3), round_down(0.3, 3), round_down(-0.0001, 3)
    (0.378, 0.3, -0.001)
    """
    return float(cut(value, digits, ROUND_FLOOR))


def text_down(value: float, digits: int) -> str:
    """`value` rounded down, printed with exactly `digits` decimals.

    >>> text_down(0.5, 3)
    '0.500'
    """
    return f"{cut(value, digits, ROUND_FLOOR):f}"


def text_up(value: float, digits: int) -> str:
    """`value` rounded up: for upper bounds and for numbers that weaken a claim.

    >>> text_up(-1.23, 1), text_up(0.301, 2)
    ('-1.2', '0.31')
    """
    return f"{cut(value, digits, ROUND_CEILING):f}"


def significant_up(value: float, digits: int) -> str:
    """A number >= 0 rounded up to so many significant digits: for p-values, which are bounds.

    >>> significant_up(0.00012341, 3), significant_up(2e-9, 3)
    ('0.000124', '2e-9')
    """
    context = Context(prec=digits, rounding=ROUND_CEILING)
    return f"{context.create_decimal(repr(finite(value))):.{digits}g}"


def percent_down(share: float) -> str:
    """A share in [0, 1] as percent with one decimal, rounded down.

    >>> percent_down(0.748), percent_down(2 / 3)
    ('74.8', '66.6')
    """
    return f"{cut(share, 3, ROUND_FLOOR).scaleb(2):f}"


def percent_up(share: float) -> str:
    """A share in [0, 1] as percent with one decimal, rounded up.

    >>> percent_up(2 / 3)
    '66.7'
    """
    return f"{cut(share, 3, ROUND_CEILING).scaleb(2):f}"
