"""Drawings of changes and of sheets: what stands where, and that nothing is squeezed."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from aniso_jax.report.figures.changes import TIMES, Change, changes_figure, plot_image
from aniso_jax.report.figures.panel import Landscape, Panel
from aniso_jax.report.figures.sheets import sheet
from aniso_jax.report.palette import METHOD

SQUARE = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, -1.0]])


def change(index: int, channels: int) -> Change:
    delta = np.full((4, 4, channels), 0.02)
    return Change(
        index=index, label=index, x=np.full_like(delta, 0.25), delta=delta, gauge_ball=1.0207,
        gauge_region=0.5001, similarity=0.9, length=0.08, norm="l2",
    )  # fmt: skip


def panel() -> Panel:
    landscape = Landscape(confidence=np.ones((3, 3)), margin=np.ones((3, 3)), extent=(-2, 2, -2, 2))
    return Panel(
        title="t", law="gaussian", landscape=landscape, outlines={"rotated": SQUARE}, labels={}
    )


@pytest.mark.parametrize("channels", [1, 3], ids=["grey", "colour"])
def test_a_change_is_drawn_as_strong_as_its_name_says(channels) -> None:
    figure = changes_figure([change(3, channels)], kind="anisotropic", norm="l2")
    x, moved, delta = (np.asarray(ax.images[0].get_array()) for ax in figure.axes[:3])
    assert moved == pytest.approx(x + 0.02)
    assert delta == pytest.approx(np.full(x.shape, 0.5 + TIMES * 0.02))
    assert figure.axes[2].get_ylabel() == f"δ, {TIMES} times as strong"
    said = [(text.get_text(), text.get_color()) for text in figure.axes[3].texts]
    assert said[0] == ("isotropic gauge 1.020 > 1", METHOD["isotropic"])
    assert said[1] == ("anisotropic gauge 0.501 < 1", METHOD["anisotropic"])
    assert said[4] == ("no pixel by over 6/255", "black")


def test_at_most_four_changes_stand_side_by_side() -> None:
    figure = changes_figure([change(i, 1) for i in range(6)], kind="rotated", norm="l1")
    shape = figure.axes[0].get_gridspec().get_geometry()
    assert shape == (8, 4)
    assert sum(bool(ax.images) for ax in figure.axes) == 18
    assert figure.get_size_inches()[0] <= 8
    named = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert named.count("x") == 2


def test_the_last_row_of_a_sheet_may_be_shorter() -> None:
    figure = sheet([[panel(), panel()], [panel()]], grey="g", alt="a")
    drawn = [ax for ax in figure.axes if ax.get_title()]
    assert len(drawn) == 3
    assert not figure.axes[3].axison
    assert figure.get_label() == "a"


def test_an_image_is_drawn_on_the_axes_given_or_on_its_own() -> None:
    ax = Figure().subplots()
    assert plot_image(np.zeros((4, 4, 3)), ax) is ax
    assert plot_image(np.zeros((4, 4, 1))).images
