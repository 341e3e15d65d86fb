"""Servers, clients and paths for the conformance tests.

Tests share one server per configuration (marker `server`), so each works below a node of its own
and never assumes that a zxid, a session or a node count is not moved by somebody else. Tests that
must be alone on a server give it a name of its own.
"""

import itertools
import threading
import time

import pytest

from pylib import zkwire
from pylib.servers import Server

from . import versions

POOL_SIZE = 4  # servers kept besides the default one: a JVM is big


class Pool:
    def __init__(self, target):
        self.target, self.servers = target, {}

    def get(self, config, props, name):
        key = (tuple(sorted(config.items())), tuple(sorted(props.items())), name)
        server = self.servers.pop(key, None)
        if server is not None and not server.alive():
            server.close()
            server = None
        if server is None:
            server = Server(self.target, config, props).start()
        self.servers[key] = server
        extra = [k for k in self.servers if k != ((), (), "")]
        for old in extra[: max(0, len(extra) - POOL_SIZE)]:
            self.servers.pop(old).close()
        return server

    def close(self):
        for server in self.servers.values():
            server.close()


@pytest.fixture(scope="session")
def target(request):
    return request.config.getoption("--target")


@pytest.fixture(scope="session")
def release(target):
    """What differs between the release that the real server is and the one Paddock follows."""
    return versions.expected(target)


@pytest.fixture(scope="session")
def pool(target):
    pool = Pool(target)
    yield pool
    pool.close()


@pytest.fixture
def server(request, pool):
    marker = request.node.get_closest_marker("server")
    options = marker.kwargs if marker else {}
    server = pool.get(
        options.get("config", {}), options.get("props", {}), options.get("name", "")
    )
    yield server
    assert server.alive(), "the server did not survive this test\n" + server.log()[-4000:]


@pytest.fixture
def start_server(target):
    """A server of the test's own: start_server(config, props) -> Server, started."""
    servers = []

    def start(config=None, props=None, **options):
        server = Server(target, config, props, **options)
        servers.append(server)
        return server.start()

    yield start
    for server in servers:
        server.close()


def end_session(client):
    """Leave nothing behind on the shared server: no ephemeral, no session to expire later."""
    try:
        if client.session_id:
            client.send(zkwire.CLOSE_SESSION)
            while True:
                client.recv_any()
    except (zkwire.Closed, zkwire.Timeout, OSError):
        pass
    client.disconnect()


@pytest.fixture
def connect(server):
    """connect(...) -> RawClient to the test's server; its session ends with the test."""
    clients = []

    def new_client(**options):
        client = server.client(**options)
        clients.append(client)
        return client

    yield new_client
    for client in clients:
        end_session(client)


@pytest.fixture
def client(connect):
    return connect()


_numbers = itertools.count(1)


@pytest.fixture
def path(request, client):
    """A fresh persistent node of the test's own."""
    name = "/%s-%d" % (request.node.name.split("[")[0][5:][:9].rstrip("_"), next(_numbers))
    return client.create(name)


class IdleConnection(threading.Thread):
    """Opens a connection, says nothing, and notes after how many seconds the server closed it. A machine that
    stands still can only lengthen it: where it took too long, there is another one."""

    SECONDS_MAX = 21.0

    def __init__(self, server):
        super().__init__(daemon=True)
        self.server, self.seconds, self.failure = server, None, None

    def run(self):
        try:
            for _ in range(4):
                before = time.monotonic()
                self.server.client(connect=False, wait=60.0).expect_eof()
                self.seconds = time.monotonic() - before
                if self.seconds <= self.SECONDS_MAX:
                    return
        except Exception as failure:
            self.failure = failure


@pytest.fixture(scope="session", autouse=True)
def idle_connection(pool):
    """Started with the run, since its ten to twenty seconds pass while other tests run."""
    idle = IdleConnection(pool.get({}, {}, ""))
    idle.start()
    return idle
