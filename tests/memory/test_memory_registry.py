"""The pure fold: what it refuses, what it never stores, and that blocks and jit change nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from memory_samples import region

import aniso_jax as aj
from aniso_jax.memory import scan

insert, query = jax.jit(aj.memory_insert), jax.jit(aj.memory_query)
KEEP, SHRINK, ADOPT, ABSTAIN = aj.MemoryVerdict


def filled(*rows, order=2, capacity=8):
    memory = aj.memory_empty(capacity, (2,), order=order)
    for center, theta, gap, label in rows:
        memory, _ = insert(memory, region(center, theta, gap, order), label)
    return memory


@pytest.mark.parametrize("order", (1, 2))
def test_what_is_no_region_is_neither_stored_nor_claimed(order):
    for center, theta, gap, label in (
        ((np.nan, 0), (1, 1), 1, 0),
        ((np.inf, 0), (1, 1), 1, 0),
        ((3e38, 0), (1, 1), 1, 0),
        ((0, 0), (np.nan, 1), 1, 0),
        ((0, 0), (np.inf, 1), 1, 0),
        ((0, 0), (0, 1), 1, 0),
        ((0, 0), (-1, 1), 1, 0),
        ((0, 0), (1e-20, 1), 1, 0),
        ((0, 0), (1e20, 1), 1e20, 0),
        ((0, 0), (1, 1), np.nan, 0),
        ((0, 0), (1, 1), np.inf, 0),
        ((0, 0), (1, 1), 0, 0),
        ((0, 0), (1, 1), -1, 0),
        ((0, 0), (1, 1), 1, -1),
        ((0, 0), (1, 1), 1, -7),
    ):
        memory = aj.memory_empty(8, (2,), order=order)
        # around a concrete bad theta no scale is made, so it comes in as traced numbers do
        new = region(center, jnp.asarray(theta, jnp.float32), gap, order)
        memory, answer = insert(memory, new, label)
        assert int(answer.verdict) == ABSTAIN
        assert int(answer.label) == -1
        assert answer.region.gap == 0
        assert answer.index == -1
        assert memory.count == 0


def test_a_point_that_is_not_finite_is_inside_nothing():
    memory = filled(((0, 0), (1, 1), 1, 4))
    for x in (np.nan, np.inf):
        assert int(query(memory, jnp.float32([x, 0])).label) == -1
    assert int(query(memory, jnp.float32([0.5, 0])).label) == 4


def test_an_abstention_becomes_an_answer_once_it_lies_in_a_region():
    memory = filled()
    nothing = region((0.5, 0), (1, 1), 0, 2)
    memory, answer = insert(memory, nothing, -1)
    assert int(answer.verdict) == ABSTAIN
    memory, _ = insert(memory, region((0, 0), (1, 1), 1, 2), 3)
    memory, answer = insert(memory, nothing, -1)
    assert (int(answer.verdict), int(answer.label)) == (ADOPT, 3)
    assert 0.499 < float(answer.region.gap) <= 0.5
    assert memory.count == 1


def test_without_a_free_row_nothing_new_is_claimed():
    memory = filled(((0, 0), (1, 1), 1, 0), ((9, 0), (1, 1), 1, 1), capacity=2)
    memory, answer = insert(memory, region((0, 9), (1, 1), 1, 2), 1)
    assert int(answer.verdict) == ABSTAIN
    assert memory.count == 2
    memory, answer = insert(memory, region((9.5, 0), (1, 1), 5, 2), 1)
    assert (int(answer.verdict), int(answer.label)) == (ADOPT, 1)
    assert answer.region.gap <= 0.5


@pytest.mark.parametrize("order", (1, 2))
def test_asking_again_stores_nothing_and_says_the_same(order):
    memory = filled(((0, 0), (1, 1), 1, 0), order=order)
    new = region((1.5, 0), (1, 2), 3, order)
    memory, first = insert(memory, new, 1)
    assert int(first.verdict) == SHRINK
    for _ in range(3):
        memory, again = insert(memory, new, 1)
        assert int(again.verdict) == ADOPT
        assert again.region.gap == first.region.gap
        assert again.label == first.label
    assert memory.count == 2


def test_the_own_region_is_claimed_where_it_is_the_larger_one():
    memory = filled(((0, 0), (1, 1), 1, 0), ((4, 0), (1, 1), 1, 1))
    memory, answer = insert(memory, region((0.5, 0), (1, 1), 10, 2), 0)
    assert int(answer.verdict) == SHRINK  # by the region around (4, 0)
    assert 2.49 < answer.region.gap < 2.5
    memory, answer = insert(memory, region((0.5, 0), (1, 1), 1, 2), 0)
    assert int(answer.verdict) == ADOPT
    assert int(answer.index) == 2  # the larger of the two that hold it
    assert memory.count == 3


def test_a_point_on_an_outline_answers_the_class_though_it_claims_no_room():
    memory = filled(((0, 0), (1, 1), 1, 5))
    memory, answer = insert(memory, region((1, 0), (1, 1), 1, 2), 6)
    assert (int(answer.verdict), int(answer.label)) == (ADOPT, 5)
    assert answer.region.gap == 0


def test_a_center_that_cannot_be_proved_outside_abstains_or_adopts():
    """Every float32 step across an outline: never a region of another class that meets it."""
    memory = filled(((0, 0), (1, 1), 1, 0))
    x = np.float32(1)
    verdicts = []
    for _ in range(200):
        _, answer = insert(memory, region((x, 0), (1, 1), 1, 2), 1)
        verdicts.append(int(answer.verdict))
        assert int(answer.label) in {ADOPT: (0,), ABSTAIN: (-1,), SHRINK: (1,)}[verdicts[-1]]
        if verdicts[-1] == SHRINK:
            assert np.float64(x) - np.float64(answer.region.gap) > 1
        x = np.nextafter(x, np.float32(2))
    assert verdicts == sorted(verdicts, key=(ADOPT, ABSTAIN, SHRINK).index)
    assert set(verdicts) >= {ADOPT, ABSTAIN}


@pytest.mark.parametrize("order", (1, 2))
def test_blocks_of_any_size_see_the_same(order, monkeypatch):
    rng = np.random.default_rng(order)
    rows = [
        (rng.random(2) * 4, rng.uniform(0.05, 0.5, 2), 1, int(rng.integers(3))) for _ in range(20)
    ]
    whole = filled(*rows, order=order, capacity=23)
    monkeypatch.setattr(scan, "_ENTRIES", 2 * 7)
    jax.clear_caches()  # what was traced with the other size
    memory = aj.memory_empty(23, (2,), order=order)
    for center, theta, gap, label in rows:
        memory, _ = insert(memory, region(center, theta, gap, order), label)
    for one, other in zip(jax.tree.leaves(memory), jax.tree.leaves(whole), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)
    jax.clear_caches()


def test_a_fold_is_a_scan():
    rng = np.random.default_rng(3)
    rows = [region(rng.random(2), rng.uniform(0.05, 0.5, 2), 1, 2) for _ in range(10)]
    labels = rng.integers(0, 3, 10).astype(np.int32)
    batch = jax.tree.map(lambda *leaves: jnp.stack(leaves), *rows)
    folded, answers = jax.lax.scan(
        lambda memory, row: aj.memory_insert(memory, *row),
        aj.memory_empty(16, (2,), order=2),
        (batch, jnp.asarray(labels)),
    )
    memory = aj.memory_empty(16, (2,), order=2)
    for row, label, verdict in zip(rows, labels, answers.verdict, strict=True):
        memory, answer = insert(memory, row, label)
        assert answer.verdict == verdict
    np.testing.assert_allclose(memory.gaps, folded.gaps, rtol=1e-5)


def test_another_norm_shape_or_precision_is_refused():
    memory = aj.memory_empty(2, (2,), order=2)
    with pytest.raises(ValueError, match="norm order 1"):
        aj.memory_insert(memory, region((0, 0), (1, 1), 1, 1), 0)
    with pytest.raises(ValueError, match="shape"):
        aj.memory_insert(memory, region((0, 0, 0), (1, 1, 1), 1, 2), 0)
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.float16), region((0, 0), (1, 1), 1, 2))
    with pytest.raises(ValueError, match="float16"):
        aj.memory_insert(memory, half, 0)
    for capacity in (0, 2.5):
        with pytest.raises(ValueError, match="room for at least one"):
            aj.memory_empty(capacity, (2,), order=2)
    with pytest.raises(ValueError, match="order 3"):
        aj.memory_empty(1, (2,), order=3)


@pytest.mark.parametrize("order", (1, 2))
def test_a_scale_whose_inverse_underflows_is_never_stored(order):
    """Every point would count as inside: x / 3e38 is 0 in float32."""
    absurd = region(np.zeros(100), np.full(100, 3e38), 2e-38, order)
    memory, answer = aj.memory_insert(aj.memory_empty(2, (100,), order=order), absurd, 0)
    assert int(answer.verdict) == aj.MemoryVerdict.ABSTAIN
    assert int(memory.count) == 0


@pytest.mark.parametrize("label", (np.int64(2**32), np.uint32(2**32 - 1), 2**40, -(2**40)))
def test_a_label_that_would_be_cut_off_is_refused(label):
    """2**32 would be class 0."""
    memory, new = aj.memory_empty(2, (2,), order=2), region((0, 0), (1, 1), 1, 2)
    with pytest.raises(ValueError, match="wanted a class, a whole number below 2147483648, or -1"):
        aj.memory_insert(memory, new, label)


@pytest.mark.parametrize("shape", (2, (2, 0), (-1,), (2.0,), "ab"))
def test_what_is_no_shape_is_refused(shape):
    with pytest.raises(ValueError, match="wanted that of one input, such as"):
        aj.memory_empty(2, shape, order=2)


@pytest.mark.parametrize("label", (1.9, np.float32(1), True))
def test_a_label_that_is_no_whole_number_is_refused_also_where_it_is_traced(label):
    memory, new = aj.memory_empty(2, (2,), order=2), region((0, 0), (1, 1), 1, 2)
    for insert in (aj.memory_insert, jax.jit(aj.memory_insert)):
        with pytest.raises(ValueError, match="wanted a class, a whole number below"):
            insert(memory, new, label)
