"""The modules of bench/ can be imported here."""

import os
import sys

import pytest

from pylib.servers import REPO, Server

sys.path.append(os.path.join(REPO, "bench"))


@pytest.fixture
def start():
    """start(config) -> a server, stopped at the end."""
    servers = []

    def start(config=None):
        servers.append(Server("paddock", config))
        return servers[-1].start()

    yield start
    for server in servers:
        server.close()
