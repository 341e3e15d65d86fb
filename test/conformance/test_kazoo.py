"""What a real client library makes of it: kazoo, unmodified."""

import threading

import pytest
from kazoo.client import KazooClient, KazooState
from kazoo.exceptions import (
    BadVersionError,
    NoAuthError,
    NodeExistsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.retry import KazooRetry
from kazoo.security import make_digest_acl


@pytest.fixture
def kazoo(server):
    clients = []

    def start(server=server, **options):
        client = KazooClient(hosts=server.address, **options)
        client.start(15)
        clients.append(client)
        return client

    yield start
    for client in clients:
        client.stop()
        client.close()


def soon(event, wait=30):
    assert event.wait(wait), "waited %s s in vain" % wait


def test_nodes_are_made_read_changed_and_deleted(kazoo, path):
    zk = kazoo()
    assert zk.create(path + "/a", b"one") == path + "/a"
    data, stat = zk.get(path + "/a")
    assert (data, stat.version, stat.data_length) == (b"one", 0, 3)
    assert zk.set(path + "/a", b"two", version=0).version == 1
    with pytest.raises(BadVersionError):
        zk.set(path + "/a", b"x", version=0)
    with pytest.raises(NodeExistsError):
        zk.create(path + "/a")
    with pytest.raises(NotEmptyError):
        zk.delete(path)
    zk.ensure_path(path + "/deep/er/still")
    assert zk.get_children(path) and zk.exists(path + "/deep/er/still")
    zk.delete(path + "/deep", recursive=True)
    with pytest.raises(NoNodeError):
        zk.get(path + "/deep")
    assert zk.sync(path) == path
    assert zk.server_version()[0] == 3


def test_a_sequential_ephemeral_node_is_made_and_its_stat_returned(kazoo, path):
    zk = kazoo()
    made = zk.create(path + "/s-", b"", sequence=True, ephemeral=True, include_data=True)
    assert made[0] == path + "/s-0000000000"
    assert made[1].owner_session_id == zk.client_id[0]


def test_data_and_children_watchers_follow_changes(kazoo, path):
    zk, other = kazoo(), kazoo()
    seen, changed = [], threading.Event()
    lists, grown = [], threading.Event()

    @zk.DataWatch(path + "/d")
    def on_data(data, stat):
        seen.append(data)
        if data == b"last":
            changed.set()

    @zk.ChildrenWatch(path)
    def on_children(children):
        lists.append(sorted(children))
        if lists[-1] == ["d", "e"]:
            grown.set()

    other.create(path + "/d", b"first")
    other.create(path + "/e")
    other.set(path + "/d", b"last")
    soon(changed)
    soon(grown)
    assert seen[0] is None and seen[-1] == b"last"
    assert lists[0] == []


def test_a_transaction_is_all_or_nothing(kazoo, path):
    zk = kazoo()
    good = zk.transaction()
    good.create(path + "/a", b"1")
    good.set_data(path + "/a", b"2")
    good.check(path + "/a", 1)
    good.create(path + "/b")
    good.delete(path + "/b")
    results = good.commit()
    assert results[0] == path + "/a"
    assert results[1].version == 1
    bad = zk.transaction()
    bad.create(path + "/c")
    bad.check(path + "/a", 9)
    bad.create(path + "/d")
    results = bad.commit()
    assert [type(r) for r in results] == [RolledBackError, BadVersionError, RuntimeInconsistency]
    assert zk.get_children(path) == ["a"]


def test_a_digest_acl_keeps_others_out(kazoo, path):
    owner = kazoo(auth_data=[("digest", "me:secret")])
    stranger = kazoo()
    owner.create(path + "/mine", b"x", acl=[make_digest_acl("me", "secret", all=True)])
    assert owner.get(path + "/mine")[0] == b"x"
    with pytest.raises(NoAuthError):
        stranger.get(path + "/mine")
    stranger.add_auth("digest", "me:secret")
    assert stranger.get(path + "/mine")[0] == b"x"


def test_a_lock_goes_from_hand_to_hand(kazoo, path):
    first, second = kazoo(), kazoo()
    one, two = first.Lock(path + "/lock", "one"), second.Lock(path + "/lock", "two")
    assert one.acquire(timeout=10)
    assert not two.acquire(blocking=False)
    got = threading.Event()
    waiter = threading.Thread(target=lambda: two.acquire(timeout=20) and got.set())
    waiter.start()
    assert len(one.contenders()) >= 1
    one.release()
    soon(got)
    waiter.join(10)
    two.release()


def test_the_ephemerals_of_a_stopped_client_vanish(kazoo, path):
    zk, other = kazoo(), kazoo()
    other.create(path + "/e", ephemeral=True)
    gone = threading.Event()
    assert zk.exists(path + "/e", watch=lambda event: gone.set())
    other.stop()
    soon(gone)
    assert zk.exists(path + "/e") is None


def test_a_counter_shared_by_clients_adds_up(kazoo, path):
    clients = [kazoo() for _ in range(3)]

    def count(zk):
        counter = zk.Counter(path + "/counter")
        for _ in range(10):
            counter += 1

    threads = [threading.Thread(target=count, args=(zk,)) for zk in clients]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert clients[0].Counter(path + "/counter").value == 30


def test_a_session_lives_through_a_restart_of_the_server(kazoo, start_server):
    server = start_server()
    retry = KazooRetry(max_tries=-1, delay=0.05, backoff=1, max_delay=0.1)
    zk = kazoo(server, timeout=20, connection_retry=retry, command_retry=retry)
    states, back = [], threading.Event()

    def on_state(state):
        states.append(state)
        if state == KazooState.CONNECTED:
            back.set()

    zk.create("/e", b"", ephemeral=True)
    changed = threading.Event()
    zk.get("/e", watch=lambda event: changed.set())
    session = zk.client_id[0]
    zk.add_listener(on_state)
    server.restart(kill=True)
    soon(back, 30)
    assert states[0] == KazooState.SUSPENDED and KazooState.LOST not in states
    assert zk.client_id[0] == session
    zk.retry(zk.set, "/e", b"after")
    soon(changed)
    assert zk.get("/e")[1].owner_session_id == session


def test_four_letter_words_are_answered_through_the_library(kazoo):
    zk = kazoo()
    assert zk.command(b"ruok") == "imok"
    assert "zk_version" in zk.command(b"mntr")
