"""SSIM: equal images, contrast turned around, and a constant shift in closed form."""

import numpy as np
import pytest

from aniso_jax.figures.images.similarity import ssim

IMAGE = np.random.default_rng(0).random((16, 16, 3))


def test_one_for_equal_images_and_less_for_noisier_ones() -> None:
    noise = np.random.default_rng(1).normal(size=IMAGE.shape)
    values = [ssim(IMAGE, IMAGE + size * noise) for size in (0.0, 0.01, 0.1, 0.5)]
    assert values[0] == pytest.approx(1.0, abs=1e-12)
    assert values == sorted(values, reverse=True)


def test_a_negative_is_unlike() -> None:
    assert ssim(IMAGE, 1 - IMAGE) < 0


def test_flat_images_differ_by_their_luminance_alone() -> None:
    one, other = np.full((8, 8, 1), 0.2), np.full((8, 8, 1), 0.6)
    wanted = (2 * 0.2 * 0.6 + 1e-4) / (0.2**2 + 0.6**2 + 1e-4)
    assert ssim(one, other) == pytest.approx(wanted, rel=1e-9)
