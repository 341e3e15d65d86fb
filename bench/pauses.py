#!/usr/bin/env python3
"""How long the server hears nobody, in three situations that make it work hard.

    bench/pauses.py                          all of them (some minutes)
    bench/pauses.py snapshot ephemerals      only these
    bench/pauses.py --scale 0.1              with a tenth of the znodes, watches and sessions

    snapshot    1,000,000 znodes are written to a snapshot, while 10,000 requests a second come in
    ephemerals  a session ends that owns 100,000 ephemeral znodes, each with a watch of another one
    expiry      20,000 sessions, each with an ephemeral znode, expire at the same time

For each: the turns of the event loop as `mntr` shows them (how long they were, and how much of the
longest was work of the processor), and how long another client waited for the answer to a ping. On
a machine that does something else, too, the second number is the one to look at.
"""

import argparse
import multiprocessing
import os
import resource
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "test"))

from pylib import zkwire  # noqa: E402
from pylib.servers import Server, paddock_program  # noqa: E402

WINDOW = 1000  # requests on their way
WAIT_S = 300.0
EXPIRY_TIMEOUT_MS = 30000
SESSIONS_AT_ONCE = 1000


class Pinger:
    """A client in a process of its own; its longest wait for a ping's answer."""

    def __init__(self, server):
        self.queue, self.ended = multiprocessing.Queue(), multiprocessing.Event()
        self.process = multiprocessing.Process(
            target=self.run, args=(server.host, server.port), daemon=True
        )

    def run(self, host, port):
        longest = 0.0
        with zkwire.RawClient(host, port, wait=WAIT_S) as client:
            while not self.ended.is_set():
                begun = time.monotonic()
                client.ping()
                longest = max(longest, time.monotonic() - begun)
                client.arrivals.clear()
                time.sleep(0.0005)
            client.close_session()
        self.queue.put(longest)

    def __enter__(self):
        self.process.start()
        return self

    def __exit__(self, *exc):
        self.ended.set()

    def longest_ms(self):
        self.ended.set()
        return 1000 * self.queue.get(timeout=WAIT_S)


def mntr(server):
    lines = server.four_letter("mntr", wait=WAIT_S).decode().splitlines()
    return dict(line[3:].split("\t") for line in lines)


def tell(name, server, pinger):
    ping_ms, got = pinger.longest_ms(), mntr(server)

    def turn(kind, name="time"):
        return int(got["%s_paddock_turn_%s_us" % (kind, name)]) / 1000

    print(
        "%-10s  turns %d  p99 %.2f  p99.9 %.2f  longest %.1f  of 1 ms and more %s,"
        " longest processor time %.1f  longest ping %.1f (ms)"
        % (
            name,
            int(got["cnt_paddock_turn_time_us"]),
            turn("p99"),
            turn("p999"),
            turn("max"),
            got["cnt_paddock_turn_cpu_time_us"],
            turn("max", "cpu_time"),
            ping_ms,
        ),
        flush=True,
    )


def bench(server, *words):
    command = [paddock_program(), "bench", "--servers", server.address, *map(str, words)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def wait_until(done, what):
    deadline = time.monotonic() + WAIT_S
    while not done():
        if time.monotonic() > deadline:
            raise SystemExit("waited in vain: " + what)
        time.sleep(0.05)


def pipelined(client, op, bodies):
    """Sends all, some of them ahead of their answers; every one is to succeed."""
    sent = answered = 0
    while answered < len(bodies):
        while sent < len(bodies) and sent - answered < WINDOW:
            client.send(op, bodies[sent])
            sent += 1
        reply = client.recv(WAIT_S)
        assert reply.err in (zkwire.OK, zkwire.NO_NODE), reply
        client.arrivals.clear()
        answered += 1


def snapshot(count):
    with Server("paddock", {"snapCount": 100 * count}) as server:
        bench(server, "--op", "none", "--prefill", count)
        server.restart(kill=True)  # what was replayed is written to a snapshot, while it serves
        with Pinger(server) as pinger:
            server.four_letter("srst")
            bench(server, "--op", "mix", "--rate", 10000, "--duration", 5, "--reuse", "--paths", count)
            assert mntr(server)["cnt_snapshottime"] == "1", "no snapshot was written meanwhile"
            tell("snapshot", server, pinger)


def watch_all(host, port, count, ready, done):
    with zkwire.RawClient(host, port, timeout_ms=40000, wait=WAIT_S) as watcher:
        paths = ["/owned/%d" % n for n in range(count)]
        pipelined(watcher, zkwire.EXISTS, [zkwire.watch_request(path, True) for path in paths])
        ready.set()
        events = 0
        while events < count:
            watcher.recv_any(WAIT_S)
            watcher.arrivals.clear()
            events += 1
        done.set()


def ephemerals(count):
    with Server("paddock", {"maxSessionTimeout": 120000}) as server:
        owner = server.client(timeout_ms=120000, wait=WAIT_S)
        owner.create("/owned")
        pipelined(
            owner,
            zkwire.CREATE,
            [
                zkwire.create_request("/owned/%d" % n, flags=zkwire.EPHEMERAL)
                for n in range(count)
            ],
        )
        ready, done = multiprocessing.Event(), multiprocessing.Event()
        watcher = multiprocessing.Process(
            target=watch_all, args=(server.host, server.port, count, ready, done), daemon=True
        )
        watcher.start()
        assert ready.wait(WAIT_S), "not all watches were set"
        with Pinger(server) as pinger:
            time.sleep(0.5)
            server.four_letter("srst")
            owner.close_session()
            assert done.wait(WAIT_S), "not all events came"
            tell("ephemerals", server, pinger)


def open_sessions(server, numbers):
    clients = []
    for number in numbers:
        client = zkwire.RawClient(server.host, server.port, connect=False, wait=WAIT_S)
        create = zkwire.create_request("/mine/%d" % number, flags=zkwire.EPHEMERAL)
        client.send_bytes(
            zkwire.frame(zkwire.connect_request(EXPIRY_TIMEOUT_MS))
            + zkwire.frame(zkwire.int32(1) + zkwire.int32(zkwire.CREATE) + create)
        )
        clients.append(client)
    for client in clients:
        client.recv_connect_response()
        assert client.recv().err == zkwire.OK
        client.disconnect()


def expiry(count):
    """A start gives all sessions their whole timeout, so they end together."""
    config = {
        "maxClientCnxns": 0,
        "maxSessionTimeout": EXPIRY_TIMEOUT_MS,
        "clientPortListenBacklog": SESSIONS_AT_ONCE,
        "forceSync": "no",  # all sessions are to be there before the first is over
    }
    with Server("paddock", config) as server:
        with server.client() as client:
            client.create("/mine")
            client.close_session()
        for first in range(0, count, SESSIONS_AT_ONCE):
            open_sessions(server, range(first, min(count, first + SESSIONS_AT_ONCE)))
        server.restart(kill=True)
        assert int(mntr(server)["global_sessions"]) >= count, "some have expired already"
        with Pinger(server) as pinger:
            server.four_letter("srst")
            wait_until(lambda: int(mntr(server)["stale_sessions_expired"]) >= count, "expiry")
            wait_until(lambda: int(mntr(server)["ephemerals_count"]) == 0, "the ephemerals' end")
            tell("expiry", server, pinger)


SITUATIONS = {snapshot: 1000000, ephemerals: 100000, expiry: 20000}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("situations", nargs="*", help=" ".join(s.__name__ for s in SITUATIONS))
    parser.add_argument("--scale", type=float, default=1.0)
    options = parser.parse_args()
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    for situation, count in SITUATIONS.items():
        if not options.situations or situation.__name__ in options.situations:
            situation(max(1, int(count * options.scale)))


if __name__ == "__main__":
    main()
