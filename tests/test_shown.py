"""What results show of themselves in a notebook: tables, escaped, rounded so that claims shrink."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import aniso_jax as aj
from aniso_jax.geometry.shown import down, scale_text, table

pytestmark = pytest.mark.compiles("quickly")
BASIS = np.array([[0.6, 0.8]], np.float32)
TILTED = aj.Rotated(theta=np.float32(0.5), basis=BASIS, stretch=np.array([4.0], np.float32))


def ball(x: float = 0.0, gap: float = 1.0) -> aj.Region:
    return aj.Region(
        center=jnp.array([x, 0.0]), scale=aj.Isotropic(sigma=1.0), gap=jnp.array(gap), order=2
    )


def linear(weights, batch):
    return batch @ weights


def optimized() -> aj.Optimized:
    return aj.Optimized(
        scale=aj.Diagonal(theta=jnp.array([0.25, 1.0])),
        gap=jnp.float32(1.5),
        capped_share=jnp.float32(0.5),
        improved=jnp.bool_(True),
    )


def certification(x: float) -> aj.Certification:
    return aj.certify(
        linear,
        jnp.array([[1.0, -1.0], [0.0, 0.0]]),
        jnp.array([x, 0.0]),
        jax.random.key(0),
        law=aj.gaussian,
        scale=aj.Isotropic(sigma=0.5),
        plan=aj.plan(aj.gaussian, n=64),
        chunk=64,
    )


def remembered() -> tuple[aj.Memory, aj.MemoryAnswer]:
    return aj.memory_insert(aj.memory_empty(4, (2,), order=2), ball(), 3)


def kept() -> aj.MemoryAnswer:
    return remembered()[1]


def test_every_text_is_escaped():
    html = table({"<b>": "x & y"}, caption="<i>")
    assert "<b>" not in html and "&lt;b&gt;" in html and "x &amp; y" in html and "&lt;i&gt;" in html


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.99999, "0.9999"), (jnp.float32(2.0), "2.0000"), (np.inf, "–"), (jnp.nan, "–")],
)
def test_claims_are_cut_downward(value, text):
    assert down(value) == text


@pytest.mark.parametrize(
    ("scale", "text"),
    [
        (aj.Isotropic(sigma=0.25), "isotropic, sigma 0.25"),
        (aj.Diagonal(theta=np.array([2.0, 2.0])), "diagonal, theta 2"),
        (TILTED, "rotated, theta 0.5, 1 directions stretched 4"),
    ],
)
def test_scales_in_words(scale, text):
    assert scale_text(scale) == text


def test_a_region_shows_its_radii():
    html = ball(gap=1.5)._repr_html_()
    assert "l2 ellipsoid in 2 dimensions" in html and "isotropic, sigma 1" in html
    assert "1.4999" in html  # both radii are rounded down
    crossed = replace(ball(), order=1)
    assert "cross-polytope" in crossed._repr_html_()


def test_a_certificate_shows_its_region_and_an_abstention_says_so():
    assert "isotropic, sigma 0.5" in certification(1.0)._repr_html_()
    assert "ABSTAIN" in certification(0.0)._repr_html_()


def test_a_region_of_an_invalid_scale_shows_dashes():
    nan = aj.Isotropic(sigma=jnp.float32(jnp.nan))
    region = aj.Region(center=jnp.zeros(2), scale=nan, gap=jnp.array(1.0), order=2)
    assert "–" in region._repr_html_()


def test_a_plan_shows_what_it_takes():
    plan = aj.plan(aj.gaussian, n=1000)
    fewest = next(k for k, gap in enumerate(plan.gaps.tolist()) if gap > 0)
    assert f"{fewest} or more of 1,000" in plan._repr_html_() and "2.463" in plan._repr_html_()
    rivals = aj.plan(aj.gaussian, n=1000, bound="two-class", classes=10)._repr_html_()
    assert "two-class" in rivals and "or more" not in rivals


def test_a_search_shows_that_it_certifies_nothing():
    html = optimized()._repr_html_()
    assert "certifies nothing" in html and "0.25 to 1" in html and "50.0%" in html


def test_a_memory_and_its_answers_show_what_they_rest_on():
    memory, answer = remembered()
    assert "1, room for 4" in memory._repr_html_() and "3: 1" in memory._repr_html_()
    assert "none" in aj.memory_empty(4, (2,), order=2)._repr_html_()
    known, unknown = answer._repr_html_(), aj.memory_query(memory, jnp.full(2, 9.0))._repr_html_()
    assert "KEEP" in known and "stored region 0" in known and "ellipsoid" in known
    assert "ABSTAIN" in unknown and "nothing" in unknown and "ellipsoid" not in unknown


def test_a_model_shows_what_it_was_trained_under():
    html = aj.load_model("demo")._repr_html_()
    assert "28x28x1" in html and "gaussian noise, sigma 0.25" in html and "strided-cnn" in html


@pytest.mark.parametrize("make", [ball, optimized, kept])
def test_a_batch_is_shown_as_its_text(make):
    batch = jax.tree.map(lambda leaf: jnp.stack([leaf, leaf]), make())
    assert batch._repr_html_().startswith("<code>")
    assert "<" not in batch._repr_html_().removeprefix("<code>").removesuffix("</code>")
