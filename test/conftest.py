"""What all test suites in Python share: the library, and which server is under test."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pylib.servers import TARGETS  # noqa: E402


def pytest_addoption(parser):
    parser.addoption(
        "--target", choices=TARGETS, default="paddock", help="the server under test"
    )
