"""The colours are told apart by simulation of colour blindness (Machado et al. 2009)."""

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_rgb

from aniso_jax.report.palette import METHOD, colours, line_styles

SEEN_AS = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216],
         [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413],
         [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602],
         [0.004733, 0.691367, 0.303900]]
    ),
}  # fmt: skip
XYZ = np.array(
    [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
)  # linear sRGB to CIE XYZ


def linear(colour):
    value = np.array(to_rgb(colour))
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    t = XYZ @ np.clip(rgb, 0, 1) / (XYZ @ np.ones(3))
    f = np.where(t > 216 / 24389, np.cbrt(t), (24389 / 27 * t + 16) / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", SEEN_AS)
def test_methods_are_told_apart(eye):
    seen = {name: lab(SEEN_AS[eye] @ linear(colour)) for name, colour in METHOD.items()}
    for one, other in itertools.combinations(seen, 2):
        assert np.linalg.norm(seen[one] - seen[other]) > 20, (one, other)


@pytest.mark.parametrize("paper", ["#fdfdfb", "#15171a"])
def test_methods_are_legible_on_light_and_dark(paper):
    for colour in METHOD.values():
        low, high = sorted(XYZ[1] @ linear(c) + 0.05 for c in (colour, paper))
        assert high / low >= 2.9, colour


def test_a_method_has_one_colour_and_a_law_one_line(runs):
    styles = line_styles(runs)
    assert [style["linestyle"] for style in styles] == ["-"] * 3 + ["--"] * 3
    assert colours(runs) == [METHOD["fixed"], METHOD["isotropic"], METHOD["anisotropic"]] * 2


def test_repeats_of_a_method_differ_by_marker(run):
    assert [style["marker"] for style in line_styles([run(), run(), run()])] == ["", "o", "s"]
