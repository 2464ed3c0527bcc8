"""Batch norm in eval mode is an affine map of each channel; this folds it away."""

from typing import Any

import numpy as np
from numpy.typing import NDArray


def fold_batch_norm(
    kernel: NDArray[Any],
    *,
    weight: NDArray[Any],
    bias: NDArray[Any],
    mean: NDArray[Any],
    variance: NDArray[Any],
    epsilon: float = 1e-5,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel and bias of one convolution that does what a convolution and its batch norm do.

    k' = k w / sqrt(variance + epsilon), b' = bias - mean w / sqrt(variance + epsilon), in float64.

    Args:
        kernel: (height, width, cin, cout), of a convolution without bias.
        weight, bias, mean, variance: (cout,), the batch norm's, with its running statistics.
        epsilon: what keeps the division finite.

    >>> one = np.ones(1)
    >>> kernel, bias = fold_batch_norm(np.ones((1, 1, 1, 1)), weight=2 * one, bias=one, mean=one,
    ...                                variance=4 * one, epsilon=0.0)
    >>> kernel.item(), bias.item()
    (1.0, 0.0)
    """
    rate = np.asarray(weight, np.float64) / np.sqrt(np.asarray(variance, np.float64) + epsilon)
    return (kernel * rate).astype(np.float32), (bias - mean * rate).astype(np.float32)
