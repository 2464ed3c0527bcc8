"""Numbers that no run can have, refused before anything is read."""

SEEDS = 2**32
"""JAX reads the low 32 bits of a seed only: a larger one would repeat the noise of a smaller."""

MOST_DRAWS = 2**24
"""Counts up to here are exact in float32, and a table of bounds has one entry for each count."""


def check_seed(seed: int) -> None:
    """Refuse a seed whose noise would be another's."""
    if not 0 <= seed < SEEDS:
        raise ValueError(f"--seed must be at least 0 and below 2**32, got {seed}.")


def check_draws(*counts: int | None, option: str = "--n") -> None:
    """Refuse numbers of draws whose counts would not be exact."""
    most = max((count for count in counts if count is not None), default=0)
    if most > MOST_DRAWS:
        raise ValueError(f"{option} must be at most 2**24 = {MOST_DRAWS} draws, got {most}.")
