"""What a stored number may be: exactly this, or within a rounding that only shrinks the claim."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Between:
    """Any number from low to high, both included; `sound` is the end that is the true value."""

    low: float
    high: float
    sound: float


def at_most(value: float, *, lowest: float) -> Between:
    """A claim that must never exceed what was derived, and fall below it by rounding only."""
    return Between(low=lowest, high=value, sound=value)


def fits(stored: Any, wanted: Any) -> bool:
    """Whether a stored value is what it must be.

    >>> fits(0.5, at_most(0.5, lowest=0.4)), fits(0.6, at_most(0.5, lowest=0.4)), fits(None, 1)
    (True, False, False)
    """
    if isinstance(wanted, Between):
        return stored is not None and wanted.low <= stored <= wanted.high
    return bool(stored == wanted)


def believed(stored: Any, wanted: Between) -> Between:
    """The stored number itself where it passes."""
    return at_most(stored, lowest=stored) if fits(stored, wanted) else wanted


def shown(value: Any) -> str:
    """A value for people; of an interval its sound end."""
    return f"{value.sound!r}" if isinstance(value, Between) else f"{value!r}"
