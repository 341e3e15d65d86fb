"""A history that can be checked: clients write while servers come and go, and what was acknowledged is
compared with what is there afterwards."""

import contextlib
import threading
import time

from kazoo.exceptions import BadVersionError, KazooException
from load import PAUSE_S, UNKNOWN, Load, ensure

from pylib.ensemble import start_kazoo, stop_kazoo

# A client waits for a third of it for a server that says nothing, and no pause here lasts so long.
LONG_SESSION_S = 60.0


class Counter(threading.Thread):
    """One session that sets one znode to 1, 2, 3, ... at the version it knows, and makes sequential znodes.

    A set whose answer was lost is looked up: it was done once or not at all."""

    def __init__(self, hosts, root, pause_s=PAUSE_S):
        super().__init__(daemon=True)
        self.root, self.ending, self.failure = root, threading.Event(), None
        self.sets, self.names, self.pause_s = 0, [], pause_s
        self.client = start_kazoo(hosts, LONG_SESSION_S, randomize_hosts=True)
        ensure(self.client, root + "/counter", b"0")

    def run(self):
        try:
            while not self.ending.is_set():
                self.set()
                with contextlib.suppress(*UNKNOWN):
                    self.names.append(self.client.create(self.root + "/s-", b"", sequence=True))
                if self.pause_s:
                    self.ending.wait(self.pause_s)
        except (KazooException, AssertionError) as failure:
            self.failure = failure

    def set(self):
        wanted, was_done = b"%d" % (self.sets + 1), False
        while not self.ending.is_set():
            try:
                if was_done:
                    data, stat = self.client.get(self.root + "/counter")
                    assert (data, stat.version) == (wanted, self.sets + 1), (data, stat, wanted)
                else:
                    stat = self.client.set(self.root + "/counter", wanted, self.sets)
                    assert stat.version == self.sets + 1, "a set that nobody has acknowledged"
                self.sets += 1
                return
            except BadVersionError:
                was_done = True
            except UNKNOWN:
                self.ending.wait(0.02)

    def check(self, member):
        self.ending.set()
        self.join(60.0)
        assert not self.is_alive() and self.failure is None, self.failure
        client = member.kazoo()
        try:
            client.sync(self.root)
            data, stat = client.get(self.root + "/counter")
            # The last set may have been given up while its answer was on its way.
            assert stat.version in (self.sets, self.sets + 1) and int(data) == stat.version
            there = set(client.get_children(self.root))
            assert len(set(self.names)) == len(self.names), "a sequential name was given twice"
            assert {name.rsplit("/", 1)[1] for name in self.names} <= there
            assert self.names == sorted(self.names), "the numbers of one client's znodes grow"
        finally:
            stop_kazoo(client)

    def stop(self):
        self.ending.set()
        if self.ident is not None:
            self.join(60.0)
        stop_kazoo(self.client)


class Watcher(threading.Thread):
    """Reads the counter again whenever its watch fires. What one session reads never becomes older, at
    whichever server; and a watch that was lost would leave it at an old number."""

    def __init__(self, hosts, path):
        super().__init__(daemon=True)
        self.path, self.version, self.failure = path, 0, None
        self.fired, self.ending = threading.Event(), threading.Event()
        self.client = start_kazoo(hosts, LONG_SESSION_S, randomize_hosts=True)

    def run(self):
        try:
            while not self.ending.is_set():
                self.fired.clear()
                try:
                    stat = self.client.get(self.path, watch=lambda event: self.fired.set())[1]
                except UNKNOWN:
                    self.ending.wait(0.02)
                    continue
                assert stat.version >= self.version, "read %d behind %d" % (stat.version, self.version)
                self.version = stat.version
                self.fired.wait()
        except (KazooException, AssertionError) as failure:
            self.failure = failure

    def check(self, version, wait=60.0):
        deadline = time.monotonic() + wait
        while self.version < version and self.failure is None and time.monotonic() < deadline:
            time.sleep(0.02)
        assert self.failure is None, self.failure
        assert self.version >= version, "a watch was lost: at %d, not %d" % (self.version, version)

    def stop(self):
        self.ending.set()
        self.fired.set()
        if self.ident is not None:
            self.join(60.0)
        stop_kazoo(self.client)


@contextlib.contextmanager
def history(ensemble, name, pause_s=PAUSE_S):
    """Clients write meanwhile; afterwards everything that was acknowledged is there, once, everywhere."""
    with contextlib.ExitStack() as stack:
        counter = Counter(ensemble.hosts, "/counters/" + name, pause_s)
        stack.callback(counter.stop)
        watcher = Watcher(ensemble.hosts, counter.root + "/counter")
        stack.callback(watcher.stop)
        counter.start()
        watcher.start()
        with Load(ensemble, writers=2, timeout_s=LONG_SESSION_S, pause_s=pause_s) as load:
            load.wait_for(20)
            yield load
            ensemble.wait_all()
            load.wait_for(20)
            load.check()
            for member in ensemble.running():
                counter.check(member)
            assert counter.sets > 20
            watcher.check(counter.sets)
        ensemble.check_same()
