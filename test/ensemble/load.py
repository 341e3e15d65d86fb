"""Clients that write without a pause while servers come and go, and remember what was acknowledged."""

import contextlib
import itertools
import threading
import time

from kazoo.client import KazooState
from kazoo.exceptions import (
    ConnectionClosedError, ConnectionLoss, KazooException, NodeExistsError, OperationTimeoutError,
    SessionExpiredError,
)

from pylib.ensemble import start_kazoo, stop_kazoo

# Between two writes of a session: many are on their way, and trees that are compared stay small.
PAUSE_S = 0.003
UNKNOWN = (ConnectionLoss, ConnectionClosedError, OperationTimeoutError)


def ensure(client, path, value=b"", ephemeral=False):
    """Creates what only this client creates; a lost answer is asked for again."""
    while True:
        try:
            client.create(path, value, ephemeral=ephemeral, makepath=True)
            return
        except NodeExistsError:
            return
        except UNKNOWN:
            time.sleep(0.02)  # the connection has to come back first


class Writer(threading.Thread):
    """One session that creates /load/NAME/0, 1, 2, ... and keeps an ephemeral znode.

    A create whose answer was lost is tried again until it is known to be there, so all up to the last
    acknowledged one exist in the end, each once."""

    def __init__(self, hosts, name, timeout_s=30.0, pause_s=PAUSE_S):
        super().__init__(daemon=True)
        self.pause_s = pause_s
        self.root, self.acknowledged, self.lost_answers = "/load/" + name, [], 0
        self.states, self.failure, self.ending = [], None, threading.Event()
        self.progress, self.writing = threading.Condition(), threading.Lock()
        self.client = start_kazoo(hosts, timeout_s, randomize_hosts=True)
        self.client.add_listener(self.states.append)
        ensure(self.client, self.root + "/alive", ephemeral=True)
        self.session = self.client.client_id[0]

    def run(self):
        try:
            while not self.ending.is_set():
                with self.writing:
                    self.write(len(self.acknowledged))
                if self.pause_s:
                    self.ending.wait(self.pause_s)  # so that the trees of a long run stay small
        except KazooException as failure:
            self.failure = failure
        with self.progress:
            self.progress.notify_all()

    def write(self, number):
        tried_before = False
        while not self.ending.is_set():
            try:
                self.client.create("%s/%d" % (self.root, number), b"%d" % number)
                break
            except NodeExistsError:
                if not tried_before:
                    raise  # nobody else writes here
                break
            except SessionExpiredError:
                raise
            except UNKNOWN:
                tried_before = True
                self.lost_answers += 1
                self.ending.wait(0.02)  # the connection has to come back first
        else:
            return
        with self.progress:
            self.acknowledged.append(number)
            self.progress.notify_all()

    def wait_for(self, more, wait=60.0):
        """Until so many more were acknowledged; says what was wrong, or None."""
        with self.progress:
            wanted = len(self.acknowledged) + more
            done = self.progress.wait_for(
                lambda: self.failure or len(self.acknowledged) >= wanted, wait
            )
        if done and not self.failure:
            return None
        return "%s: %d of %d more writes within %s s: %r %s" % (
            self.root, len(self.acknowledged) + more - wanted, more, wait, self.failure, self.states)

    def end(self):
        self.ending.set()
        self.join(60.0)
        assert not self.is_alive()

    def check(self, client):
        """Compares with what another client sees; it has ended."""
        assert self.failure is None, self.failure
        assert KazooState.LOST not in self.states and self.client.client_id[0] == self.session, (
            "the session was lost: %s" % self.states)
        client.sync(self.root)
        there = set(client.get_children(self.root))
        missing = [n for n in self.acknowledged if str(n) not in there]
        assert not missing, "acknowledged, and not there: %s" % missing[:20]
        assert "alive" in there, "the ephemeral of a session that lives is gone"
        assert len(there) - 1 - len(self.acknowledged) in (0, 1), "more than was written"

    def stop(self):
        self.ending.set()
        if self.ident is not None:
            self.join(60.0)
        stop_kazoo(self.client)


class Load:
    """Some writers for the time of a with statement."""

    loads = itertools.count()

    def __init__(self, ensemble, writers=3, timeout_s=30.0, hosts=None, pause_s=PAUSE_S):
        self.ensemble = ensemble
        name = "load%d-" % next(Load.loads)  # an ensemble may have several, one behind the other
        self.writers = [
            Writer(hosts or ensemble.hosts, name + str(i), timeout_s, pause_s) for i in range(writers)
        ]

    def __enter__(self):
        for writer in self.writers:
            writer.start()
        return self

    def __exit__(self, *exc):
        for writer in self.writers:
            writer.stop()

    def wait_for(self, more):
        for writer in self.writers:
            wrong = writer.wait_for(more)
            assert wrong is None, "%s\n%s" % (wrong, self.ensemble.last_lines())

    @contextlib.contextmanager
    def held(self):
        """No write is on its way."""
        with contextlib.ExitStack() as stack:
            for writer in self.writers:
                stack.enter_context(writer.writing)
            yield

    def start(self, member):
        """Starts it, and waits until all serve. A server of ZooKeeper 3.8.0 that joins a leader of its own
        kind while something is written may break down, and spoil its log (docs/compatibility.md)."""
        both = (member.target, self.ensemble.wait_leader().target)
        with self.held() if both == ("java", "java") else contextlib.nullcontext():
            member.start()
            self.ensemble.wait_all()

    def check(self):
        """Ends the writing, and compares with every member that runs. A leader of Java answers a sync of its
        own client before it has applied what is committed, but it has when it gives a client a session: so
        all writers end before."""
        for writer in self.writers:
            writer.end()
        for member in self.ensemble.running():
            client = member.kazoo()
            try:
                for writer in self.writers:
                    writer.check(client)
            finally:
                stop_kazoo(client)
