"""The report in a real browser: no error, every picture there, no sideways scrolling."""

import numpy as np
import pytest
from browsing import look_at

from aniso_jax.report.foreign import read_tsv
from aniso_jax.report.html import write_html
from aniso_jax.report.maps import gallery


@pytest.fixture
def page(runs, published, tmp_path):
    rng, shape = np.random.default_rng(0), (3, 28, 28, 1)
    figure = gallery(
        images=rng.random(shape), sigma_iso=[0.3] * 3, theta=0.3 + rng.random(shape),
        labels=[1, 2, 3], predictions=[1, -1, 3], radii=[0.5, 0, 0.1], proxy_radii=[1.0, 0, 0.3],
        unit="std",
    )  # fmt: skip
    foreign = read_tsv(next(published.glob("*0.25.tsv")), law="gaussian")
    galleries = {"Digits": figure, "A-very-long-heading" * 12: figure}
    title = "Certified regions: " + "a-title-without-any-break" * 4
    return write_html(tmp_path / "r.html", [*runs, foreign], galleries=galleries, title=title)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("paper", ["light", "dark"])
def test_the_report_opens_and_fits(browser, page, width, paper):
    scheme = {"features": [{"name": "prefers-color-scheme", "value": paper}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    assert look_at(browser, page, width) == 6
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(21, 23, 26)") == (paper == "dark")
