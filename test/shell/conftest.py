"""What tests of lasting commands share: a server for all of a file or for one test, a znode, and the commands that
a test has started. Another file's own `server` takes the place of this one."""

import pytest

from pylib.servers import Server

from .running import Run, address

CONFIG = {"minSessionTimeout": 1000, "maxSessionTimeout": 60000, "tickTime": 500,
          "4lw.commands.whitelist": "*"}


@pytest.fixture(scope="module")
def shared():
    with Server("paddock", CONFIG) as one:
        yield one


@pytest.fixture
def server():
    with Server("paddock", CONFIG) as one:
        yield one


@pytest.fixture
def path(request):
    return "/" + request.node.name[:60].replace("[", "-").replace("]", "")


@pytest.fixture
def run(tmp_path):
    runs = []

    def begin(server, *words, options=()):
        runs.append(Run(tmp_path, address(server), *words, options=options))
        return runs[-1]

    yield begin
    for each in runs:
        each.close()
