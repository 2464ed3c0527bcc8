"""Pairs of stored regions that nearly touch, put into a file by hand: `check` finds what meets."""

import jax.numpy as jnp
import numpy as np
import pytest
from store_samples import BOUND

import aniso_jax as aj
from aniso_jax.geometry.rounding import slack
from aniso_jax.memory.check import checked
from aniso_jax.memory.rows import Row, write_row

ROUNDING = slack(jnp.dtype(np.float32), 2)


def row(number: int, center: float, label: int, theta=(1, 1)) -> Row:
    return Row(
        id=number,
        label=label,
        gap=np.float32(1),
        center=np.float32([center, 0]),
        theta=np.float32(theta),
    )


@pytest.mark.parametrize("law", (aj.gaussian, aj.uniform))
@pytest.mark.parametrize(
    ("distance", "meets"),
    (
        (1.0, True),
        (1.9, True),  # s = 1/2 would need a bound of 2 sums; theirs is 1.8 and 1.9
        (2 * (1 - ROUNDING), True),
        (2 * (1 + ROUNDING), True),  # apart, but not by the rounding of a membership test
        (2 * (1 + 8 * ROUNDING), False),
        (3.0, False),
    ),
)
def test_two_regions_meet_where_their_outlines_are_within_rounding(tmp_path, law, distance, meets):
    with aj.memory_open(tmp_path / "m", **{**BOUND, "law": law}) as memory:
        write_row(memory.connection, row(1, 0, 0))
        write_row(memory.connection, row(2, distance, 1))
        *_, (done, found) = checked(memory)
    assert done == 2
    assert found == ["Regions 1 and 2, of classes 0 and 1, may meet."] * meets
