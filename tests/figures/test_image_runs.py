"""Which runs are compared, and which images: a ball found badly is no ball to beat."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "records"))

from run_samples import sample_experiment

from aniso_jax.figures.config import Figures
from aniso_jax.figures.images import runs
from aniso_jax.figures.images.curvature import chosen

MAIN = sample_experiment(scale="anisotropic", dtype="bfloat16", data="mnist5k (test)")


def found(*radii: tuple[float, float, float]) -> runs.ImageRuns:
    """Certified images of (radius of the ball, radius of the region, proxy radius)."""
    rows = {
        "isotropic": {i: {"correct": True, "radius": ball} for i, (ball, *_) in enumerate(radii)},
        "anisotropic": {
            i: {"correct": True, "radius": radius, "proxy_radius": proxy}
            for i, (_, radius, proxy) in enumerate(radii)
        },
    }
    return runs.ImageRuns(experiment=MAIN, inputs=None, model=None, rows=rows)


def test_an_image_whose_ball_was_found_badly_is_left_out_and_counted() -> None:
    some = found((1.0, 0.9, 1.5), (0.2, 2.6, 4.1), (1.0, 1.1, 1.8))
    assert some.certified() == [0, 1, 2]
    assert some.comparable() == [0, 2]
    assert "Left out: 1 certified as well" in some.left_out()
    assert chosen(some) == 2


def test_where_all_balls_are_bad_all_stand_in() -> None:
    all_bad = found((0.2, 2.6, 4.1), (0.1, 1.0, 1.1))
    assert all_bad.comparable() == [0, 1]
    assert "On all of them the isotropic search" in all_bad.left_out()
    assert found((1.0, 1.0, 1.5)).left_out() == ""


def test_the_ball_that_is_missing_is_sought_as_the_given_run_was() -> None:
    config = Figures(out=Path("o"), run=(Path("r"),))
    asked = runs._as_given(config, MAIN)
    names = ("dtype", "law", "sigma", "start", "stop", "skip", "n0", "n", "looks", "alpha", "seed")
    assert all(getattr(asked, name) == getattr(MAIN, name) for name in names)
    assert (asked.data, asked.split, asked.model) == ("mnist5k", "test", "small")


@pytest.mark.parametrize("name", ["dtype", "n0", "looks", "law"])
def test_runs_that_differ_are_not_compared(name) -> None:
    others = {"dtype": "float32", "n0": 50, "looks": (1000,), "law": "uniform"}
    other = sample_experiment(dtype="bfloat16", scale="isotropic") if name != "dtype" else MAIN
    other = runs.replace(other, **{name: others[name]})
    with pytest.raises(ValueError, match=f"has {name} .* the other run has"):
        runs._check_same(Path("r"), other, MAIN)


def test_points_are_no_images(monkeypatch) -> None:
    monkeypatch.setattr(runs, "read_experiment", lambda path: sample_experiment(shape=(2,)))
    with pytest.raises(ValueError, match="wanted images"):
        runs._check_images(Path("r"))
