"""The report in a real browser: no error, every picture there, no sideways scrolling."""

import shutil

import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from aniso_jax.report.foreign import read_tsv
from aniso_jax.report.html import write_html
from aniso_jax.report.maps import gallery

pytestmark = pytest.mark.xdist_group("browser")  # one browser serves all
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
SIZES = """return [...document.querySelectorAll('img, svg')].map(
    picture => { const box = picture.getBoundingClientRect(); return [box.width, box.height]; })"""


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium with its chromedriver is installed on this system")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
    yield driver
    driver.quit()


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
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": paper}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []
    sizes = browser.execute_script(SIZES)
    assert len(sizes) == 6
    assert all(min(size) > 100 for size in sizes)
    scrolled, seen = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert seen == width
    assert scrolled <= width
    ground = browser.execute_script("return getComputedStyle(document.body).backgroundColor")
    assert (ground == "rgb(21, 23, 26)") == (paper == "dark")
