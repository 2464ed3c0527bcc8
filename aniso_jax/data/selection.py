"""Which inputs of a data set a run is about."""

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.errors import DataError


def select(
    n_total: int,
    *,
    start: int = 0,
    stop: int | None = None,
    skip: int = 1,
    limit: int | None = None,
) -> NDArray[np.int64]:
    """The chosen indices of a data set with `n_total` inputs, ascending.

    The options mean what they mean in the field: every `skip`-th input from `start` to before
    `stop`, and of those the first `limit`. A smaller `limit` gives a prefix of a larger one.

    Args:
        n_total: size of the data set.
        start: first index.
        stop: the index to stop before; None, or more than there are, is the end.
        skip: step between indices; 20 takes every 20th.
        limit: how many inputs at most; None is all.

    Raises:
        DataError: a negative `start`, `stop` or `limit`, a `skip` below 1, or nothing selected.

    Example:
        >>> select(10_000, start=100, skip=20, limit=3).tolist()
        [100, 120, 140]
    """
    for name, value, least in (
        ("start", start, 0),
        ("stop", stop, 0),
        ("skip", skip, 1),
        ("limit", limit, 0),
    ):
        if value is not None and value < least:
            raise DataError(f"{name} is {value}: give at least {least}")
    chosen = np.arange(start, n_total if stop is None else min(stop, n_total), skip)[:limit]
    if not chosen.size:
        raise DataError(
            f"start={start}, stop={stop}, skip={skip}, limit={limit} select none of the "
            f"{n_total} inputs: give start < {n_total}, stop > start and limit >= 1"
        )
    return chosen.astype(np.int64)
