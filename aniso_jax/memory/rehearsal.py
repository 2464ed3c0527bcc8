"""A question rehearsed, so that nothing is compiled while a file is locked."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.scales import Diagonal
from aniso_jax.memory.fold import Question, answer_from, looked
from aniso_jax.memory.log import Logged
from aniso_jax.memory.rows import Row, added, block_of

_CLASSES = 0, 1, ABSTAIN
"""Of a question about a stored region of class 0: its own, another, none."""


def settled(question: Question) -> Question:
    """The same numbers as arrays of one kind, wherever they come from: what one compiles, all use.

    Weak types and devices of their own would make JAX compile a question once more.
    """
    new = jax.tree.map(lambda values: jnp.asarray(np.asarray(values)), question.new)
    return replace(question, new=new, label=jnp.int32(np.asarray(question.label)))


def rehearse(shape: tuple[int, ...], order: int) -> None:
    """Go once through everything that a question may need, with regions made up for it."""
    row, empty = _row(shape), partial(block_of, [], shape, order)
    added(empty(), row)
    for label in _CLASSES:
        question = settled(Question.of(_region(shape, order, label), label, order, shape))
        for block in (empty(), block_of([row], shape, order)):
            answer, _ = answer_from(question, looked(question, [(0, block)]))
            Logged.of(answer, question.new, label, name="", draws="", run="")


def _row(shape: tuple[int, ...]) -> Row:
    ones = np.ones(shape, np.float32)
    return Row(id=1, label=0, gap=np.ones((), np.float32), center=0 * ones, theta=ones)


def _region(shape: tuple[int, ...], order: int, label: int) -> Region:
    ones = np.ones(shape, np.float32)
    gap = np.float32(label != ABSTAIN)
    return Region(
        center=jnp.asarray(0 * ones),
        scale=Diagonal(theta=jnp.asarray(ones)),
        gap=jnp.asarray(gap),
        order=order,
    )
