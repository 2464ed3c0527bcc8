import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aniso_jax.report.curves import (
    average_certified_radius,
    certified_accuracy,
    plot_curves,
    steps,
)
from aniso_jax.report.frames import box_proxy_radius, by_norm, names

ROWS = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.7])), min_size=1)


@given(ROWS, st.lists(st.sampled_from([0.0, 0.1, 0.2, 0.5, 0.9]), min_size=1))
def test_accuracy_is_the_definition(rows, radii):
    df = pd.DataFrame(rows, columns=["correct", "radius"])
    counted = [sum(ok and r >= rho for ok, r in rows) / len(rows) for rho in radii]
    assert certified_accuracy(df, radii).tolist() == counted


@given(ROWS)
def test_the_area_under_the_curve_is_the_acr(rows):
    df = pd.DataFrame(rows, columns=["correct", "radius"])
    corners, share = steps(df, "radius")
    area = float(np.sum(np.diff(corners) * share[1:]))
    assert area == pytest.approx(average_certified_radius(df), abs=1e-12)


def test_the_drawn_line_is_exact_at_and_just_after_the_data_s_radii():
    df = pd.DataFrame({"correct": [True, True, False], "radius": [0.5, 0.2, 0.9]})
    (line,) = plot_curves([df]).lines
    assert line.get_drawstyle() == "steps-pre"
    drawn = list(zip(*line.get_data(), strict=True))
    assert drawn == [(0, 2 / 3), (0.2, 2 / 3), (0.5, 1 / 3), (0.5, 0)]


def test_the_box_is_marked_where_it_is_on_the_axis(run):
    long = run("gaussian", "anisotropic")
    assert box_proxy_radius(long) == pytest.approx(6.81, abs=0.005)
    assert box_proxy_radius(run("uniform")) == pytest.approx(145, abs=0.5)
    assert any("box" in text.get_text() for text in plot_curves([long], "proxy_radius").texts)
    assert not plot_curves([run("gaussian")], "proxy_radius").texts
    assert not plot_curves([long], "radius").texts


def test_norms_are_not_mixed(runs, run):
    assert list(by_norm(runs)) == ["ℓ₂", "ℓ₁"]
    with pytest.raises(ValueError, match="one norm"):
        plot_curves(runs)
    with pytest.raises(ValueError, match="no runs"):
        plot_curves([])


def test_a_run_without_a_norm_stands_by_itself(run):
    theirs = run()
    theirs.attrs = {"name": "theirs"}
    assert list(by_norm([theirs, run("uniform")])) == ["norm not stated", "ℓ₁"]
    with pytest.raises(ValueError, match="one norm, got norm not stated, ℓ₁"):
        plot_curves([theirs, run("uniform")])
    assert list(by_norm([theirs, run("uniform"), run()])) == ["norm not stated", "ℓ₁", "ℓ₂"]
    assert names([theirs]) == ["theirs"]


def test_equal_names_are_told_apart(run):
    narrow, wide = run(), run()
    wide.attrs["sigma"] = 0.5
    assert names([narrow, wide]) == ["l2 fixed, σ 0.25", "l2 fixed, σ 0.5"]


def test_a_name_with_dollars_is_text(run):
    df = run()
    df.attrs["name"] = "a$b$"
    ax = plot_curves([df])
    ax.figure.draw_without_rendering()
    assert not ax.get_legend().get_texts()[0].get_parse_math()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda df: df.iloc[:0], "no inputs"),
        (lambda df: df.drop(columns="radius"), "no column 'radius'"),
        (lambda df: df.assign(correct=True, radius=np.nan), "not a finite number >= 0"),
    ],
)
def test_bad_runs_are_refused(run, change, said):
    with pytest.raises(ValueError, match=said):
        certified_accuracy(change(run()), [0.0])


def test_bad_radii_are_refused(run):
    with pytest.raises(ValueError, match="finite and >= 0"):
        certified_accuracy(run(), [-0.1])
