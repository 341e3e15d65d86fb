"""Servers for the tests with real clients."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pylib.servers import REPO  # noqa: E402
from start import started  # noqa: E402


@pytest.fixture(scope="module")
def server(pytestconfig):
    """The server under test; every module has a fresh one."""
    server = started(pytestconfig.getoption("--target"))
    yield server
    server.close()


@pytest.fixture(scope="module")
def java_server():
    """The real server, for comparison; fresh for every module."""
    server = started("java")
    yield server
    server.close()


@pytest.fixture(scope="session")
def build_dir():
    """Where things that tests compile or install may stay between runs."""
    path = os.path.join(REPO, "build", "e2e")
    os.makedirs(path, exist_ok=True)
    return path


def pytest_configure(config):
    config.addinivalue_line("filterwarnings", "ignore:isSet:DeprecationWarning:kazoo")
