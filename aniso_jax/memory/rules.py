"""The rules by which answers stay consistent: what to claim, once the store has been looked at.

Invariant: stored regions of different classes are disjoint, and an input in a stored region answers
its class. So an input in a region of another class than its own adopts that class; in one of its
own class it claims the larger of two regions, both true; elsewhere it claims its own region, shrunk
away from other classes. Old regions never change, and an abstention promises nothing.
"""

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.certification.status import ABSTAIN
from aniso_jax.geometry.axes import is_measurable, thetas
from aniso_jax.geometry.disjoint import largest_inside
from aniso_jax.geometry.regions import Region
from aniso_jax.geometry.rounding import slack
from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.memory.answers import MemoryAnswer, MemoryVerdict

CLASSES = 2**31
"""What an int32 holds."""


def check_shape(shape: object) -> None:
    """Refuse what is no shape of an input, or that of one without a number in it."""
    is_shape = isinstance(shape, tuple | list) and all(
        isinstance(size, int | np.integer) and not isinstance(size, bool) and size > 0
        for size in shape
    )
    if not is_shape:
        raise ValueError(f"shape is {shape!r}; wanted that of one input, such as (28, 28, 1).")


def check_storable(scale: Scale) -> None:
    """Refuse a scale with axes of its own: what is stored has one theta for every coordinate."""
    if not isinstance(scale, Isotropic | Diagonal):
        raise ValueError(
            f"The scale is a {type(scale).__name__}; a memory stores regions of Isotropic and "
            "Diagonal scales only: certify with one of these, or without a memory."
        )


def class_of(label: jax.typing.ArrayLike) -> jax.Array:
    """Of a whole number's type, which is known also where the number is not; nothing is cut off."""
    is_known = isinstance(label, int | np.integer | np.ndarray)
    fits = not is_known or np.all((np.asarray(label) >= -CLASSES) & (np.asarray(label) < CLASSES))
    if not fits or not jnp.issubdtype(jnp.result_type(label), jnp.integer):
        raise ValueError(
            f"The label is {label}; wanted a class, a whole number below {CLASSES}, or {ABSTAIN} "
            "where there is no certificate."
        )
    return jnp.asarray(label, jnp.int32)


def is_candidate(new: Region, label: jax.Array) -> jax.Array:
    """Whether a certificate can be stored: a class, and a region of finite, usable numbers."""
    return (label >= 0) & is_measurable(new)


def decide(
    new: Region,
    label: jax.Array,
    own: Region,
    *,
    old: Region,
    old_label: jax.Array,
    is_inside: jax.Array,
    old_index: jax.Array,
    new_index: jax.Array,
    has_room: jax.Array,
) -> tuple[MemoryAnswer, jax.Array]:
    """The answer, and whether its region is to be stored.

    Args:
      new, label: the input's own certificate.
      own: its region away from all stored regions of other classes; empty where nothing is left.
      old, old_label, is_inside: the stored region that holds the input, if there is one.
      old_index, new_index: where that lies, and where a new region would.
      has_room: whether there is room for a new one.
    """
    adopted = largest_inside(old, new.center, old.scale)
    can_own = is_candidate(new, label) & is_measurable(own) & has_room
    agrees = (label == old_label) & _is_larger(own, adopted)
    stores = can_own & (~is_inside | agrees)
    verdict = jnp.where(own.gap < new.gap, MemoryVerdict.SHRINK, MemoryVerdict.KEEP)
    unstored = jnp.where(is_inside, MemoryVerdict.ADOPT, MemoryVerdict.ABSTAIN)
    claimed = jnp.where(is_inside, adopted.gap, 0.0)
    axes = thetas(own.scale, own.center), thetas(old.scale, old.center)
    takes_old = ~stores & is_inside
    answer = MemoryAnswer(
        verdict=jnp.where(stores, verdict, unstored).astype(jnp.int32),
        label=jnp.where(stores, label, jnp.where(is_inside, old_label, ABSTAIN)).astype(jnp.int32),
        region=Region(
            center=new.center,
            scale=Diagonal(theta=jnp.where(takes_old, axes[1], axes[0])),
            gap=jnp.where(stores, own.gap, claimed),
            order=new.order,
        ),
        index=jnp.where(stores, new_index, jnp.where(is_inside, old_index, -1)).astype(jnp.int32),
    )
    return answer, stores


def _is_larger(own: Region, adopted: Region) -> jax.Array:
    """Whether the own region has more volume, beyond rounding: equal ones are not stored twice."""
    d, terms = own.dimension, 4 * slack(own.gap.dtype, own.dimension)
    dets = own.scale.log_abs_det(d), adopted.scale.log_abs_det(d)
    gaps = d * jnp.log(own.gap), d * jnp.log(adopted.gap)
    sizes = sum(jnp.abs(size) for size in (*dets, *gaps))
    rounding = jnp.where(jnp.isfinite(sizes), terms * sizes, 0.0)
    return gaps[0] + dets[0] > gaps[1] + dets[1] + rounding
