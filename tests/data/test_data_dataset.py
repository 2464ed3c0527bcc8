"""The data set type, the conversion from arrays, ids, orders and selections."""

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aniso_jax.data.arrays import from_arrays
from aniso_jax.data.dataset import Dataset
from aniso_jax.data.errors import DataError
from aniso_jax.data.ids import digest, input_id
from aniso_jax.data.order import by_hash, shuffled
from aniso_jax.data.selection import select


def images(n=3, shape=(4, 4, 1)):
    return np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)


def test_uint8_becomes_the_exact_grid_and_nothing_can_be_written():
    data = from_arrays(images(), [0, 1, 1], name="a")
    assert data.x.dtype == np.float32 and data.y.dtype == np.int64 and data.levels == 255
    np.testing.assert_array_equal(np.rint(data.x * 255), images())
    assert (len(data), data.shape, data.classes) == (3, (4, 4, 1), ("0", "1"))
    for array in (data.x, data.y):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    with pytest.raises(FrozenInstanceError):
        data.name = "b"


def test_all_256_bytes_are_on_the_grid():
    data = from_arrays(np.arange(256, dtype=np.uint8)[:, None], np.zeros(256, int), name="bytes")
    np.testing.assert_array_equal(data.x[:, 0], np.arange(256, dtype=np.float32) / np.float32(255))


def test_the_caller_keeps_their_arrays_and_cannot_reach_ours():
    x = np.full((2, 3), 0.5, np.float32)
    y = np.zeros(2, np.int64)
    converted = from_arrays(x, y, name="a")
    direct = Dataset(name="a", x=x, y=y, classes=("0",), levels=None)
    x[:] = 0
    assert x.flags.writeable and y.flags.writeable
    assert converted.x.min() == direct.x.min() == 0.5
    assert converted.levels is None


def test_fingerprint_depends_on_content_and_shape_only():
    first = from_arrays(images(), [0, 1, 1], name="a")
    assert first.fingerprint == from_arrays(images(), [0, 1, 1], name="b").fingerprint
    assert len(first.fingerprint) == 64
    assert first.fingerprint != from_arrays(images(), [0, 1, 0], name="a").fingerprint
    flat = from_arrays(images().reshape(3, 16), [0, 1, 1], name="a")
    assert first.fingerprint != flat.fingerprint


def test_digest_ignores_memory_order_and_endianness():
    x = np.arange(6, dtype="<f4").reshape(2, 3)
    assert digest(x) == digest(np.asfortranarray(x)) == digest(x.astype(">f4"))
    assert digest(x) != digest(x.astype(np.float64))


def test_input_id_names_content():
    x = from_arrays(images(), [0, 1, 1], name="a").x
    assert input_id(x[0]) == input_id(x[0].copy()) == input_id(np.asfortranarray(x[0]))
    assert len({input_id(x_i) for x_i in x}) == 3
    assert len(input_id(x[0])) == 16 and int(input_id(x[0]), 16) >= 0
    assert input_id(x[0]) != input_id(x[0].reshape(16))
    assert input_id(np.array([-0.0], np.float32)) == input_id(np.array([0.0], np.float32))


def test_summary_for_notebooks_is_escaped():
    data = from_arrays(images(), [0, 1, 1], name="<a>", classes=("x & y", "z"))
    html = data._repr_html_()
    assert "&lt;a&gt;" in html and "x &amp; y" in html and "3 of 4x4x1" in html
    assert "grid 1/255" in html
    assert repr(data) == "Dataset('<a>': 3 inputs of 4x4x1, 2 classes)"


def faulty(value):
    x = np.full((3, 2), 0.5)
    x[1, 1] = value
    return x


@pytest.mark.parametrize(
    ("x", "y", "sentence"),
    [
        (faulty(np.nan), [0, 0, 0], r"x\[1, 1\] is nan: every value must be finite"),
        (faulty(-np.inf), [0, 0, 0], r"x\[1, 1\] is -inf: every value must be finite"),
        (faulty(1e300), [0, 0, 0], r"x\[1, 1\] is inf: every value must be finite"),
        (faulty(1.5), [0, 0, 0], r"x\[1, 1\] is 1.5: values must lie in \[0, 1\]"),
        (faulty(-0.25), [0, 0, 0], r"x\[1, 1\] is -0.25: values must lie in \[0, 1\]"),
        (faulty(0.5), [0, 1, -1], r"y\[2\] is -1: labels of 2 classes are integers from 0 to 1"),
        (faulty(0.5), [0.0, 1.0, 1.0], "y has dtype float64: labels are integers"),
        (faulty(0.5), [0, 1], r"x has shape \(3, 2\) and y has shape \(2,\)"),
        (faulty(0.5), [[0], [1], [1]], r"y has shape \(3, 1\): give y with one label"),
        (np.zeros((0, 2)), np.zeros(0, int), "the data set is empty"),
        (np.zeros((3, 2), np.int32), [0, 0, 0], "x has dtype int32: give uint8"),
        (images(3, (4, 4, 1))[..., 0], [0, 0, 0], "without a channel axis"),
        (images(3, (3, 4, 4)), [0, 0, 0], r"C = 1 or 3 as the last axis .*transpose"),
        (np.zeros(3), [0, 0, 0], r"x has shape \(3,\): give \(N, d\)"),
    ],
)
def test_each_fault_has_its_sentence(x, y, sentence):
    with pytest.raises(DataError, match=sentence):
        from_arrays(x, y, name="a")


def test_labels_above_the_named_classes_are_refused():
    with pytest.raises(DataError, match=r"y\[1\] is 2: labels of 2 classes"):
        from_arrays(images(), [0, 2, 1], name="a", classes=("u", "v"))


def test_other_ranges_are_for_floating_inputs():
    data = from_arrays([[-1.5, 1.5]], [0], name="a", low=-1.5, high=1.5)
    assert (data.low, data.high, data.levels) == (-1.5, 1.5, None)
    with pytest.raises(DataError, match="x is uint8 with the range"):
        from_arrays(images(), [0, 1, 1], name="a", low=-1.0)


def test_the_constructor_converts_nothing():
    x, y = np.zeros((1, 2), np.float32), np.zeros(1, np.int64)
    with pytest.raises(DataError, match="x is float64, Dataset wants float32: use from_arrays"):
        Dataset(name="a", x=x.astype(np.float64), y=y, classes=("0",), levels=None)
    with pytest.raises(DataError, match="y is list, Dataset wants int64"):
        Dataset(name="a", x=x, y=[0], classes=("0",), levels=None)


def test_a_claimed_grid_is_verified():
    x = np.zeros((5000, 2), np.float32)
    y = np.zeros(5000, np.int64)
    x[4500] = 0.5
    with pytest.raises(DataError, match=r"x\[4500\] holds values that are not multiples of 1/255"):
        Dataset(name="a", x=x, y=y, classes=("0",), levels=255)
    assert Dataset(name="a", x=x, y=y, classes=("0",), levels=16).levels == 16
    with pytest.raises(DataError, match="a grid is of values in"):
        Dataset(name="a", x=x, y=y, classes=("0",), low=-1.0, levels=16)


def test_orders_are_fixed():
    assert shuffled(8, 0).tolist() == [3, 2, 1, 6, 0, 7, 4, 5]
    assert sorted(shuffled(1000, 1)) == list(range(1000))
    names = [f"{c}/{i}" for c in "ab" for i in range(10)]
    assert by_hash(names) == by_hash(names[::-1])
    without = [name for name in by_hash(names) if name != "a/3"]
    assert by_hash([name for name in names if name != "a/3"]) == without


small = st.integers(0, 60)


@given(n=st.integers(1, 60), start=small, stop=st.none() | small, skip=st.integers(1, 7))
def test_select_is_the_slice(n, start, stop, skip):
    wanted = list(range(n))[start:stop:skip]
    if not wanted:
        with pytest.raises(DataError, match="select none of the"):
            select(n, start=start, stop=stop, skip=skip)
        return
    assert select(n, start=start, stop=stop, skip=skip).tolist() == wanted
    for limit in range(1, len(wanted) + 2):
        part = select(n, start=start, stop=stop, skip=skip, limit=limit)
        assert part.tolist() == wanted[:limit]


def test_limit_counts_inputs_after_skip():
    assert select(100, start=10, stop=90, skip=20, limit=3).tolist() == [10, 30, 50]
    assert select(10).dtype == np.int64


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"start": -1}, "start is -1: give at least 0"),
        ({"stop": -5}, "stop is -5: give at least 0"),
        ({"skip": 0}, "skip is 0: give at least 1"),
        ({"limit": -1}, "limit is -1: give at least 0"),
        ({"limit": 0}, "limit=0 select none of the 10 inputs"),
        ({"start": 10}, "start=10, .*select none of the 10 inputs: give start < 10"),
    ],
)
def test_selections_that_are_refused(options, sentence):
    with pytest.raises(DataError, match=sentence):
        select(10, **options)
