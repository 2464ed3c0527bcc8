"""The memory where JAX computes in float64: the claims stay float32, and the answers the same."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import pytest
from store_samples import BOUND, stream

import aniso_jax as aj
from aniso_jax.memory.check import check


@pytest.mark.parametrize("law", (aj.gaussian, aj.uniform))
def test_fold_and_file_answer_in_float32_where_float64_is_on(tmp_path, law):
    with (
        jax.enable_x64(True),
        aj.memory_open(tmp_path / "m", **{**BOUND, "law": law}) as file,
    ):
        insert, memory = jax.jit(aj.memory_insert), aj.memory_empty(16, (2,), order=law.order)
        for region, label in stream(1, 12):
            region = replace(region, order=law.order)
            memory, wanted = insert(memory, region, label)
            answer, _ = file.ask(region, label, draws="d")
            assert int(answer.label) == int(wanted.label)
            assert wanted.region.gap.dtype == answer.region.gap.dtype == jnp.float32
        assert file.count() == int(memory.count) > 3
        assert check(file) == []
