"""The network that is run is looked at first: rows that see each other are refused."""

from dataclasses import replace

import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.runs.sizes import check_neighbours, chunk_changes_logits

X = np.zeros((28, 28, 1), np.float32)


def test_the_shipped_network_answers_each_input_by_itself() -> None:
    check_neighbours(aj.load_model("demo"), X, batch=2, chunk=64)
    assert chunk_changes_logits(aj.load_model("demo"), X, batch=2, chunk=128) in (False, True)


def test_a_network_in_training_mode_is_refused() -> None:
    demo = aj.load_model("demo")

    def with_batch_statistics(params, batch):
        return demo.apply_fn(params, batch - jnp.mean(batch, axis=0))

    with pytest.raises(ValueError, match="eval mode"):
        check_neighbours(replace(demo, apply_fn=with_batch_statistics), X, batch=2, chunk=64)
