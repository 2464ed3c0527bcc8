"""Scales: invertible linear maps S = A^-1 that shape standard noise and certified regions.

A scale is known by four things: `push` (S u), `pull` (A v), `log_abs_det` (log |det S|) and
`inradius` (the largest ball inside the image of the unit ball). Whatever has them is a scale.
"""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike

from aniso_jax.geometry.rounding import total, wide


@runtime_checkable
class Scale(Protocol):
    """An invertible linear map S on inputs of one shape."""

    def push(self, u: jax.Array) -> jax.Array:
        """S u: from whitened units to input units."""
        ...

    def pull(self, v: jax.Array) -> jax.Array:
        """A v = S^-1 v: from input units to whitened units."""
        ...

    def log_abs_det(self, dimension: int) -> jax.Array:
        """log |det S| on R^dimension."""
        ...

    def inradius(self, order: int) -> jax.Array:
        """Radius of the largest l_order ball inside S { ||u||_order <= 1 }."""
        ...

    def is_valid(self) -> jax.Array:
        """Whether every entry is finite and positive, so that the map is invertible."""
        ...


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Isotropic:
    """S = sigma I.

    Args:
      sigma: scalar; the law's unit (standard deviation, half-width or b), never converted.

    Raises:
      ValueError: a Python or NumPy number that is not finite and positive.

    >>> import aniso_jax as aj
    >>> float(aj.Isotropic(sigma=0.25).push(2.0))
    0.5
    """

    sigma: ArrayLike

    def __post_init__(self) -> None:
        """Refuse a concrete number that is no scale; traced values are checked by `is_valid`."""
        _refuse_if_concrete("sigma", self.sigma)

    def push(self, u: ArrayLike) -> jax.Array:
        """Sigma u."""
        return jnp.asarray(self.sigma) * jnp.asarray(u)

    def pull(self, v: ArrayLike) -> jax.Array:
        """V / sigma."""
        return jnp.asarray(v) / self.sigma

    def log_abs_det(self, dimension: int) -> jax.Array:
        """Return d log sigma, in float32 or more."""
        return dimension * jnp.log(wide(self.sigma))

    def inradius(self, order: int) -> jax.Array:
        """Sigma, for every order."""
        del order
        return jnp.asarray(self.sigma)

    def is_valid(self) -> jax.Array:
        """Whether sigma is finite and positive."""
        if jnp.ndim(self.sigma) != 0:
            raise ValueError(
                f"sigma has shape {jnp.shape(self.sigma)}, wanted a scalar: use Diagonal for one "
                "number per coordinate, and jax.vmap for one per input."
            )
        return jnp.isfinite(self.sigma) & (jnp.asarray(self.sigma) > 0)


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Diagonal:
    """S = diag(theta).

    Args:
      theta: one positive number per input coordinate, in the input's own shape, in the law's unit.

    Raises:
      ValueError: a NumPy array that is not finite and positive everywhere.

    >>> import aniso_jax as aj, numpy as np
    >>> aj.Diagonal(theta=np.array([1.0, 4.0])).pull(np.array([2.0, 2.0]))
    Array([2. , 0.5], dtype=float32)
    """

    theta: ArrayLike

    def __post_init__(self) -> None:
        """Refuse concrete numbers that are no scale; traced values are checked by `is_valid`."""
        if isinstance(self.theta, list | tuple):  # JAX would take it for a tree of numbers
            object.__setattr__(self, "theta", np.asarray(self.theta, np.float32))
        _refuse_if_concrete("theta", self.theta)

    def push(self, u: ArrayLike) -> jax.Array:
        """Theta * u, coordinate by coordinate."""
        return jnp.asarray(self.theta) * jnp.asarray(u)

    def pull(self, v: ArrayLike) -> jax.Array:
        """V / theta, coordinate by coordinate."""
        return jnp.asarray(v) / self.theta

    def log_abs_det(self, dimension: int) -> jax.Array:
        """Sum of log theta, in float32 or more."""
        if jnp.size(self.theta) != dimension:
            raise ValueError(
                f"theta has {jnp.size(self.theta)} entries, wanted {dimension}: "
                "give one per input coordinate, in the input's own shape."
            )
        return total(jnp.log(wide(self.theta)))

    def inradius(self, order: int) -> jax.Array:
        """Min theta, for every order."""
        del order
        return jnp.min(self.theta)

    def is_valid(self) -> jax.Array:
        """Whether every theta is finite and positive."""
        theta = jnp.asarray(self.theta)
        return jnp.all(jnp.isfinite(theta) & (theta > 0))


def _refuse_if_concrete(name: str, value: object) -> None:
    """Check host floats only: asking a device array would make every caller wait for it.

    Zero and counts pass, because JAX builds trees of them (`in_axes=Isotropic(sigma=0)`); `certify`
    abstains on a scale that is not valid, whatever it was made from.
    """
    is_negative = isinstance(value, int) and value < 0
    if not (is_negative or isinstance(value, float | np.ndarray | np.floating)):
        return
    numbers = np.asarray(value, np.float64)
    if not np.all(np.isfinite(numbers) & (numbers > 0)):
        raise ValueError(f"{name} must be finite and positive, got {np.min(numbers)}.")
