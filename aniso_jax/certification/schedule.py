"""When a plan looks at its votes, and which plans can never work."""

from collections.abc import Sequence
from itertools import pairwise
from typing import get_args

import numpy as np

from aniso_jax.certification.tables import Bound, share_and_bounds
from aniso_jax.smoothing.grid import Grid
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.noise import BLOCK, blocks_for
from aniso_jax.smoothing.votes import check_draws
from aniso_jax.statistics.binomial import check_alpha, smallest_n

_GROWTH = 1.25  # of the default looks of an anytime plan
_STRIDE = 1024  # draws between the default looks of a curtailed plan


def check_bound(bound: str) -> None:
    """Refuse a bound that we do not have."""
    if bound not in get_args(Bound):
        raise ValueError(f"bound must be one of {', '.join(get_args(Bound))}, got {bound!r}.")


def make_schedule(bound: Bound, n: int | None, looks: Sequence[int] | None) -> tuple[int, ...]:
    """The declared looks, or the default schedule up to n."""
    if looks is not None:
        if not isinstance(looks, Sequence):
            raise ValueError(f"looks must be numbers of draws, as (100, 1_000), got {looks!r}.")
        schedule = tuple(check_draws(look, "each look") for look in looks)
        if not schedule or any(b <= a for a, b in pairwise(schedule)):
            raise ValueError(f"looks must increase, got {schedule}.")
        if n is not None and n != schedule[-1]:
            raise ValueError(f"The last look is n: got n = {n} and looks up to {schedule[-1]}.")
        return schedule
    last = check_draws(100_000 if n is None else n)
    if bound == "anytime":  # at whole blocks, so that no draw is made twice around a look
        powers = range(int(np.log(max(last / BLOCK, 1)) / np.log(_GROWTH)) + 1)
        whole = {blocks_for(int(BLOCK * _GROWTH**i)) * BLOCK for i in powers}
        return (*sorted(look for look in whole if look < last), last)
    if bound == "curtailed":
        return (*range(_STRIDE, last, _STRIDE), last)
    return (last,)


def check_plan(
    looks: tuple[int, ...],
    alpha: float,
    bound: Bound,
    classes: int | None,
    target: float | None,
    tolerance: float | None,
) -> None:
    """Refuse a plan that could never certify, or lacks what its bound needs."""
    share, bounds = share_and_bounds(bound, len(looks), alpha)
    check_alpha(alpha, share)
    n, smallest = looks[-1], smallest_n(share, bounds)
    if n < smallest:
        raise ValueError(
            f"n = {n} draws can never certify at alpha = {alpha}: even {n} hits of {n} do not "
            f"prove a probability above 1/2; take n >= {smallest}."
        )
    if (bound == "two-class") != (classes is not None):
        raise ValueError("classes= is the number of classes for bound='two-class', and only there.")
    if classes is not None and classes < 2:
        raise ValueError(f"classes must be at least 2, got {classes}.")
    if bound == "curtailed" and target is None:
        raise ValueError("bound='curtailed' decides a radius: give target=.")
    for name, value in (("target", target), ("tolerance", tolerance)):
        if value is not None and not 0 < value < float("inf"):
            raise ValueError(f"{name} must be finite and positive, got {value}.")


def check_grid(law: Law, grid: Grid | None) -> None:
    """Refuse a grid whose noise is another law's."""
    if grid is not None and grid.law != law:
        raise ValueError(
            f"The grid was made for the {grid.law.name} law, the plan is for {law.name}: "
            f"make it with grid(aniso_jax.{law.name}, ...)."
        )


def check_sharing(shared_draws: bool, bound: Bound, looks: tuple[int, ...]) -> None:
    """Refuse shared draws where inputs stop at different times and draw past each other."""
    if shared_draws and (len(looks) > 1 or bound not in ("one-sided", "two-class")):
        raise ValueError(
            f"shared_draws is for one look at a fixed n; this plan is {bound} with {len(looks)} "
            "looks: leave one of the two out."
        )
