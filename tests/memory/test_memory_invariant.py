"""Random streams into a memory, each step judged by brute force in two dimensions."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from memory_samples import ROUNDING, gauge, outline, region, separation

import aniso_jax as aj

CAPACITY = 12
insert, query = jax.jit(aj.memory_insert), jax.jit(aj.memory_query)

coordinate = st.integers(-6, 6).map(lambda k: k / 4) | st.floats(-1.5, 1.5, width=32)
point = st.tuples(coordinate, coordinate)
axes = st.tuples(*[st.sampled_from((1e-3, 0.125, 0.25, 0.5, 1.0, 8.0))] * 2)
gaps = st.sampled_from((0.0, 1e-4, 0.25, 0.5, 1.0, 1.0, 2.0))
numbers = st.integers(0, 99)
labels = st.sampled_from((-1, 0, 0, 1, 1, 2))
KEEP, SHRINK, ADOPT, ABSTAIN = aj.MemoryVerdict


class Stream(RuleBasedStateMachine):
    """Model: every stored region, and every answer that was ever given."""

    order = 2

    @initialize()
    def begin(self):
        self.memory = aj.memory_empty(CAPACITY, (2,), order=self.order)
        self.stored, self.answers = [], []

    @rule(center=point, theta=axes, gap=gaps, label=labels)
    def anywhere(self, center, theta, gap, label):
        self.ask(center, theta, gap, label)

    @rule(
        number=st.integers(0, 99), turn=st.integers(0, 723), near=st.integers(-3, 3), label=labels
    )
    def on_an_outline(self, number, turn, near, label):
        """Within a few float32 steps of where a stored region ends."""
        if self.stored:
            old = self.stored[number % len(self.stored)]
            rim = outline(*old[:3], self.order)[-724:][turn]
            center = np.float32(rim) * np.float32(1 + near * 6e-8)
            self.ask(center, old[1], 0.5, label)

    @rule(number=numbers, label=labels, gap=gaps)
    def again(self, number, label, gap):
        """An input that was asked before, perhaps with another certificate."""
        if self.answers:
            center, theta, *_ = self.answers[number % len(self.answers)]
            self.ask(center, theta, gap, label)

    def ask(self, center, theta, gap, label):
        center, theta = np.float32(center), np.float32(theta)
        gap = np.float32(gap if label >= 0 else 0.0)
        before = int(self.memory.count)
        self.memory, answer = insert(self.memory, region(center, theta, gap, self.order), label)
        verdict, given = int(answer.verdict), int(answer.label)
        claim = np.float32(answer.region.scale.theta), np.float32(answer.region.gap)
        self.judge(center, theta, gap, label, verdict, given, claim)
        if verdict in (KEEP, SHRINK):
            self.stored.append((center, *claim, given))
        assert int(self.memory.count) == before + (verdict in (KEEP, SHRINK)) == len(self.stored)
        if given >= 0:
            self.answers.append((center, *claim, given))

    def judge(self, center, theta, gap, label, verdict, given, claim):
        """The rules, from the regions stored before."""
        gauges = [gauge(*old[:3], self.order, center[None])[0] for old in self.stored]
        sizes = list(zip(gauges, self.stored, strict=True))
        inside = [old for size, old in sizes if size < 1 - ROUNDING]
        outside = all(size > 1 + ROUNDING for size in gauges)
        if inside:
            assert given == inside[0][3]
        if verdict in (KEEP, SHRINK):
            assert given == label
            assert np.array_equal(claim[0], theta)
            assert claim[1] == gap if verdict == KEEP else 0 < claim[1] < gap
        if verdict == ADOPT:
            assert not outside
        if verdict == ABSTAIN:
            assert given == -1 and claim[1] == 0 and not inside
            has_room = len(self.stored) < CAPACITY
            crowded = any(size < 1 + 1e-3 and old[3] != label for size, old in sizes)
            assert label < 0 or gap == 0 or not has_room or crowded
        if outside and label >= 0 and gap > 0 and len(self.stored) < CAPACITY:
            new = center, theta, gap
            rivals = [old[:3] for old in self.stored if old[3] != label]
            free = all(separation(old, new, self.order) > 1 + 1e-4 for old in rivals)
            assert not free or verdict == KEEP

    @invariant()
    def stored_regions_of_different_classes_are_disjoint(self):
        if getattr(self, "stored", None) and len(self.stored) > 1:
            *earlier, new = self.stored
            for old in earlier:
                assert old[3] == new[3] or separation(old[:3], new[:3], self.order) > 1

    @invariant()
    def every_answer_still_holds(self):
        for center, theta, gap, label in getattr(self, "answers", [])[-6:]:
            assert int(query(self.memory, jnp.asarray(center)).label) == label
            if gap > 0:
                for y in np.float32(outline(center, theta, gap, self.order)[::311]):
                    answer = query(self.memory, jnp.asarray(y))
                    inside = gauge(center, theta, gap, self.order, np.float64(y)[None])[0] <= 1
                    assert int(answer.label) == label or not inside


class CrossPolytopes(Stream):
    order = 1


few = settings(max_examples=40, stateful_step_count=30, deadline=None)
many = settings(max_examples=1500, stateful_step_count=40, deadline=None)
TestEllipsoids, TestCrossPolytopes = Stream.TestCase, CrossPolytopes.TestCase
TestEllipsoids.settings = TestCrossPolytopes.settings = few


@pytest.mark.slow
@pytest.mark.parametrize("stream", (Stream, CrossPolytopes))
def test_many_streams(stream):
    from hypothesis.stateful import run_state_machine_as_test

    run_state_machine_as_test(stream, settings=many)
