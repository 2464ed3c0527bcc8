"""Shared by all folders of tests; being here, it also makes `oracles` importable from them."""

import atexit
import contextlib
import os
import shutil
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

# What one worker, or one command in a process of its own, has compiled the others only read.
# JAX looks at these when it is imported; workers inherit them.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    prefix, day = "aniso-jax-compiled-", 24 * 60 * 60
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*"):  # by tests that were killed
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > day:
                shutil.rmtree(left)
    compiled = tempfile.mkdtemp(prefix=prefix)
    atexit.register(shutil.rmtree, compiled, ignore_errors=True)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.05"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

# Workers side by side, one for each core, gain nothing by threads of their own.
if int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) > 1:
    os.environ.setdefault("NPROC", "1")

import pytest
from hypothesis import settings

# pytest loads these files by itself; collected as modules with doctests too, they share one name
collect_ignore_glob = ["*conftest.py"]
if find_spec("torch") is None:  # which alone needs these definitions; their tests say they skip
    collect_ignore_glob.append("*torch_twins.py")

# a busy machine may take long over one example; that says nothing about the code
settings.register_profile("no-deadline", deadline=None)
settings.load_profile("no-deadline")


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """One headless Chromium for all pages that this process looks at."""
    from browsing import chromium  # selenium loads only where a page is looked at

    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


TESTS = Path(__file__).parent
_AS_FOR_USERS = (  # bits, roundings, steps that enlarge them
    "test_disjoint",
    "test_low_bits",
    "test_networks",
    "test_rotated_pairs",
    "test_rotated_search",
)
_QUICK = (
    "audit",
    "certification",
    "figures",
    "geometry",
    "memory",
    "models",
    "optimize",
    "records",
    "report",
    "runs",
    "training",
)


class Compiles:
    """Quickly for examples and where tests are about more than bits; as for users elsewhere."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_setup(self, item):
        import quick  # after the environment is set

        is_example = not item.path.is_relative_to(TESTS)
        is_quick = item.path.parent.name in _QUICK and item.path.stem not in _AS_FOR_USERS
        marked = item.get_closest_marker("compiles")
        quick.choose(marked.args[0] == "quickly" if marked else is_example or is_quick)


def pytest_configure(config):
    """As a plugin it is asked about doctests too, which lie in no folder of tests."""
    config.pluginmanager.register(Compiles())
