"""kazoo, unmodified: the program of the first tutorial, and every recipe it comes with."""

import subprocess
import sys
import threading
import time
import uuid

import pytest
from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    LockTimeout,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
)
from kazoo.protocol.states import EventType
from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.partitioner import PartitionState
from kazoo.security import make_digest_acl, make_digest_acl_credential
from start import started

WAIT_S = 60


class Await:
    """A condition to wait for; set from callbacks."""

    def __init__(self):
        self.condition = threading.Condition()
        self.values = []

    def __call__(self, *values):
        with self.condition:
            self.values.append(values[0] if len(values) == 1 else values)
            self.condition.notify_all()

    def until(self, what, wait=WAIT_S):
        with self.condition:
            if not self.condition.wait_for(lambda: what(self.values), wait):
                raise AssertionError("not in %s s; so far: %r" % (wait, self.values))
            return list(self.values)


def eventually(check, wait=WAIT_S):
    """For states that no event announces."""
    deadline = time.monotonic() + wait
    while not check():
        assert time.monotonic() < deadline, "did not come true in %s s" % wait
        time.sleep(0.01)


@pytest.fixture
def connect(server):
    """Makes clients, and closes them at the end of the test."""
    clients = []

    def make(chroot="", **options):
        client = KazooClient(hosts=server.address + chroot, timeout=10.0, **options)
        clients.append(client)
        client.start(timeout=20)
        return client

    yield make
    for client in clients:
        client.stop()
        client.close()


@pytest.fixture
def zk(connect):
    return connect()


@pytest.fixture
def path():
    return "/" + uuid.uuid4().hex


def in_thread(work, *args):
    thread = threading.Thread(target=work, args=args, daemon=True)
    thread.start()
    return thread


def joined(*threads):
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()


# -- the first program


PROGRAM = """\
#!/usr/bin/python3
from kazoo.client import KazooClient

zk = KazooClient(hosts='%s')
zk.start()

zk.create('/zkapp/test',b'this is a test',makepath=True)
data=zk.get('/zkapp/test')
print(data)
zk.stop()
"""


def test_the_first_python_program_prints_what_it_wrote(server, tmp_path, zk):
    program = tmp_path / "zookeepe_test.py"
    program.write_text(PROGRAM % server.address)
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(b'this is a test', ZnodeStat(czxid="), done.stdout
    assert "version=0, cversion=0, aversion=0, ephemeralOwner=0, dataLength=14" in done.stdout
    assert zk.get("/zkapp/test")[0] == b"this is a test"
    again = subprocess.run([sys.executable, str(program)], capture_output=True, text=True)
    assert again.returncode == 1 and "NodeExistsError" in again.stderr


# -- plain operations


def test_every_operation_of_kazoo_works(zk, path):
    assert zk.client_state == "CONNECTED" and zk.state == KazooState.CONNECTED
    assert zk.server_version() >= (3, 8)
    assert zk.create(path, b"one") == path
    created, stat = zk.create(path + "/kid", b"k", include_data=True)
    assert created == path + "/kid" and stat.version == 0 and stat.dataLength == 1
    assert zk.create(path + "/s-", sequence=True) == path + "/s-0000000001"
    assert zk.create(path + "/e", ephemeral=True) == path + "/e"
    assert zk.get(path + "/e")[1].owner_session_id == zk.client_id[0]
    assert zk.set(path, b"two", version=0).version == 1
    data, stat = zk.get(path)
    assert (data, stat.version, stat.children_count) == (b"two", 1, 3)
    assert sorted(zk.get_children(path)) == ["e", "kid", "s-0000000001"]
    names, stat = zk.get_children(path, include_data=True)
    assert len(names) == 3 and stat.cversion == 3
    assert zk.exists(path + "/none") is None
    assert zk.exists(path).version == 1
    assert zk.sync(path) == path
    with pytest.raises(BadVersionError):
        zk.set(path, b"x", version=0)
    with pytest.raises(NotEmptyError):
        zk.delete(path)
    with pytest.raises(NodeExistsError):
        zk.create(path)
    with pytest.raises(NoNodeError):
        zk.create(path + "/no/parent")
    assert zk.ensure_path(path + "/deep/er/still")
    zk.delete(path, recursive=True)
    assert zk.exists(path) is None


def test_a_transaction_is_all_or_nothing(zk, path):
    with zk.transaction() as good:
        good.create(path, b"a")
        good.create(path + "/b", b"b", ephemeral=True)
        good.check(path, version=0)
        good.set_data(path, b"c", version=0)
    assert zk.get(path)[0] == b"c"
    bad = zk.transaction()
    bad.create(path + "/never")
    bad.delete(path + "/missing")
    bad.set_data(path, b"x")
    results = bad.commit()
    assert isinstance(results[0], RolledBackError) and isinstance(results[1], NoNodeError)
    assert zk.exists(path + "/never") is None and zk.get(path)[0] == b"c"


def test_digest_acls_protect_a_node(zk, connect, path):
    acl = make_digest_acl("alice", "secret", all=True)
    zk.add_auth("digest", "alice:secret")
    zk.create(path, b"private", acl=[acl])
    stranger = connect()
    with pytest.raises(NoAuthError):
        stranger.get(path)
    stranger.add_auth("digest", "alice:secret")
    assert stranger.get(path)[0] == b"private"
    acls, _ = stranger.get_acls(path)
    assert acls[0].id.id == make_digest_acl_credential("alice", "secret")
    zk.set_acls(path, [make_digest_acl("bob", "x", read=True)])
    with pytest.raises(NoAuthError):
        zk.get(path)


def test_ephemerals_go_with_their_session_and_watchers_hear_of_it(zk, connect, path):
    owner, heard = connect(), Await()
    owner.create(path, ephemeral=True)
    assert zk.exists(path, watch=heard)
    owner.stop()
    event = heard.until(lambda got: got)[0]
    assert (event.type, event.path) == (EventType.DELETED, path)
    assert zk.exists(path) is None


def test_a_chroot_is_seen_as_the_root(zk, connect, path):
    zk.ensure_path(path)
    inside = connect(chroot=path)
    inside.create("/kid", b"v")
    assert zk.get(path + "/kid")[0] == b"v"
    assert inside.get_children("/") == ["kid"]


def test_a_thousand_pipelined_requests_are_answered_in_order(zk, path):
    zk.create(path)
    results = [zk.create_async(path + "/n-", b"%d" % i, sequence=True) for i in range(1000)]
    names = [result.get(WAIT_S) for result in results]
    assert names == [path + "/n-%010d" % i for i in range(1000)]
    reads = [zk.get_async(name) for name in names]
    assert [read.get(WAIT_S)[0] for read in reads] == [b"%d" % i for i in range(1000)]


def test_a_client_survives_the_loss_of_its_connection_with_its_session(zk, path):
    states, heard = Await(), Await()
    zk.create(path, ephemeral=True)
    session = zk.client_id[0]
    zk.add_listener(states)
    zk._connection._socket.shutdown(2)  # as a network does that breaks
    states.until(lambda got: got == [KazooState.SUSPENDED, KazooState.CONNECTED])
    assert zk.client_id[0] == session
    assert zk.exists(path, watch=heard) is not None
    zk.set(path, b"after")
    assert heard.until(lambda got: got)[0].type == EventType.CHANGED


# -- recipes


def test_lock_is_held_by_one_at_a_time_in_the_order_asked(connect, path):
    first, second, third = connect(), connect(), connect()
    lock = first.Lock(path, "first")
    assert lock.acquire()
    order, threads = Await(), []
    for client, name in ((second, "second"), (third, "third")):

        def work(client=client, name=name):
            with client.Lock(path, name):
                order(name)

        waiting = len(lock.contenders())
        threads.append(in_thread(work))
        eventually(lambda: len(lock.contenders()) == waiting + 1)
    assert lock.contenders() == ["first", "second", "third"]
    with pytest.raises(LockTimeout):
        second.Lock(path, "impatient").acquire(timeout=0.1)
    assert not second.Lock(path, "impatient").acquire(blocking=False)
    lock.release()
    assert order.until(lambda got: len(got) == 2) == ["second", "third"]
    joined(*threads)


def test_a_lock_falls_free_when_its_holder_goes(connect, path):
    holder, heir, got = connect(), connect(), threading.Event()
    lock = holder.Lock(path, "holder")
    lock.acquire()

    def work():
        with heir.Lock(path, "heir"):
            got.set()

    thread = in_thread(work)
    eventually(lambda: len(lock.contenders()) == 2)
    holder.stop()
    assert got.wait(WAIT_S)
    joined(thread)


def test_readers_share_a_lock_and_a_writer_has_it_alone(connect, path):
    one, two, writer = connect(), connect(), connect()
    read_one, read_two = one.ReadLock(path, "r1"), two.ReadLock(path, "r2")
    assert read_one.acquire() and read_two.acquire()
    write = writer.WriteLock(path, "w")
    assert not write.acquire(blocking=False)
    read_one.release()
    assert not write.acquire(blocking=False)
    read_two.release()
    assert write.acquire(timeout=WAIT_S)
    assert not one.ReadLock(path, "r3").acquire(blocking=False)
    write.release()
    assert one.ReadLock(path, "r3").acquire(timeout=WAIT_S)


def test_a_semaphore_lets_in_as_many_as_it_has_leases(connect, path):
    clients = [connect() for _ in range(3)]
    semaphores = [
        client.Semaphore(path, "s%d" % i, max_leases=2) for i, client in enumerate(clients)
    ]
    assert semaphores[0].acquire() and semaphores[1].acquire()
    assert not semaphores[2].acquire(blocking=False)
    assert sorted(semaphores[0].lease_holders()) == ["s0", "s1"]
    thread = in_thread(semaphores[2].acquire)
    semaphores[0].release()
    joined(thread)
    assert sorted(semaphores[1].lease_holders()) == ["s1", "s2"]


def test_an_election_has_one_leader_after_the_other(connect, path):
    leaders, go_on = Await(), threading.Semaphore(0)
    elections = []

    def lead(name):
        leaders(name)
        go_on.acquire(timeout=WAIT_S)

    threads = []
    for name in ("a", "b", "c"):
        election = connect().Election(path, name)
        elections.append(election)
        threads.append(in_thread(election.run, lead, name))
        eventually(lambda: len(elections[0].contenders()) == len(elections))
    assert leaders.until(lambda got: got) == ["a"]
    assert elections[0].contenders() == ["a", "b", "c"]
    for count in (2, 3):
        go_on.release()
        assert leaders.until(lambda got: len(got) == count) == ["a", "b", "c"][:count]
    go_on.release()
    joined(*threads)


def test_a_queue_gives_out_by_priority_then_age(zk, connect, path):
    queue = zk.Queue(path)
    for value, priority in ((b"one", 100), (b"two", 100), (b"urgent", 10)):
        queue.put(value, priority)
    assert len(queue) == 3
    other = connect().Queue(path)
    assert [other.get() for _ in range(4)] == [b"urgent", b"one", b"two", None]


def test_a_locking_queue_hands_an_entry_to_one_consumer(zk, connect, path):
    queue, other = zk.LockingQueue(path), connect().LockingQueue(path)
    queue.put_all([b"one", b"two"])
    assert queue.get(timeout=WAIT_S) == b"one"
    assert other.get(timeout=WAIT_S) == b"two"
    assert queue.holds_lock() and queue.consume() and not queue.holds_lock()
    assert other.release()
    assert queue.get(timeout=WAIT_S) == b"two" and queue.consume()
    assert len(queue) == 0
    late = []
    thread = in_thread(lambda: late.append(queue.get(timeout=WAIT_S)))
    other.put(b"three")
    joined(thread)
    assert late == [b"three"]


def test_a_barrier_holds_until_it_is_removed(zk, connect, path):
    barrier = zk.Barrier(path)
    barrier.create()
    waiter = connect().Barrier(path)
    assert waiter.wait(timeout=0.1) is False
    passed = []
    thread = in_thread(lambda: passed.append(waiter.wait(timeout=WAIT_S)))
    assert barrier.remove() is True
    joined(thread)
    assert passed == [True]
    assert barrier.remove() is False


def test_a_double_barrier_lets_all_in_together_and_out_together(connect, path):
    log = Await()

    def work(client, name):
        barrier = client.DoubleBarrier(path, 3, name)
        barrier.enter()
        log("in")
        barrier.leave()
        log("out")

    clients = [connect() for _ in range(3)]
    threads = [in_thread(work, clients[0], "0"), in_thread(work, clients[1], "1")]
    eventually(lambda: len(clients[2].get_children(path) if clients[2].exists(path) else []) == 2)
    assert log.values == []
    threads.append(in_thread(work, clients[2], "2"))
    joined(*threads)
    assert sorted(log.values) == ["in"] * 3 + ["out"] * 3


def test_a_party_knows_who_is_there(connect, path):
    clients = [connect() for _ in range(2)]
    parties = [client.Party(path, "p%d" % i) for i, client in enumerate(clients)]
    for party in parties:
        party.join()
    assert sorted(parties[0]) == ["p0", "p1"] and len(parties[1]) == 2
    parties[0].leave()
    assert list(parties[1]) == ["p1"]
    clients[1].stop()
    assert len(parties[0]) == 0


def test_a_shallow_party_knows_who_is_there(connect, path):
    parties = [connect().ShallowParty(path, "p%d" % i) for i in range(3)]
    for party in parties:
        party.join()
    assert sorted(parties[0]) == ["p0", "p1", "p2"]
    parties[2].leave()
    assert len(parties[0]) == 2


def test_a_counter_counts_what_many_add(connect, path):
    clients = [connect() for _ in range(3)]

    def work(client):
        counter = client.Counter(path)
        for _ in range(20):
            counter += 2
            counter -= 1

    joined(*[in_thread(work, client) for client in clients])
    assert clients[0].Counter(path).value == 60
    real = clients[0].Counter(path + "-real", default=1.5)
    real += 2.25
    assert real.value == 3.75


def test_a_data_watch_sees_every_value_it_is_told_to_wait_for(zk, connect, path):
    seen, other = Await(), connect()
    zk.DataWatch(path, lambda data, stat: seen(data))
    other.create(path, b"1")
    seen.until(lambda got: got[-1] == b"1")
    other.set(path, b"2")
    seen.until(lambda got: got[-1] == b"2")
    other.delete(path)
    seen.until(lambda got: got[-1] is None)
    other.create(path, b"3")
    assert seen.until(lambda got: got[-1] == b"3") == [None, b"1", b"2", None, b"3"]


def test_a_children_watch_sees_children_come_and_go(zk, connect, path):
    zk.create(path)
    seen, other = Await(), connect()
    zk.ChildrenWatch(path, lambda children: seen(sorted(children)))
    for change, wanted in (
        (lambda: other.create(path + "/a"), ["a"]),
        (lambda: other.create(path + "/b"), ["a", "b"]),
        (lambda: other.delete(path + "/a"), ["b"]),
    ):
        change()
        seen.until(lambda got: got[-1] == wanted)
    assert seen.values == [[], ["a"], ["a", "b"], ["b"]]


def test_a_set_is_partitioned_among_the_parties_and_again_when_one_leaves(connect, path):
    work = set(range(6))
    clients = [connect() for _ in range(2)]
    parts = [
        client.SetPartitioner(path, set=work, identifier="p%d" % i, time_boundary=0.2)
        for i, client in enumerate(clients)
    ]

    def settle(partitioners, done):
        deadline = time.monotonic() + 2 * WAIT_S
        while not done():
            assert time.monotonic() < deadline, [p.state for p in partitioners]
            for part in partitioners:
                if part.state == PartitionState.RELEASE:
                    part.release_set()
                elif part.state == PartitionState.ALLOCATING:
                    part.wait_for_acquire(0.05)
                assert not part.failed

    settle(parts, lambda: all(p.acquired and len(list(p)) == 3 for p in parts))
    assert set(parts[0]) | set(parts[1]) == work and not set(parts[0]) & set(parts[1])
    parts[1].finish()
    settle(parts[:1], lambda: parts[0].acquired and set(parts[0]) == work)
    parts[0].finish()


def test_a_tree_cache_mirrors_a_subtree(zk, connect, path):
    other, events = connect(), Await()
    other.ensure_path(path + "/a/b")
    cache = TreeCache(zk, path)
    cache.listen(lambda event: events(event.event_type))
    cache.start()
    events.until(lambda got: TreeEvent.INITIALIZED in got)
    assert sorted(cache.get_children(path)) == ["a"]
    other.create(path + "/a/c", b"new")
    eventually(lambda: cache.get_data(path + "/a/c") is not None)
    assert cache.get_data(path + "/a/c").data == b"new"
    other.set(path + "/a/c", b"newer")
    eventually(lambda: cache.get_data(path + "/a/c").data == b"newer")
    other.delete(path + "/a/b")
    eventually(lambda: sorted(cache.get_children(path + "/a")) == ["c"])
    events.until(lambda got: TreeEvent.NODE_REMOVED in got)
    cache.close()


def test_a_lease_is_kept_until_it_ends(connect, path):
    import datetime

    one, two = connect(), connect()
    assert one.NonBlockingLease(path, datetime.timedelta(minutes=5), identifier="one")
    assert not two.NonBlockingLease(path, datetime.timedelta(minutes=5), identifier="two")
    assert two.MultiNonBlockingLease(2, path + "-many", datetime.timedelta(minutes=5), "two")
    assert one.MultiNonBlockingLease(2, path + "-many", datetime.timedelta(minutes=5), "one")
    assert not one.MultiNonBlockingLease(2, path + "-many", datetime.timedelta(minutes=5), "three")


def test_kazoo_sees_the_answers_to_four_letter_words(zk):
    assert zk.command(b"ruok") == "imok"
    assert "Mode: standalone" in zk.command(b"srvr")


def test_a_client_of_a_server_that_restarts_keeps_session_and_data(pytestconfig, tmp_path):
    server = started(pytestconfig.getoption("--target"))
    # By itself it waits twice as long behind each attempt: while a busy server starts, the session would end.
    retry = {"max_tries": -1, "delay": 0.05, "max_delay": 0.5}
    client = KazooClient(hosts=server.address, timeout=20.0, connection_retry=retry)
    try:
        states = Await()
        client.start(timeout=20)
        client.add_listener(states)
        client.create("/kept", b"v", ephemeral=True)
        session = client.client_id[0]
        server.kill()
        states.until(lambda got: got)
        server.start()
        states.until(lambda got: got[-1] == KazooState.CONNECTED)
        assert client.client_id[0] == session and client.get("/kept")[0] == b"v"
    finally:
        client.stop()
        client.close()
        server.close()
