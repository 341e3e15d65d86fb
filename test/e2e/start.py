"""Starts servers for the tests with real clients."""

from pylib.servers import Server

CONFIG = {"extendedTypesEnabled": "true", "maxClientCnxns": 0}


def started(target, **config):
    server = Server(target, {**CONFIG, **config})
    server.start()
    return server
