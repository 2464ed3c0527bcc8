"""Predictions with abstention for a selection of inputs."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.predict import Prediction, check_can_answer, predict
from aniso_jax.geometry.scales import Scale
from aniso_jax.models.checkpoint import load
from aniso_jax.runs.choose import source_of
from aniso_jax.runs.config import Predict
from aniso_jax.runs.inputs import check_fit, keys_of, read_inputs
from aniso_jax.runs.sizes import sizes
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import ApplyFn


class Answer(NamedTuple):
    """One input's answer."""

    position: int
    true_label: int
    label: int
    p_value: float


def predict_run(
    config: Predict, *, on_answer: Callable[[Answer], None] = lambda answer: None
) -> list[Answer]:
    """Answer the smoothed class of each selected input, or ABSTAIN (-1)."""
    model, inputs = load(config.model, dtype=config.dtype), read_inputs(config)
    check_fit(inputs.data, model)
    check_can_answer(config.n, config.alpha)
    source = source_of(config, inputs)
    _, chunk = sizes(inputs.data.x.shape[1:], config.n, batch=1, chunk=config.chunk, inputs=1)
    answers = []
    for index in inputs.indices:
        ids = [inputs.ids[int(index)]]
        x, keys = jnp.asarray(inputs.data.x[index][None]), keys_of(config.seed, ids)
        scale = jax.tree.map(lambda leaf: leaf[0], source(model, x, keys, ids).scale)
        static = model.apply_fn, config.noise, config.n, config.alpha, chunk
        found = _predict(*static, model.params, x[0], keys[0], scale)
        answers.append(_answer(int(index), int(inputs.data.y[index]), found))
        on_answer(answers[-1])
    return answers


@partial(jax.jit, static_argnums=(0, 1, 2, 3, 4))
def _predict(
    apply_fn: ApplyFn,
    law: Law,
    n: int,
    alpha: float,
    chunk: int,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    scale: Scale,
) -> Prediction:
    return predict(apply_fn, params, x, key, law=law, scale=scale, n=n, alpha=alpha, chunk=chunk)


def _answer(index: int, true_label: int, found: Prediction) -> Answer:
    host = jax.tree.map(np.asarray, found)
    return Answer(index, true_label, int(host.label), float(host.p_value))
