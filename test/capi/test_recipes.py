"""Locks, elections, queues and barriers for C programs, and what becomes of them when processes, servers
and connections fail. recipes.c does what the tests say, in one process per contender."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest
from pylib.ensemble import Ensemble, start_kazoo, stop_kazoo
from pylib.servers import REPO

from .conftest import OURS, TIMEOUT_MS, WAIT_S, Puppet, environment, until

CONNECTED = "event 3"
SHORT_MS = 6000  # of a session whose end is waited for


@pytest.fixture(scope="session")
def recipe_programs(compile_program, libraries, sanitized, build_dir):
    """kind -> (program, directory of libraries): ours, Debian's library, or a sanitizer's build."""
    made = {}
    headers = os.path.join(build_dir, "headers")
    os.makedirs(os.path.join(headers, "zookeeper"), exist_ok=True)
    shutil.copy(os.path.join(OURS, "zookeeper", "recipes.h"), os.path.join(headers, "zookeeper"))

    def build(kind):
        if kind not in made:
            if kind in ("thread", "address"):
                folder = os.path.join(REPO, "src", "recipes")
                sources = [os.path.join(folder, name) for name in sorted(os.listdir(folder))
                           if name.endswith(".c")]
                words = (*sources, "-I" + os.path.join(REPO, "src"), "-D_GNU_SOURCE",
                         *sanitized(kind))
                made[kind] = compile_program("recipes", words, "_" + kind, OURS), None
            elif kind == "debian":
                # Debian's headers and library; only the recipes are ours.
                words = ("-I" + headers, os.path.join(libraries, "libzookeeper_recipes.a"),
                         "-lzookeeper_mt", "-lpthread")
                made[kind] = compile_program("recipes", words, "_debian"), None
            else:
                words = ("-L" + libraries, "-lzookeeper_recipes", "-lzookeeper_mt", "-lpthread")
                made[kind] = compile_program("recipes", words, "", OURS), libraries
        return made[kind]

    return build


@pytest.fixture(params=["ours", "debian", "thread", "address"])
def kind(request):
    return request.param


@pytest.fixture
def contender(recipe_programs, kind):
    opened = []
    program, libraries = recipe_programs(kind)

    def make(servers, timeout_ms=TIMEOUT_MS):
        one = Puppet(program, servers, libraries, timeout_ms=timeout_ms, errors=True)
        opened.append(one)
        one.wait(CONNECTED)
        return one

    yield make
    for one in opened:
        one.close()
    for one in opened:
        assert not [line for line in one.every_line if "Sanitizer" in line], one.every_line


def address(server):
    return "127.0.0.1:%d" % server.port


def lock(one, name="a", path="/locks/l", kind="exclusive", names="curator"):
    assert one.say("%s %s %s %s" % (kind, name, path, names), "made ") == "made %s 0" % name


def acquire(one, name="a", timeout_ms=-1):
    return int(one.say("acquire %s %d" % (name, timeout_ms), "acquired ").split()[2])


def release(one, name="a"):
    return int(one.say("release " + name, "released ").split()[2])


def make(one, what, name, words):
    """Any object but a lock."""
    assert one.say("%s %s %s" % (what, name, words), "made ") == "made %s 0" % name


def children(server, path):
    with server.client() as client:
        return client.get_children(path) if client.exists(path) else []


def waits(server, path, count):
    until(lambda: len(children(server, path)) == count)


def holder_and_contender(contender, server, holder_ms=TIMEOUT_MS, other_ms=TIMEOUT_MS):
    """Two with one lock: the first holds it."""
    one, two = contender(address(server), holder_ms), contender(address(server), other_ms)
    lock(one)
    lock(two)
    assert acquire(one) == 0
    return one, two


def holder_and_waiter(contender, server, order="acquire a -1", **timeouts):
    """Two with one lock: the first holds it, and the second stands in line."""
    one, two = holder_and_contender(contender, server, **timeouts)
    two.send(order)
    waits(server, "/locks/l", 2)
    return one, two


def hold(one, names):
    for name in names:
        lock(one, name, path="/locks/" + name)
        assert acquire(one, name) == 0


def loses_connection(one, server, names="a"):
    server.kill()
    one.wait_each(*("now %s suspended" % name for name in names))


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Proxy:
    """Between clients and a server. `eat` bytes: when a client sends them, the server gets them, and its
    answer and the connection are lost. `hold` bytes: counted, and from then on the server's answers stay
    here. `open` unset: no new connection gets through. `refused`: connections that found no server."""

    def __init__(self, server):
        self.server, self.eat, self.eaten = server, None, 0
        self.hold, self.held, self.refused = None, 0, 0
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]
        self.open = threading.Event()
        self.open.set()
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        try:
            while True:
                client, _ = self.listener.accept()
                self.open.wait()
                try:
                    server = socket.create_connection(("127.0.0.1", self.server.port))
                except OSError:
                    client.close()
                    self.refused += 1
                    continue
                losing = threading.Event()
                for words in ((client, server, losing, True), (server, client, losing, False)):
                    threading.Thread(target=self._copy, args=words, daemon=True).start()
        except OSError:  # the listener is closed
            pass

    def _copy(self, source, target, losing, asks):
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if asks and self.hold is not None:
                    self.held += data.count(self.hold)
                elif not asks and self.held > 0:
                    continue
                if asks and self.eat is not None and self.eat in data:
                    self.eat = None
                    losing.set()
                elif not asks and losing.is_set():
                    self.eaten += 1
                    break
                target.sendall(data)
        except OSError:
            pass
        for each in (source, target):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def close(self):
        self.listener.close()


@pytest.fixture
def kazoo(server):
    client = start_kazoo(address(server), TIMEOUT_MS / 1000)
    yield client
    stop_kazoo(client)


@pytest.fixture
def proxy(server):
    one = Proxy(server)
    yield one
    one.close()


def test_a_lock_goes_from_one_to_the_next(contender, server):
    one, two = holder_and_contender(contender, server)
    assert one.say("state a") == "state a 2"
    first = int(one.say("fence a").split()[2])
    assert acquire(one) == -9  # not reentrant
    assert acquire(two, timeout_ms=0) == -7
    waits(server, "/locks/l", 1)  # one who gave up leaves nothing
    two.send("acquire a -1")
    waits(server, "/locks/l", 2)
    assert release(one) == 0
    assert two.wait("acquired ") == "acquired a 0"
    assert int(two.say("fence a").split()[2]) > first
    assert release(one) == -9
    assert one.say("fence a") == "fence a 0"
    assert two.say("quit", "close ") == "close 0"
    assert acquire(one) == 0


def test_the_lock_of_a_killed_holder_goes_to_the_next(contender, server):
    one, two = holder_and_waiter(contender, server, holder_ms=SHORT_MS)
    one.process.kill()
    assert two.wait("acquired ") == "acquired a 0"


def test_a_holder_that_slept_too_long_is_told_that_it_has_lost(contender, server):
    one, two = holder_and_contender(contender, server, holder_ms=SHORT_MS)
    with stopped(one.process.pid):
        assert acquire(two) == 0
    # The end of the node may be told first, and the end of the session after the next connection.
    one.wait_each("now a lost", "event -112")
    assert one.say("state a") == "state a 4"
    assert release(one) == -9
    assert acquire(one, timeout_ms=0) == -112  # the handle is over
    assert children(server, "/locks/l")[0] in two.say("node a")


def test_one_who_waits_is_told_that_its_session_is_over(contender, server):
    one, two = holder_and_waiter(contender, server, other_ms=SHORT_MS)
    with stopped(two.process.pid):
        waits(server, "/locks/l", 1)
    assert two.wait("acquired ") == "acquired a -112"


def test_a_silent_server_makes_it_unknown_until_it_speaks(contender, server):
    one = contender(address(server), 12000)  # a third of it is left when the lock is suspended
    lock(one)
    assert acquire(one) == 0
    with stopped(server.pid):
        one.wait("now a suspended")
        assert one.say("state a") == "state a 3"
    one.wait("now a held")
    assert release(one) == 0


def test_holders_and_waiters_survive_a_restart_of_the_server(contender, server):
    one, two = holder_and_waiter(contender, server)
    loses_connection(one, server)
    server.restart()
    one.wait("now a held")
    assert release(one) == 0
    assert two.wait("acquired ") == "acquired a 0"


def test_who_gives_up_without_a_connection_leaves_the_line_when_it_is_back(contender, server):
    one, two = holder_and_waiter(contender, server, "acquire a 8000")
    server.kill()
    assert two.wait("acquired ") == "acquired a -7"
    server.restart()
    waits(server, "/locks/l", 1)
    one.wait("now a held")
    assert two.say("state a") == "state a 0"
    assert release(one) == 0
    assert acquire(two) == 0


def test_a_release_without_a_connection_is_made_good(contender, server):
    one = contender(address(server))
    lock(one)
    assert acquire(one) == 0
    loses_connection(one, server)
    assert release(one) == -4
    server.restart()
    waits(server, "/locks/l", 0)
    assert acquire(one) == 0


def test_a_handle_that_is_closed_in_doubt_does_not_say_that_the_lock_is_held(contender, server, proxy):
    one = contender(address(proxy))
    lock(one)
    assert acquire(one) == 0
    loses_connection(one, server)
    proxy.hold = b"-lock-"
    server.restart()
    one.wait(CONNECTED)
    until(lambda: proxy.held >= 2)  # the watches that are set again, and the look at the own node
    assert one.say("close_handle", "close ") == "close 0"
    assert "now a held" not in one.every_line


def used_ms(one):
    with open("/proc/%d/stat" % one.process.pid) as file:
        ticks = file.read().rpartition(")")[2].split()[11:13]
    return sum(map(int, ticks)) * 1000 // os.sysconf("SC_CLK_TCK")


def test_what_waits_for_a_connection_does_not_spin(contender, server, proxy):
    one = contender(address(proxy))
    hold(one, "abcd")
    loses_connection(one, server, "abcd")
    for name in "abc":
        assert release(one, name) == -4
    one.send("acquire a -1")
    began, before_ms, before = time.monotonic(), used_ms(one), proxy.refused
    time.sleep(2)  # what it uses in this time is what is measured
    used, refused = used_ms(one) - before_ms, proxy.refused - before
    seconds = time.monotonic() - began  # more than 2, where this process stands still
    assert used < seconds * 1000 * 0.05
    assert refused < seconds * 30  # the libraries themselves try a few times in a second
    server.restart()
    assert one.wait("acquired ") == "acquired a 0"
    for name, count in (("a", 1), ("b", 0), ("c", 0), ("d", 1)):
        waits(server, "/locks/" + name, count)


def test_a_handle_is_closed_while_releases_wait_for_a_connection(contender, server):
    one = contender(address(server))
    hold(one, "abc")
    loses_connection(one, server, "abc")
    for name in "ab":
        assert release(one, name) == -4
    assert one.say("quit", "close ") == "close 0"  # and gives c back before
    assert one.process.wait(WAIT_S) == 0  # a leak would make it fail, with a sanitizer


def test_a_node_that_somebody_removes_is_a_lost_lock(contender, server):
    one, two = holder_and_waiter(contender, server)
    holders, waiters = one.say("node a").split()[2], None
    with server.client() as client:
        waiters = [n for n in client.get_children("/locks/l") if n not in holders][0]
        client.set_data(holders, b"x")  # no loss: the watch is set again
        client.delete("/locks/l/" + waiters)
        assert two.wait("acquired ") == "acquired a -101"
        client.delete(holders)
    one.wait("now a lost")
    assert acquire(one) == 0  # the session lives


def test_the_reply_of_the_create_is_lost_and_the_own_node_found_again(contender, server, proxy):
    one = contender(address(proxy))
    lock(one)
    proxy.eat = b"-lock-"
    assert acquire(one) == 0
    assert proxy.eaten == 1 and len(children(server, "/locks/l")) == 1
    assert release(one) == 0
    assert children(server, "/locks/l") == []


def test_a_call_that_waits_can_be_cancelled(contender, server):
    one, two = holder_and_waiter(contender, server)
    two.send("cancel a")
    assert two.wait("acquired ") == "acquired a -116"
    waits(server, "/locks/l", 1)


def test_twenty_contenders_never_hold_it_together_and_watch_only_one(contender, server):
    everybody = [contender(address(server)) for _ in range(4)]
    names = ["c%d" % i for i in range(5)]
    with server.client() as client:
        client.create("/number", b"0")
    for one in everybody:
        for name in names:
            lock(one, name)
    lock(everybody[0], "gate")
    assert acquire(everybody[0], "gate") == 0
    for one in everybody:
        for name in names:
            one.send("count %s /number 3" % name)
    waits(server, "/locks/l", 21)
    holder = everybody[0].say("node gate").split()[2]
    watchers = {}

    def watched():
        path = None
        watchers.clear()
        for line in server.four_letter("wchp").decode().splitlines():
            if line.startswith("/"):
                path = line
                watchers[path] = 0
            elif line.strip():
                watchers[path] += 1
        return len(watchers) == 21

    until(watched)
    # Its own session and at most one other: nobody else is woken when it goes.
    assert all(count <= 2 for count in watchers.values()) and holder in watchers
    assert release(everybody[0], "gate") == 0
    for one in everybody:
        one.wait_each(*("counted %s 0" % name for name in names))
    with server.client() as client:
        assert client.get_data("/number")[0] == b"60"


def test_readers_hold_it_together_and_a_writer_alone(contender, server):
    one = contender(address(server))
    lock(one, "r1", kind="read")
    lock(one, "r2", kind="read")
    lock(one, "r3", kind="read")
    lock(one, "w", kind="write")
    assert acquire(one, "r1") == 0 and acquire(one, "r2") == 0
    one.send("acquire w -1")
    waits(server, "/locks/l", 3)
    one.send("acquire r3 -1")  # behind the writer
    waits(server, "/locks/l", 4)
    assert release(one, "r2") == 0
    assert one.say("state w") == "state w 1"
    assert release(one, "r1") == 0
    assert one.wait("acquired ") == "acquired w 0"
    assert one.say("state r3") == "state r3 1"
    assert release(one, "w") == 0
    one.wait("acquired r3 0")


@pytest.mark.parametrize("kind", ["ours"])
@pytest.mark.parametrize("names", ["kazoo", "curator"])
def test_kazoos_lock_and_ours_wait_for_each_other(contender, server, kazoo, names):
    one = contender(address(server))
    lock(one, names=names)
    patterns = ["-lock-"] if names == "curator" else []
    theirs = kazoo.Lock("/locks/l", "python", extra_lock_patterns=patterns)
    assert acquire(one) == 0
    assert not theirs.acquire(blocking=False)
    got = threading.Event()
    thread = threading.Thread(target=lambda: theirs.acquire() and got.set(), daemon=True)
    thread.start()
    waits(server, "/locks/l", 2)
    assert not got.is_set()
    assert release(one) == 0
    assert got.wait(WAIT_S)
    assert acquire(one, timeout_ms=0) == -7
    waits(server, "/locks/l", 1)  # one who gave up leaves nothing
    one.send("acquire a -1")
    waits(server, "/locks/l", 2)
    assert theirs.contenders() == ["python", "a"]
    theirs.release()
    assert one.wait("acquired ") == "acquired a 0"


@pytest.mark.parametrize("kind", ["ours"])
def test_kazoos_readers_and_ours_respect_writers(contender, server, kazoo):
    one = contender(address(server))
    lock(one, "r", kind="read", names="kazoo")
    lock(one, "w", kind="write", names="kazoo")
    reader, writer = kazoo.ReadLock("/locks/l"), kazoo.WriteLock("/locks/l")
    assert acquire(one, "r") == 0
    assert reader.acquire(blocking=False)
    assert not writer.acquire(blocking=False)
    assert acquire(one, "w", 0) == -7
    reader.release()
    assert release(one, "r") == 0
    assert acquire(one, "w", 0) == 0
    assert not reader.acquire(blocking=False)


def test_a_leader_is_followed_by_the_next_when_it_dies(contender, server):
    one, two = contender(address(server), SHORT_MS), contender(address(server))
    assert one.say("leader /e") == "leader -101"
    for each, name in ((one, "first"), (two, "second")):
        assert each.say("election %s /e" % name, "made ").endswith(" 0")
    assert one.say("lead first -1", "leads ") == "leads first 0"
    two.send("lead second -1")
    waits(server, "/e", 2)
    assert two.say("leader /e") == "leader 0 first"
    one.process.kill()
    assert two.wait("leads ") == "leads second 0"
    assert two.say("leader /e") == "leader 0 second"
    assert two.say("resign second", "resigned ") == "resigned second 0"
    assert two.say("leader /e") == "leader -101"


@pytest.mark.parametrize("kind", ["ours"])
def test_kazoos_election_and_ours_are_one(contender, server, kazoo):
    one = contender(address(server))
    make(one, "election", "me", "/e kazoo")
    assert one.say("lead me -1", "leads ") == "leads me 0"
    election, leads = kazoo.Election("/e", "python"), threading.Event()
    stop = threading.Event()
    thread = threading.Thread(
        target=lambda: election.run(lambda: (leads.set(), stop.wait(WAIT_S))), daemon=True)
    thread.start()
    waits(server, "/e", 2)
    assert election.contenders() == ["me", "python"] and not leads.is_set()
    assert one.say("resign me", "resigned ") == "resigned me 0"
    assert leads.wait(WAIT_S)
    assert one.say("leader /e") == "leader 0 python"
    stop.set()
    thread.join(WAIT_S)


def test_entries_come_out_of_a_queue_once_and_in_order(contender, server):
    one, two = contender(address(server)), contender(address(server))
    for each in (one, two):
        make(each, "queue", "q", "/q")
    assert two.say("take q 0", "took ") == "took q -7 0"
    two.send("take q -1")
    assert one.say("put q -1 hello", "put ") == "put q 0 0"
    assert two.wait("took ") == "took q 0 5 hello"
    for i in range(10):
        assert one.say("put q -1 %d" % i, "put ") == "put q 0 0"
    got = [each.say("take q -1", "took ").split()[4] for each in (one, two) * 5]
    assert got == [str(i) for i in range(10)]
    assert children(server, "/q") == []
    assert one.say("quit", "close ") == "close 0"
    waits(server, "/q-users", 1)


def test_a_lost_reply_puts_nothing_twice_and_loses_nothing(contender, server, proxy):
    one = contender(address(proxy))
    make(one, "queue", "q", "/q")
    assert one.say("put q -1 zero", "put ") == "put q 0 0"
    proxy.eat = b"entry-100-"
    assert one.say("put q -1 once", "put ") == "put q 0 0"
    assert proxy.eaten == 1 and len(children(server, "/q")) == 2
    assert one.say("take q -1", "took ") == "took q 0 4 zero"
    proxy.eat = b"\xff\xff\xff\xff\x00"  # in the delete of a transaction: no version
    assert one.say("take q -1", "took ") == "took q 0 4 once"
    assert proxy.eaten == 2 and children(server, "/q") == []


def test_a_put_that_was_given_up_can_be_settled(contender, server, proxy):
    one = contender(address(proxy))
    make(one, "queue", "q", "/q")
    assert one.say("put q -1 zero", "put ") == "put q 0 0"
    proxy.open.clear()
    proxy.eat = b"entry-100-"
    assert one.say("put q 0 once", "put ") == "put q -7 1"
    one.send("settle q -1")
    proxy.open.set()
    assert one.wait("settled ") == "settled q 0"
    assert len(children(server, "/q")) == 2
    assert one.say("settle q -1", "settled ") == "settled q -9"


@pytest.mark.parametrize("kind", ["ours"])
def test_kazoos_queue_and_ours_are_one(contender, server, kazoo):
    one = contender(address(server))
    make(one, "queue", "q", "/q")
    theirs = kazoo.Queue("/q")
    theirs.put(b"p" * 5000)
    theirs.put(b"urgent", priority=1)
    assert one.say("take q -1", "took ") == "took q 0 6 urgent"
    assert one.say("put q -1 c", "put ") == "put q 0 0"
    assert one.say("take q -1", "took ").startswith("took q 0 5000 ppp")
    assert theirs.get() == b"c"


def test_a_barrier_holds_until_it_is_opened(contender, server):
    one, two = contender(address(server)), contender(address(server))
    assert one.say("close_barrier /a/b", "closed ") == "closed 0"
    assert one.say("close_barrier /a/b", "closed ") == "closed 0"
    assert two.say("wait_barrier /a/b 0", "waited ") == "waited -7"
    two.send("wait_barrier /a/b -1")
    until(lambda: b"/a/b" in server.four_letter("wchp"))
    assert one.say("open_barrier /a/b", "opened ") == "opened 0"
    assert two.wait("waited ") == "waited 0"
    assert one.say("open_barrier /a/b", "opened ") == "opened 0"


def test_members_of_a_double_barrier_begin_and_end_together(contender, server):
    three = [contender(address(server)) for _ in range(3)]
    for one in three:
        make(one, "double", "d", "/d 3")
    for _ in range(2):  # the barrier can be used again
        three[0].send("enter d -1")
        three[1].send("enter d -1")
        waits(server, "/d", 2)
        three[2].send("enter d -1")
        for one in three:
            assert one.wait("entered ") == "entered d 0"
        three[0].send("leave d -1")
        three[1].send("leave d -1")
        until(lambda: len(children(server, "/d")) < 4)
        assert three[2].say("leave d -1", "left ") == "left d 0"
        for one in three[:2]:
            assert one.wait("left ") == "left d 0"
        assert children(server, "/d") == []


def test_a_ready_left_behind_by_the_dead_opens_nothing(contender, server):
    one, two = contender(address(server)), contender(address(server), SHORT_MS)
    with server.client() as client:
        client.create("/d", b"")
        client.create("/d/ready", b"")
    for each in (one, two):
        make(each, "double", "d", "/d 2")
    assert one.say("enter d 0", "entered ") == "entered d -7"
    waits(server, "/d", 1)
    one.send("enter d -1")
    waits(server, "/d", 2)
    assert two.say("enter d -1", "entered ") == "entered d 0"
    assert one.wait("entered ") == "entered d 0"
    two.process.kill()
    assert one.say("leave d -1", "left ") == "left d 0"  # when the dead one's session is over
    assert set(children(server, "/d")) <= {"ready"}


@pytest.mark.parametrize("kind", ["ours"])
def test_kazoos_barriers_and_ours_are_one(contender, server, kazoo):
    one = contender(address(server))
    assert one.say("close_barrier /b", "closed ") == "closed 0"
    passed = threading.Event()
    threading.Thread(target=lambda: kazoo.Barrier("/b").wait() and passed.set(), daemon=True).start()
    assert one.say("open_barrier /b", "opened ") == "opened 0"
    assert passed.wait(WAIT_S)
    theirs = kazoo.DoubleBarrier("/d", 2)
    make(one, "double", "d", "/d 2")
    for ours_first in (True, False):
        thread = threading.Thread(target=theirs.enter, daemon=True)
        if ours_first:
            one.send("enter d -1")
            waits(server, "/d", 1)
        thread.start()
        if not ours_first:
            waits(server, "/d", 1)
            one.send("enter d -1")
        assert one.wait("entered ") == "entered d 0"
        thread.join(WAIT_S)
        assert theirs.participating
        one.send("leave d -1")
        theirs.leave()
        assert one.wait("left ") == "left d 0"


def test_the_program_of_the_guide_compiles_and_works(libraries, server, run, build_dir):
    with open(os.path.join(REPO, "docs", "recipes.md")) as file:
        text = file.read().split("```c\n")[1].split("```")[0]
    source, program = os.path.join(build_dir, "guide.c"), os.path.join(build_dir, "guide")
    with open(source, "w") as file:
        file.write(text)
    subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-I" + OURS, "-o", program, source,
                    "-L" + libraries, "-lzookeeper_recipes", "-lzookeeper_mt"], check=True)
    status, output = run(program, server, libraries)
    assert status == 0 and "working with number " in output, output


def test_late_answers_are_no_news_of_the_next_use_and_a_refused_delete_is_repeated(
    compile_program, libraries, server, run
):
    words = ("-D_GNU_SOURCE", "-L" + libraries, "-lzookeeper_recipes", "-lzookeeper_mt", "-lpthread")
    code, said = run(compile_program("late_answers", words, "", OURS), server, libraries)
    assert (code, said) == (0, ""), said


@pytest.mark.parametrize("kind", ["ours"])
def test_a_lock_outlives_the_leader_of_an_ensemble_and_the_server_of_its_holder(contender):
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        leader = ensemble.wait_leader()
        followers = [ensemble[i] for i in (1, 2, 3) if ensemble[i] is not leader]
        # The libraries go through the list in its order here.
        one = contender(",".join(map(address, (leader, *followers))))
        two = contender(",".join(map(address, (*followers, leader))))
        lock(one)
        lock(two)
        assert acquire(one) == 0
        two.send("acquire a -1")
        waits(followers[0], "/locks/l", 2)
        leader.kill()
        one.wait("now a suspended")
        one.wait("now a held")
        assert two.say("state a") == "state a 1"
        assert release(one) == 0
        assert two.wait("acquired ") == "acquired a 0"
        leader.start()
        ensemble.wait_all()
        # Its server keeps silent: it goes to another one, with its session.
        port = int(two.say("server").rpartition(":")[2])
        silent = next(ensemble[i] for i in (1, 2, 3) if ensemble[i].port == port)
        silent.pause()
        two.wait("now a suspended")
        two.wait("now a held")
        assert not two.say("server").endswith(":%d" % port)
        silent.resume()
        assert release(two) == 0


def test_contenders_are_found_and_put_in_order_by_the_numbers_in_their_names(
    compile_program, libraries
):
    folder = os.path.join(REPO, "src", "recipes")
    sources = [os.path.join(folder, name) for name in os.listdir(folder) if name.endswith(".c")]
    program = compile_program("order", (*sources, "-D_GNU_SOURCE", "-I" + os.path.join(REPO, "src"),
                                        "-L" + libraries, "-lzookeeper_mt"), "", OURS)
    done = subprocess.run([program], env=environment(libraries), stdout=subprocess.PIPE, text=True)
    assert done.returncode == 0, done.stdout
