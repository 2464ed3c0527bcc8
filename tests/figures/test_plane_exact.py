"""Exact smoothing in the plane: against closed forms, draws, and a class no outline leaves."""

import math

import jax.numpy as jnp
import numpy as np
import pytest
import scipy.stats

import aniso_jax as aj
from aniso_jax.data import toy2d
from aniso_jax.figures.plane.exact import largest_regions
from aniso_jax.figures.plane.panels import area, outline_at, star_panel
from aniso_jax.figures.plane.quadrature import failure
from aniso_jax.figures.plane.stars import Star, star_logits, toy_star, turned
from aniso_jax.report.figures.panel import plot_panel

DISC = Star(core=1.0, arm=0.0, sharpness=1.0, turn=0.0)
S = np.array([[0.2, 0.05], [0.02, 0.1]])


@pytest.mark.parametrize("distance", [0.0, 0.4, 0.95])
@pytest.mark.parametrize("sigma", [0.05, 0.3, 2.0])
def test_a_disc_under_gaussian_noise_is_a_noncentral_chi_square(distance, sigma) -> None:
    x = distance * np.array([math.cos(1.0), math.sin(1.0)])
    wanted = scipy.stats.ncx2.sf(1 / sigma**2, 2, distance**2 / sigma**2)
    found = failure(DISC, x, sigma * np.eye(2), aj.gaussian)
    assert found == pytest.approx(wanted, rel=1e-6, abs=1e-16)


@pytest.mark.parametrize("law", [aj.gaussian, aj.uniform], ids=["gaussian", "uniform"])
def test_the_quadrature_agrees_with_draws(law) -> None:
    rng, n = np.random.default_rng(0), 400_000
    draws = {"gaussian": rng.normal(size=(n, 2)), "uniform": rng.uniform(-1, 1, (n, 2))}
    x = np.array([0.7, 0.0])
    outside = int((~toy_star().inside(x + draws[law.name] @ S.T)).sum())
    assert scipy.stats.binomtest(outside, n, failure(toy_star(), x, S, law)).pvalue > 1e-4


def test_a_law_without_quadrature_is_refused() -> None:
    with pytest.raises(ValueError, match="no quadrature for the laplace law"):
        failure(DISC, np.zeros(2), S, aj.laplace)


def test_the_star_of_the_set_gives_its_labels() -> None:
    x = toy2d.read("test").x
    assert (toy_star().inside(x) == (toy2d.label(x) == 0)).all()
    assert (toy_star(0.6).inside(turned(x, 0.6)) == toy_star().inside(x)).mean() > 0.999
    logits = np.asarray(star_logits(toy_star().params, jnp.asarray(x)))
    assert (logits.argmax(-1) == toy2d.label(x)).mean() > 0.999


@pytest.mark.parametrize("law", [aj.gaussian, aj.uniform], ids=["gaussian", "uniform"])
def test_outlines_in_a_disc_never_leave_the_smoothed_class(law) -> None:
    """The smoothed class is known exactly: a drawn point keeps p >= 1/2 under that noise."""
    x = np.array([0.5, 0.2])
    for region in largest_regions(DISC, x, law).values():
        scale = region.scale
        matrix = np.asarray(scale.basis).T * np.asarray(scale.stretch) @ np.asarray(scale.basis)
        points = outline_at(region, x)
        inner = x + (1 - 1e-6) * (points - x)
        worst = max(failure(DISC, y, matrix.astype(np.float64), law) for y in inner[::24])
        assert worst <= 0.5 + 1e-4


@pytest.fixture(scope="module")
def found() -> dict[str, dict[str, aj.Region]]:
    x = np.array([0.88, 0.0])
    lying = turned(x, 0.6).astype(np.float64)
    return {
        "straight": largest_regions(toy_star(), x, aj.gaussian),
        "turned": largest_regions(toy_star(0.6), lying, aj.gaussian),
    }


def test_areas_grow_with_the_freedom_of_the_scale(found) -> None:
    straight, lying = ({k: area(r) for k, r in one.items()} for one in found.values())
    assert straight["anisotropic"] > 3 * straight["isotropic"]
    assert lying["anisotropic"] < 1.2 * lying["isotropic"]
    assert lying["rotated"] == pytest.approx(straight["rotated"], rel=0.01)
    assert lying["rotated"] > 3 * lying["anisotropic"]
    for one in (straight, lying):
        assert one["isotropic"] <= one["anisotropic"] <= one["rotated"]


def test_drawn_points_have_gauge_one(found) -> None:
    x = np.array([0.88, 0.0])
    for region in found["straight"].values():
        matrix = np.asarray(region.scale.basis, np.float64)
        pulled = (outline_at(region, x) - x) @ matrix.T / np.asarray(region.scale.stretch)
        gauges = np.linalg.norm(pulled @ matrix, axis=1) / float(region.gap)
        assert np.abs(gauges - 1).max() < 1e-6


def test_a_panel_draws_on_the_axes_it_is_given_or_on_its_own(found) -> None:
    x = np.array([0.88, 0.0])
    panel = star_panel(
        toy_star(), x, found["straight"], law="gaussian", title="t", half_width=0.5, ball=True
    )
    ax = plot_panel(panel)
    assert plot_panel(panel, ax) is ax
    assert ax.get_xlabel() == "$x_1$"
    said = [text.get_text() for text in ax.get_legend().get_texts()]
    assert said[0].startswith("worst-case ball 0.0")
    assert [text.split()[0] for text in said[1:4]] == ["isotropic", "anisotropic", "rotated"]
