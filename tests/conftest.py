"""Shared by all folders of tests; being here, it also makes `oracles` importable from them."""

import pytest
from hypothesis import settings

# a busy machine may take long over one example; that says nothing about the code
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One headless Chromium for all tests of the group "browser"."""
    from browsing import chromium  # selenium loads only where a page is looked at

    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver
