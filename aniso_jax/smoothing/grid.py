"""Noise for inputs on a grid: drawn as integers, added as integers, converted once.

In floating point the sum of an input and its noise remembers, in its last bits, which input it was;
the votes of a classifier that reads them say nothing about real numbers. Here rounding to the grid
belongs to the base classifier. For an input x on the grid round(x + S z) = x + round(S z), so the
noise is an integer, the sum is exact, and what f sees has no last bits left to read. The integer's
weights are the law's own to 64 bits; what is missing is a total variation, which grows with the
number of coordinates (1e-10 to 2e-9 for one scale at 28x28, 3e-8 for a palette there, 6e-6 for one
at 224x224x3). It is subtracted from p_A and added to p_B.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from aniso_jax.geometry.scales import Diagonal, Isotropic, Scale
from aniso_jax.smoothing.alias import alias_table
from aniso_jax.smoothing.laws import Law
from aniso_jax.smoothing.weights import integer_weights

ULP = 2.0**-23
"""How far a float32 in [0, 1] may lie from the grid point that it stands for: one rounding."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True, kw_only=True)
class Grid:
    """Tables of integer noise for the scales of a palette; make one with `grid`.

    The columns of all levels lie end to end, those of level l from `offset[l]` on.

    Attributes:
      theta: float32 (levels,), the palette, increasing.
      offset: int32 (levels,), where the columns of a level begin.
      shift: uint32 (levels,), 32 less the number of bits that choose a column.
      reach: int32 (levels,), the largest noise, in grid steps.
      cut_high, cut_low: uint32 (columns,), the two halves of each cut.
      alias: int32 (columns,), the noise above the cut.
      pixels: float32, the multiples of 1 / steps that a sum may be, nearest to the real ones. They
        are looked up, since XLA divides by multiplying with the reciprocal, an ulp off a pixel.
      law: the law; static.
      shape: of one input; static.
      steps: grid points per unit of the input, 255 for 8-bit images; static.
      discount: bound on the total variation of a whole input's noise from the law's; static.
    """

    theta: jax.Array
    offset: jax.Array
    shift: jax.Array
    reach: jax.Array
    cut_high: jax.Array
    cut_low: jax.Array
    alias: jax.Array
    pixels: jax.Array
    law: Law = field(metadata={"static": True})
    shape: tuple[int, ...] = field(metadata={"static": True})
    steps: int = field(metadata={"static": True})
    discount: float = field(metadata={"static": True})

    def snap(self, scale: Scale) -> Scale:
        """The scale with every theta moved to the palette's nearest, in ratio."""
        if isinstance(scale, Isotropic):
            return Isotropic(sigma=self.theta[self.level(jnp.asarray(scale.sigma))])
        return Diagonal(theta=self.theta[self.level(_theta(scale, self.shape))])

    def holds(self, x: jax.Array, scale: Scale) -> jax.Array:
        """Whether x is a grid point in [0, 1], to one rounding, and every theta in the palette."""
        theta = _theta(scale, self.shape)
        on_grid = (x >= 0) & (x <= 1) & (jnp.abs(x - self.point(x)) <= ULP)
        return jnp.all(on_grid & (self.theta[self.level(theta)] == theta))

    def point(self, x: jax.Array) -> jax.Array:
        """The grid point that x stands for, as the float32 nearest to it."""
        return self._pixels(self._steps(x))

    def noisy(self, x: jax.Array, scale: Scale, high: jax.Array, low: jax.Array) -> jax.Array:
        """x + round(S z) for a batch of draws, exact on the grid, converted to float32 once.

        Args:
          x: one input on the grid.
          scale: isotropic or diagonal, of the palette.
          high, low: random words, uint32 (draws, *shape).
        """
        return self._pixels(self._steps(x) + self._noise(scale, high, low))

    def _noise(self, scale: Scale, high: jax.Array, low: jax.Array) -> jax.Array:
        """One integer for each pair of words, by the alias tables of each coordinate's level."""
        level = self.level(_theta(scale, self.shape))
        shift = self.shift[level]
        own = (high >> shift).astype(jnp.int32)
        column = self.offset[level] + own
        place = high & ((jnp.uint32(1) << shift) - 1)
        cut = self.cut_high[column]
        is_below = (place < cut) | ((place == cut) & (low < self.cut_low[column]))
        return jnp.where(is_below, own - self.reach[level], self.alias[column])

    def level(self, theta: jax.Array) -> jax.Array:
        """Which of the palette's scales is nearest, in ratio, to each theta."""
        middles = jnp.sqrt(self.theta[1:] * self.theta[:-1])
        return jnp.searchsorted(middles, theta)

    def _steps(self, x: jax.Array) -> jax.Array:
        if jnp.shape(x) != self.shape:
            raise ValueError(
                f"The grid was made for inputs of shape {self.shape}, x has {jnp.shape(x)}: "
                "its discount depends on the number of coordinates; make a grid for this shape."
            )
        return jnp.round(x * self.steps).astype(jnp.int32)

    def _pixels(self, steps: jax.Array) -> jax.Array:
        return self.pixels[steps + (self.pixels.size - self.steps) // 2]


def grid(law: Law, scales: Sequence[float], *, shape: tuple[int, ...], steps: int = 255) -> Grid:
    """Integer noise for inputs whose coordinates are multiples of 1 / steps.

    Give it to `plan(law, grid=...)`; `certify` then needs no assumption about floating point, save
    that the random words are random and that f is a function of its input.

    Args:
      law: `aj.gaussian`, `aj.uniform` or `aj.laplace`.
      scales: the palette, in the law's unit; `palette()` for scales that are found per input.
      shape: of one input.
      steps: grid points per unit, 255 for 8-bit images in [0, 1].

    Returns:
      A `Grid`; its `discount` is what a plan takes off p_A.

    Raises:
      ValueError: a palette that is empty or not positive, or so fine that the noise is always 0.

    >>> import aniso_jax as aj
    >>> g = aj.grid(aj.gaussian, [0.25], shape=(28, 28, 1))
    >>> g.discount < 1e-8, int(g.reach[0])
    (True, 585)
    """
    if not isinstance(scales, Sequence | np.ndarray) or not isinstance(shape, Sequence):
        raise ValueError(
            f"A grid needs a list of scales and an input's shape, as [0.25] and (28, 28, 1); got "
            f"{scales!r} and {shape!r}."
        )
    if not isinstance(steps, int | np.integer) or steps < 1 or 0 in shape:
        raise ValueError(f"A grid needs whole steps >= 1 and coordinates, got {steps} and {shape}.")
    with jax.ensure_compile_time_eval():  # the tables outlive a trace that they are first made in
        return _grid(law, tuple(float(s) for s in scales), tuple(shape), int(steps))


def palette(*, steps: int = 255, high: float = 16.0, per_octave: int = 16) -> tuple[float, ...]:
    """Scales in equal ratios, 4.4 % apart, from one grid step to `high`.

    Below one step there is next to no noise; above 16 every 8-bit pixel is as good as lost.

    >>> len(palette()), palette()[-1], palette()[0] > 1 / 255
    (192, 16.0, True)
    """
    octaves = int(np.log2(high * steps) * per_octave)
    exponents = np.arange(-octaves, 1) / per_octave
    return tuple(float(s) for s in (high * 2.0**exponents).astype(np.float32))


@lru_cache(maxsize=8)
def _grid(law: Law, scales: tuple[float, ...], shape: tuple[int, ...], steps: int) -> Grid:
    theta = np.unique(np.asarray(scales, np.float32))
    if theta.size == 0 or not np.all(np.isfinite(theta) & (theta > 0)):
        raise ValueError(f"A grid needs finite positive scales, got {scales}.")
    levels = [integer_weights(law, steps * float(t)) for t in theta]
    tables = [alias_table(weights) for weights, _ in levels]
    reach = np.array([len(weights) // 2 for weights, _ in levels], np.int32)
    sizes = np.array([len(cut) for cut, _ in tables])
    cut = np.concatenate([cut for cut, _ in tables])
    alias = [alias - r for (_, alias), r in zip(tables, reach, strict=True)]
    return Grid(
        theta=jnp.asarray(theta),
        offset=jnp.asarray(np.cumsum(sizes) - sizes, jnp.int32),
        shift=jnp.asarray(32 - np.log2(sizes).astype(int), jnp.uint32),
        reach=jnp.asarray(reach),
        cut_high=jnp.asarray((cut >> np.uint64(32)).astype(np.uint32)),
        cut_low=jnp.asarray((cut & np.uint64(2**32 - 1)).astype(np.uint32)),
        alias=jnp.asarray(np.concatenate(alias), jnp.int32),
        pixels=jnp.asarray(np.arange(-reach.max(), steps + reach.max() + 1) / steps, jnp.float32),
        law=law,
        shape=shape,
        steps=steps,
        discount=float(np.prod(shape)) * max(error for _, error in levels),
    )


def _theta(scale: Scale, shape: tuple[int, ...]) -> jax.Array:
    if not isinstance(scale, Isotropic | Diagonal):
        raise ValueError(
            f"Noise on a grid needs an isotropic or diagonal scale, got {type(scale).__name__}."
        )
    if isinstance(scale, Diagonal) and jnp.shape(scale.theta) != shape:
        raise ValueError(
            f"theta has shape {jnp.shape(scale.theta)}, the grid's inputs have {shape}: give one "
            "theta per input coordinate, in the input's own shape."
        )
    return scale.push(jnp.ones(shape, jnp.float32))
