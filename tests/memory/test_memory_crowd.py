"""Many stored regions near a new one: what is left of it, and that grouping changes no bit."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from memory_samples import region
from store_samples import BOUND, ball

import aniso_jax as aj
from aniso_jax.memory import crowd
from aniso_jax.memory import rows as memory_rows
from aniso_jax.memory.scan import look

KEEP, SHRINK, ADOPT, ABSTAIN = aj.MemoryVerdict
D, STORED = 6, 90  # six batches


def around(order: int, seed: int) -> tuple[aj.Memory, aj.Region]:
    """Regions whose outlines pass a point at 1.05 to 2 times their gap, and one around it."""
    rng = np.random.default_rng(seed)
    theta = np.exp(rng.normal(0, 1, (STORED, D)))
    u = rng.standard_normal((STORED, D))
    u *= rng.uniform(1.05, 2, (STORED, 1)) / np.linalg.norm(u, order, axis=1, keepdims=True)
    memory = aj.memory_empty(STORED + 3, (D,), order=order)
    memory = replace(
        memory,
        centers=memory.centers.at[:STORED].set(np.float32(0.5 + u * theta)),
        thetas=memory.thetas.at[:STORED].set(np.float32(theta)),
        gaps=memory.gaps.at[:STORED].set(1),
        labels=memory.labels.at[:STORED].set(0),
        count=jnp.int32(STORED),
    )
    own = np.exp(rng.normal(0, 1, D)) if seed else np.full(D, 1.0)
    return memory, region(np.full(D, 0.5), own, 3.0, order)


@pytest.mark.parametrize("order", (1, 2))
def test_a_crowd_leaves_what_the_nearest_of_it_leaves(order, monkeypatch):
    insert = jax.jit(lambda *given: aj.memory_insert(*given)[1])
    avoid = jax.jit(jax.vmap(aj.shrink_to_avoid, in_axes=(None, 0)))
    samples = [around(order, seed) for seed in range(4)]
    answers = [insert(*sample, 1) for sample in samples]
    for (memory, new), answer in zip(samples, answers, strict=True):
        stored = jax.vmap(memory.region)(jnp.arange(STORED))
        least = float(avoid(new, stored).gap.min())
        assert int(answer.verdict) == SHRINK
        assert 0 < least < 3
        assert float(answer.region.gap) == pytest.approx(least, rel=1e-4)
        same = avoid(answer.region, stored).gap
        assert np.array_equal(same, np.full(STORED, answer.region.gap))
        tiny = insert(memory, replace(new, gap=jnp.float32(1e-3 * least)), 1)
        assert (int(tiny.verdict), float(tiny.region.gap)) == (KEEP, np.float32(1e-3 * least))
    monkeypatch.setattr(crowd, "_MOST", 7)
    one_by_one = jax.jit(lambda *given: aj.memory_insert(*given)[1])
    for sample, answer in zip(samples, answers, strict=True):
        gap = one_by_one(*sample, 1).region.gap
        np.testing.assert_allclose(gap, answer.region.gap, rtol=1e-6)


@pytest.mark.parametrize("order", (1, 2))
def test_one_glance_calls_nothing_apart_that_touches(order):
    """Equal shapes, for which s = 1/2 is the whole truth, a few float32 steps around tangency."""
    seen = jax.jit(look)
    memory = aj.memory_empty(1, (2,), order=order)
    memory, _ = aj.memory_insert(memory, region((0, 0), (1, 1), 1, order), 0)
    for steps in range(-4, 5):
        far = np.float32(2 + steps * 2.0**-22)
        assert bool(seen(memory, region((far, 0), (1, 1), 1, order), jnp.int32(1)).undecided[0])
    away = seen(memory, region((2.001, 0), (1, 1), 1, order), jnp.int32(1))
    assert not bool(away.undecided[0])


def test_of_two_blocks_the_region_with_more_room_holds_the_point(tmp_path, monkeypatch):
    monkeypatch.setattr(memory_rows, "_ENTRIES", 14)  # seven regions a block
    with aj.memory_open(tmp_path / "m", **BOUND) as memory:
        memory.ask(ball((0, 0), 2.0), 0, draws="d")
        for at in range(6):
            memory.ask(ball((100.0 + 10 * at, 0)), at, draws="d")
        memory.ask(ball((2.5, 0), 1.0), 0, draws="d")
        assert memory.count() == 8
        for x, index, gap in ((1.6, 1, 0.4), (1.8, 8, 0.3), (1.75, 1, 0.25), (1.7, 1, 0.3)):
            answer = memory.query(jnp.float32((x, 0)))
            assert int(answer.index) == index or x == 1.75  # as much room in both
            assert float(answer.region.gap) == pytest.approx(gap, abs=1e-5)
