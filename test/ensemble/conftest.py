"""An ensemble that several tests share, and a new one behind each failure."""

import pytest

from pylib.ensemble import Ensemble, Shared


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    if outcome.get_result().failed:
        item.has_failed = True


@pytest.fixture(scope="module")
def module_ensemble():
    shared = Shared()
    yield shared
    shared.close()


@pytest.fixture
def shared(module_ensemble, request):
    """shared(key, make) -> the module's ensemble, all members running."""
    yield module_ensemble.get
    if getattr(request.node, "has_failed", False):
        module_ensemble.close()


@pytest.fixture
def paddock(shared):
    """Three of our servers."""
    return shared("paddock", lambda: Ensemble(["paddock"] * 3))
