"""How alike two images look: the structural similarity index."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Float64 = NDArray[np.float64]

_WINDOW = 1.5  # pixels, and the constants below: those of the article
_LUMINANCE, _CONTRAST = 0.01**2, 0.03**2


def ssim(x: NDArray[np.floating], y: NDArray[np.floating]) -> float:
    """Mean SSIM of two images (H, W, C) in [0, 1]: 1 for equal ones, lower where they differ.

    Gaussian windows of 1.5 pixels, mirrored at the edges; the mean over pixels and channels.

    Reference: Wang et al. 2004, eq. 13.

    >>> image = np.linspace(0, 1, 64).reshape(8, 8, 1)
    >>> ssim(image, image)
    1.0
    """
    one, other = np.asarray(x, np.float64), np.asarray(y, np.float64)
    mean_x, mean_y = _smooth(one), _smooth(other)
    var_x, var_y = _smooth(one * one) - mean_x**2, _smooth(other * other) - mean_y**2
    covariance = _smooth(one * other) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _LUMINANCE) / (mean_x**2 + mean_y**2 + _LUMINANCE)
    structure = (2 * covariance + _CONTRAST) / (var_x + var_y + _CONTRAST)
    return float(np.mean(luminance * structure))


def _smooth(values: Float64) -> Float64:
    return np.asarray(gaussian_filter(values, _WINDOW, axes=(0, 1), truncate=3.5))
