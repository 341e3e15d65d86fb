"""A server for each test here: every test does something that a server must survive."""

import re
import time

import pytest

from pylib.servers import Server


@pytest.fixture
def start():
    """start(config={...}, props={...}, wrapper=[...]) -> a server, stopped at the end."""
    servers = []

    def start(config=None, wait=True, **options):
        servers.append(Server("paddock", config, **options))
        return servers[-1].start(wait=wait)

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def eventually():
    """Waits for what only a log file or the kernel tells."""

    def eventually(check, what="", wait=20.0):
        deadline = time.monotonic() + wait
        while True:
            result = check()
            if result:
                return result
            assert time.monotonic() < deadline, "waited %s s in vain: %s" % (wait, what)
            time.sleep(0.01)

    return eventually


@pytest.fixture
def logged(eventually):
    """logged(server, pattern) -> the matching lines, once there are any."""

    def logged(server, pattern, wait=20.0):
        return eventually(
            lambda: [x for x in server.log().split("\n") if re.search(pattern, x)],
            "log line %r" % pattern,
            wait,
        )

    return logged


def resident_kb(server):
    with open("/proc/%d/status" % server.pid) as status:
        return int(re.search(r"VmRSS:\s+(\d+) kB", status.read()).group(1))
