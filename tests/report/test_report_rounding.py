import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aniso_jax.report.rounding import (
    percent_down,
    percent_up,
    round_down,
    significant_up,
    text_down,
    text_up,
)

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DIGITS = st.integers(0, 9)


@given(NUMBERS, DIGITS)
def test_down_is_never_above_and_within_one_step(value, digits):
    cut = round_down(value, digits)
    assert cut <= value
    assert Fraction(repr(value)) - Fraction(text_down(value, digits)) < Fraction(1, 10**digits)


@given(NUMBERS, DIGITS)
def test_down_is_idempotent_and_its_text_reads_back(value, digits):
    cut = round_down(value, digits)
    assert round_down(cut, digits) == cut == float(text_down(value, digits))


@given(NUMBERS, NUMBERS, DIGITS)
def test_down_keeps_order(a, b, digits):
    low, high = sorted((a, b))
    assert round_down(low, digits) <= round_down(high, digits)


@given(NUMBERS, DIGITS)
def test_up_mirrors_down(value, digits):
    assert Fraction(text_up(value, digits)) == -Fraction(text_down(-value, digits))


@given(st.floats(0, 1), st.integers(1, 9))
def test_significant_digits_up_are_never_below_and_within_one_digit(value, digits):
    text = significant_up(value, digits)
    assert value <= float(text)
    assert Fraction(text) <= Fraction(repr(value)) * (1 + Fraction(10) ** (1 - digits))
    assert len(text.split("e")[0].replace(".", "").lstrip("0")) <= digits


@given(st.integers(1, 10_000), st.data())
def test_shares_of_counts_print_exactly_where_they_can(total, data):
    count = data.draw(st.integers(0, total))
    share = Fraction(repr(count / total))
    low, high = percent_down(count / total), percent_up(count / total)
    assert Fraction(low) <= 100 * share <= Fraction(high)
    assert percent_down(count / 1000) == f"{count / 10:.1f}"


def test_nothing_prints_minus_zero():
    assert text_down(-0.0, 2) == "0.00"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(ValueError, match="only finite numbers"):
        round_down(value, 3)
