"""Our own pipeline as a benchmark runs it, and a count of what it asks of a network.

The stages are those of a run: the search driven from the host, and slots that draw side by side.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import NDArray

import aniso_jax as aj
from aniso_jax.certification.certify import Certification
from aniso_jax.data.ids import input_id
from aniso_jax.runs.inputs import keys_of
from aniso_jax.runs.search import search_batch
from aniso_jax.runs.sizes import sizes
from aniso_jax.runs.slots import Network
from aniso_jax.runs.tasks import Task, finish, rows

Array = NDArray[Any]


@dataclass(frozen=True, kw_only=True)
class Ours:
    """One network under one law.

    Attributes:
      batch: inputs side by side; it divides the number of inputs of every call.
    """

    apply_fn: Any
    params: Any
    plan: aj.Plan
    batch: int
    seed: int = 0

    def isotropic(self, x: Array, sigma: float) -> Array:
        """The sigma of each input, from the same start."""
        start = np.full(len(x), sigma, np.float32)
        return self._searched(aj.golden_section, x, start, lambda scale: scale.sigma)

    def anisotropic(self, x: Array, sigma: Array) -> Array:
        """The theta of each input, from its own sigma."""
        return self._searched(aj.default_anisotropic, x, sigma, lambda scale: scale.theta)

    def certify(self, x: Array, theta: Array) -> list[Certification]:
        """Each input under its own theta."""
        return self.certify_scales(x, aj.Diagonal(theta=jnp.asarray(theta, jnp.float32)))

    def certify_scales(self, x: Array, scale: Any) -> list[Certification]:
        """Each input under its own scale, of a batch of them."""
        _, chunk = sizes(x.shape[1:], self.plan.n, batch=self.batch, chunk=None, inputs=len(x))
        network = Network(apply_fn=self.apply_fn, params=self.params, chunk=chunk)

        def tasks() -> Iterator[Task]:
            for one in self._batches(len(x)):
                own = jax.tree.map(lambda leaf, one=one: leaf[one], scale)
                yield from rows(network.select(x[one], self._keys(x[one]), own, self.plan))

        done = dict(network.estimate(tasks(), self.batch, self.plan))
        return jax.block_until_ready([finish(done[i], self.plan) for i in range(len(x))])

    def _searched(self, search: Any, x: Array, start: Array, read: Any) -> Array:
        found = []
        for one in self._batches(len(x)):
            init = aj.Isotropic(sigma=jnp.asarray(start[one], jnp.float32))
            network, keys = (self.apply_fn, self.params), self._keys(x[one])
            best = search_batch(search, *network, x[one], keys, law=self.plan.law, init=init)
            found.append(np.asarray(read(best.scale)))
        return np.concatenate(found)

    def _keys(self, x: Array) -> jax.Array:
        return keys_of(self.seed, [input_id(one) for one in x])

    def _batches(self, count: int) -> Iterator[slice]:
        return (slice(at, at + self.batch) for at in range(0, count, self.batch))


@dataclass(eq=False)
class Meter:
    """Rows that a network has answered: one a forward row, two a backward row."""

    rows: int = 0

    def add(self, rows: Any) -> None:
        """Told from inside the computation."""
        self.rows += int(rows)


@dataclass(frozen=True)
class Metered:
    """An `apply_fn` that tells a meter. For counting only: it calls the host at every batch."""

    apply_fn: Any
    meter: Meter = field(default_factory=Meter)

    def __call__(self, params: Any, batch: jax.Array) -> jax.Array:
        """As the network that it wraps."""
        _tell(self.meter, len(batch), batch)
        return self.apply_fn(params, _told_backward(self.meter, batch))


def counted(ours: Ours) -> tuple[Ours, Meter]:
    """The same pipeline, counting."""
    metered = Metered(ours.apply_fn)
    return replace(ours, apply_fn=metered), metered.meter


def _tell(meter: Meter, count: int, batch: jax.Array) -> None:
    # The number is made to depend on the batch, so that vmap calls once for each of its inputs.
    number = jnp.int32(count) + 0 * jnp.isnan(batch.ravel()[0])
    jax.debug.callback(meter.add, number)


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _told_backward(meter: Meter, batch: jax.Array) -> jax.Array:
    return batch


def _forward(meter: Meter, batch: jax.Array) -> tuple[jax.Array, None]:
    return batch, None


def _backward(meter: Meter, _: None, cotangent: jax.Array) -> tuple[jax.Array]:
    _tell(meter, 2 * len(cotangent), cotangent)
    return (cotangent,)


_told_backward.defvjp(_forward, _backward)


def common_batch(inputs: int, most: int) -> int:
    """The largest divisor of `inputs` that is at most `most`.

    >>> common_batch(50, 4)
    2
    """
    return max(b for b in range(1, min(inputs, most) + 1) if math.gcd(b, inputs) == b)
