"""Starts servers for the tests with real clients."""

from pylib.servers import Server

CONFIG = {"extendedTypesEnabled": "true", "maxClientCnxns": 0}


def started(target, **config):
    server = Server(target, {**CONFIG, **config})
    server.start()
    return server


def with_both(pytestconfig, tell):
    """What tell(server) says of the server under test, and of the real one: a fresh server each time."""
    told = []
    for target in (pytestconfig.getoption("--target"), "java"):
        server = started(target)
        try:
            told.append(tell(server))
        finally:
            server.close()
    return told
