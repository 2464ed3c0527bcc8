"""A real browser, the system's headless Chromium, and a look at a page in it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

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


@contextmanager
def chromium(profile: Path) -> Iterator[webdriver.Chrome]:
    """The browser with a profile of its own; skips the test where none is installed."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("no chromium with its chromedriver is installed on this system")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=Service(executable_path=DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


def look_at(browser: webdriver.Chrome, page: Path, width: int) -> int:
    """Open a page: no console error, nothing to scroll sideways; returns its number of pictures."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(page.as_uri())
    assert browser.get_log("browser") == []
    sizes = browser.execute_script(SIZES)
    assert all(min(size) > 100 for size in sizes)
    scrolled, seen = browser.execute_script(
        "return [document.documentElement.scrollWidth, window.innerWidth]"
    )
    assert seen == width
    assert scrolled <= width
    return len(sizes)
