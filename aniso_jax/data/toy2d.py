"""Generated binary data in the plane, radially separable with respect to the origin.

A point at the distance r and the angle phi has the class 1 ("outside") if r > R(phi), else 0:

    R(phi) = CORE + ARM exp(SHARPNESS (cos phi - 1)).

R is smooth and closed around the origin. Away from phi = 0 it is a circle of radius CORE: around
the origin the boundary is curved and near on all sides, and an ellipse gains little over a disc.
At phi = 0 it grows an arm that reaches CORE + ARM on the first axis: inside the arm, at (0.95, 0),
the boundary is 0.11 away across and 0.45 along, and the ellipse is several times the disc.
"""

import numpy as np
from numpy.typing import NDArray

from aniso_jax.data.dataset import Dataset, Split
from aniso_jax.data.order import shuffled, uniforms

CORE = 0.5
ARM = 0.9
SHARPNESS = 100.0
HALF_WIDTH = 1.5
SEEDS: dict[Split, int] = {"train": 0, "test": 1}
PER_CLASS: dict[Split, int] = {"train": 2000, "test": 500}
# The inside is 10 % of the square, so that twice the expected number of candidates is drawn.
CANDIDATES_PER_POINT = 20


def boundary(phi: NDArray[np.float64]) -> NDArray[np.float64]:
    """R(phi), the distance of the boundary from the origin at the angle phi.

    Example:
        >>> boundary(np.array([0.0, np.pi])).tolist()
        [1.4, 0.5]
    """
    return CORE + ARM * np.exp(SHARPNESS * (np.cos(phi) - 1.0))


def label(x: NDArray[np.floating]) -> NDArray[np.int64]:
    """0 inside the boundary and 1 outside, for points (..., 2).

    Example:
        >>> label(np.array([[0.95, 0.0], [0.95, 0.2], [0.0, 0.6]])).tolist()
        [0, 1, 1]
    """
    wide = x.astype(np.float64)
    outside = np.hypot(wide[..., 0], wide[..., 1]) > boundary(
        np.arctan2(wide[..., 1], wide[..., 0])
    )
    return outside.astype(np.int64)


def read(split: Split) -> Dataset:
    """4,000 training or 1,000 test points in [-1.5, 1.5]^2, half of each class.

    Each class is uniform on its part of the square; the two splits have different fixed seeds.
    """
    count = PER_CLASS[split]
    drawn = uniforms(2 * CANDIDATES_PER_POINT * count, SEEDS[split]).reshape(-1, 2)
    x = (HALF_WIDTH * (2.0 * drawn - 1.0)).astype(np.float32)
    y = label(x)
    kept = np.concatenate([np.flatnonzero(y == c)[:count] for c in (0, 1)])
    kept = kept[shuffled(len(kept), SEEDS[split])]
    return Dataset(
        name="toy2d",
        x=x[kept],
        y=y[kept],
        classes=("inside", "outside"),
        low=-HALF_WIDTH,
        high=HALF_WIDTH,
        levels=None,
    )
