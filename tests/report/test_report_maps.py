import numpy as np
import pytest
from matplotlib.colors import LogNorm

from aniso_jax.report.maps import gallery


def asked(shape, **changes):
    rng = np.random.default_rng(0)
    count = shape[0]
    return {
        "images": rng.random(shape),
        "sigma_iso": np.full(count, 0.3),
        "theta": 0.2 + rng.random(shape),
        "labels": [3] * count,
        "predictions": [3] * (count - 1) + [-1],
        "radii": [0.5999] * count,
        "proxy_radii": [2.0] * count,
        "unit": "half-width",
    } | changes


@pytest.mark.parametrize("shape", [(2, 8, 8, 1), (2, 8, 8, 3)])
def test_images_share_one_logarithmic_scale(shape):
    figure = gallery(**asked(shape))
    pictures = [ax.images[0] for ax in figure.axes if ax.images]
    assert len(pictures) == 6
    norms = {id(picture.norm) for j, picture in enumerate(pictures) if j % 3}
    assert len(norms) == 1
    assert isinstance(pictures[1].norm, LogNorm)
    assert "half-width" in figure.axes[-1].get_xlabel()


def test_the_words_are_the_certificate_s_rounded_down():
    figure = gallery(**asked((2, 4, 4, 1)))
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert "predicted 3\nradius 0.599\nproxy 2.000" in texts
    assert "abstains" in texts


def test_points_are_drawn_as_stems():
    figure = gallery(**asked((2, 5)))
    assert not any(ax.images for ax in figure.axes)
    assert sum(bool(ax.collections) for ax in figure.axes[:-1]) == 6


def test_at_most_the_asked_rows():
    assert gallery(**asked((9, 4, 4, 1)), rows=2).get_label().startswith("2 inputs")


def test_one_value_everywhere_still_has_a_scale():
    gallery(**asked((1, 4, 4, 1), theta=np.full((1, 4, 4, 1), 0.3))).draw_without_rendering()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": np.zeros((2, 4, 4))}, "images has shape"),
        ({"images": np.zeros((2, 4, 4, 2))}, "images has shape"),
        ({"images": np.zeros((0, 4, 4, 1))}, "images has shape"),
        ({"theta": np.ones((2, 4, 4, 3))}, "got theta"),
        ({"theta": np.zeros((2, 4, 4, 1))}, "above 0"),
        ({"sigma_iso": [np.inf, 1]}, "above 0"),
        ({"labels": [1]}, "wanted 2 each"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        gallery(**asked((2, 4, 4, 1), **changes))
