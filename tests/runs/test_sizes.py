"""The network that is run is looked at first: rows that see each other are refused."""

from dataclasses import replace
from types import SimpleNamespace

import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.runs.layout import PART, _sizes
from aniso_jax.runs.sizes import check_neighbours, chunk_changes_logits

X = np.zeros((28, 28, 1), np.float32)
DEMO = aj.load_model("demo")


def less_its_batch_mean(params, batch):
    return DEMO.apply_fn(params, batch - jnp.mean(batch, axis=0))


def less_the_row_before(params, batch):
    return DEMO.apply_fn(params, batch.at[1:].add(-batch[:-1]))


def less_the_input_before(params, batch):
    """Rows of one input lie 64 apart from those of the next in the batch that votes."""
    return DEMO.apply_fn(params, batch - jnp.roll(batch, 64, axis=0))


def by_the_size_of_the_batch(params, batch):
    return DEMO.apply_fn(params, batch) + len(batch)


def test_the_shipped_network_answers_each_input_by_itself() -> None:
    check_neighbours(DEMO, X, batch=2, chunk=64)


@pytest.mark.parametrize(
    "apply_fn", (less_its_batch_mean, less_the_row_before, less_the_input_before)
)
def test_a_network_whose_rows_see_each_other_is_refused(apply_fn) -> None:
    with pytest.raises(ValueError, match="eval mode"):
        check_neighbours(replace(DEMO, apply_fn=apply_fn), X, batch=2, chunk=64)


def test_a_network_of_nan_is_not_blamed_for_its_neighbours() -> None:
    nothing = replace(DEMO, apply_fn=lambda params, batch: DEMO.apply_fn(params, batch) * jnp.nan)
    check_neighbours(nothing, X, batch=2, chunk=64)


def test_logits_that_depend_on_the_size_are_noticed() -> None:
    assert chunk_changes_logits(
        replace(DEMO, apply_fn=by_the_size_of_the_batch), X, batch=2, chunk=128
    )


def test_batches_that_end_with_a_part_leave_no_rows_of_a_gpu_idle(monkeypatch) -> None:
    monkeypatch.setattr("jax.default_backend", lambda: "gpu")
    asked = SimpleNamespace(batch=None, chunk=None)
    many = SimpleNamespace(data=SimpleNamespace(x=X[None]), indices=range(100))
    batch, chunk = _sizes(asked, many, 100_000)
    assert (batch, batch * chunk) == (PART, 65_536)
