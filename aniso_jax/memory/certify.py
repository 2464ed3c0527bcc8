"""One input answered by a memory file, certified only where the stored regions do not answer it."""

import hashlib
from functools import partial
from typing import Any

import jax
import numpy as np

from aniso_jax.certification.certify import Certification, certify
from aniso_jax.certification.plan import Plan
from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.scales import Scale
from aniso_jax.memory.answers import MemoryAnswer
from aniso_jax.memory.rules import check_storable
from aniso_jax.memory.store import MemoryFile
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.votes import CHUNK, ApplyFn


def memory_certify(
    memory: MemoryFile,
    apply_fn: ApplyFn,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    *,
    law: Law,
    scale: Scale,
    plan: Plan,
    chunk: int = CHUNK,
) -> MemoryAnswer:
    """Answer x from the store where it lies in a stored region; else certify it and store that.

    Args:
      memory: from `memory_open`, for this network, law, alpha and input shape.
      apply_fn, params, x, key, law, scale, plan, chunk: as `certify`; make `key` from a seed and
        the input's content, so that the same input has the same draws.

    Guarantee:
      What the answer rests on is on the disk when it is returned, and no later answer contradicts
      it. For each input asked, with probability at least 1 - alpha over its own draws no false
      region is stored for it; so at most alpha times the inputs asked are expected to have stored
      one. Which regions are stored depends on the draws: nothing is said of one of them by itself.
      Where the stored regions answer, nothing is drawn and nothing logged: `memory show` does not
      count it.

    Raises:
      MemoryRefused: the input was certified before with other draws or another scale, which would
        be another try; the memory was opened for, or first asked with, other params.
      ValueError: a plan with a grid, of another alpha or law than the memory's; a scale with axes
        of its own; what `certify` refuses. None of these was a try.

    >>> import aniso_jax as aj, jax.numpy as jnp, tempfile
    >>> f = lambda w, batch: jnp.stack([batch @ w, -batch @ w], axis=-1)
    >>> w, x, key = jnp.array([1.0, 0.0]), jnp.array([1.0, 0.0]), jax.random.key(0)
    >>> how = {"law": aj.gaussian, "scale": aj.Isotropic(sigma=0.5),
    ...        "plan": aj.plan(aj.gaussian, n=1_000)}
    >>> with (tempfile.TemporaryDirectory() as folder,
    ...       aj.memory_open(f"{folder}/m", weights=w, law=aj.gaussian, shape=(2,)) as memory):
    ...     for point in (x, 1.2 * x):
    ...         answer = memory_certify(memory, f, w, point, key, **how)
    ...         aj.MemoryVerdict(int(answer.verdict)).name, int(answer.label)
    ('KEEP', 0)
    ('ADOPT', 0)
    """
    check_storable(scale)
    _check(memory, params, law, plan)
    found = memory.query(x)
    if int(found.label) != ABSTAIN:
        return found
    draws, asked = _draws(key, scale, plan), (apply_fn, law, chunk, params, x, key, scale, plan)
    _certify.eval_shape(*asked)  # what cannot be computed at all is refused here, and was no try
    memory.begin(x, draws=draws)
    own = _certify(*asked)
    return memory.ask(own.region, int(own.label), draws=draws)[0]


def _check(memory: MemoryFile, params: Any, law: Law, plan: Plan) -> None:
    bound = memory.binding
    if plan.grid is not None:
        raise ValueError(
            "The plan has a grid; regions in a memory are compared in real numbers: make the plan "
            "without grid=."
        )
    if law.name != bound.law or plan.alpha != bound.alpha:
        raise ValueError(
            f"The law is {law.name} and alpha {plan.alpha}, {memory.path} was opened for "
            f"{bound.law} and {bound.alpha}: certify with these, or open another memory."
        )
    memory.check_params(params)


def _draws(key: jax.Array, scale: Scale, plan: Plan) -> str:
    """A hash of what determines the votes and the bound: another one is another try."""
    digest = hashlib.sha256(f"{plan.n0} {plan.looks} {plan.bound} {plan.alpha}".encode())
    digest.update(f" {plan.target} {plan.tolerance} {plan.shared_draws} ".encode())
    digest.update(np.asarray(jax.random.key_data(key)).tobytes())
    for leaf in jax.tree.leaves(scale):  # as what is stored has it, whatever it was given as
        digest.update(np.asarray(leaf, np.float32).tobytes())
    return f"draws {digest.hexdigest()[:16]}"


@partial(jax.jit, static_argnums=(0, 1, 2))
def _certify(
    apply_fn: ApplyFn,
    law: Law,
    chunk: int,
    params: Any,
    x: jax.Array,
    key: jax.Array,
    scale: Scale,
    plan: Plan,
) -> Certification:
    return certify(apply_fn, params, x, key, law=law, scale=scale, plan=plan, chunk=chunk)
