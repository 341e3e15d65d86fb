"""The life and the end of sessions (docs/protocol.md, "The life of a session")."""

import time

import pytest

from pylib.zkwire import *

from .conftest import end_session
from .util import eventually, kinds, pipeline, reattach

TICK_MS = 200
SLACK_MS = 600
# A silent connection is closed, too, at a multiple of this: that may come a moment before its session ends.
CONNECTIONS_MS = 600000
TICKING = {
    "tickTime": TICK_MS, "maxSessionTimeout": 60000, "nio.sessionlessCnxnTimeout": CONNECTIONS_MS
}
ticking = pytest.mark.server(config=TICKING)
DYING_MS = 6000  # of a session that is to expire, but not between two steps, where the machine stands still
EXPIRED_WAIT_S = 30.0


def refused(server, client):
    """Java closes every connection of a session that it ends: one that asks for it at that moment gets no
    answer, and asks again."""
    for last in (False, True):
        with server.client(connect=False) as raw:
            try:
                return raw.handshake(session=client.session_id, passwd=client.passwd).timeout == 0
            except Closed:
                if last or server.target != "java":
                    raise


@ticking
@pytest.mark.parametrize("timeout_ms", [400, 700, 1000])
def test_a_silent_session_expires_within_a_tick_of_its_timeout(server, connect, timeout_ms):
    for last in [False] * 9 + [True]:
        begun = time.monotonic()
        try:
            raw = connect(timeout_ms=timeout_ms)
            assert raw.timeout_ms == timeout_ms
            sent = time.monotonic()
            raw.ping()
        except Closed:  # it expired before it was told of it, or said anything: somebody stood still
            assert not last and (time.monotonic() - begun) * 1000 > timeout_ms - 10
            continue
        answered = time.monotonic()
        raw.expect_eof()
        ended = time.monotonic()
        assert (ended - sent) * 1000 > timeout_ms - 10
        silent_ms = (ended - answered) * 1000
        assert refused(server, raw)
        # A machine that stands still can only lengthen it: the shortest of some counts.
        if silent_ms <= timeout_ms + TICK_MS + SLACK_MS:
            return
        assert not last, silent_ms


@ticking
def test_expiry_deletes_ephemerals_and_tells_watchers(connect, path, client, release):
    other = connect(timeout_ms=DYING_MS)
    other.create(path + "/e", flags=EPHEMERAL)
    watcher = connect()
    watcher.exists(path + "/e", watch=True)
    watcher.get_children(path, watch=True)
    events = [watcher.wait_event(EXPIRED_WAIT_S), watcher.wait_event(EXPIRED_WAIT_S)]
    assert kinds(events) == [(NODE_DELETED, path + "/e"), (NODE_CHILDREN_CHANGED, path)]
    assert watcher.exists(path).numChildren == 0


@ticking
def test_expiry_counts_from_the_last_request_of_any_kind(connect):
    raw = connect(timeout_ms=5000)
    end = time.monotonic() + 11
    calls = [
        (PING, b""), (EXISTS, exists_request("/")), (SYNC, sync_request("/")),
        (SET_DATA, set_data_request("/missing")),
    ]  # fmt: skip
    n = 0
    while time.monotonic() < end:
        op, body = calls[n % len(calls)]
        raw.call(op, body, xid=XID_PING if op == PING else None)
        n += 1
        time.sleep(0.1)  # the silence that must not be too long
    assert raw.is_open()


@ticking
def test_a_session_reattached_with_a_longer_timeout_lives_by_it(server, connect):
    first = connect(timeout_ms=DYING_MS - 1000)
    second = connect(session=first.session_id, passwd=first.passwd, timeout_ms=DYING_MS)
    assert second.timeout_ms == DYING_MS
    sent = time.monotonic()
    second.ping()
    second.expect_eof(EXPIRED_WAIT_S)
    assert (time.monotonic() - sent) * 1000 > DYING_MS - 10


@ticking
def test_a_session_without_a_connection_expires_too(server, connect, client, path):
    watcher = connect()
    other = connect(timeout_ms=DYING_MS)
    other.create(path + "/e", flags=EPHEMERAL)
    watcher.exists(path + "/e", watch=True)
    other.disconnect()
    assert kinds([watcher.wait_event(EXPIRED_WAIT_S)]) == [(NODE_DELETED, path + "/e")]
    assert refused(server, other)


@ticking
def test_a_session_whose_connection_was_lost_waits_for_its_client(server, connect, path):
    other = connect()
    other.create(path + "/e", flags=EPHEMERAL)
    other.disconnect()
    again = connect(session=other.session_id, passwd=other.passwd)
    assert again.exists(path + "/e").ephemeralOwner == other.session_id


def test_close_session_answers_removes_ephemerals_and_closes(server, connect, client, path):
    other = connect()
    other.create(path + "/e", flags=EPHEMERAL)
    other.create(path + "/p")
    closed = other.call(CLOSE_SESSION)
    assert (closed.err, closed.body) == (OK, b"")
    other.expect_eof()
    assert client.get_children(path) == ["p"]
    assert client.exists(path).pzxid == closed.zxid
    assert refused(server, other)


def test_requests_behind_close_session_are_not_executed(connect, client, path):
    other = connect()
    create = create_request(path + "/late")
    other.send_bytes(
        frame(int32(1) + int32(CREATE) + create_request(path + "/early"))
        + frame(int32(2) + int32(CLOSE_SESSION))
        + frame(int32(3) + int32(CREATE) + create)
        + frame(int32(4) + int32(SET_DATA) + set_data_request(path, b"late"))
    )
    replies = []
    with pytest.raises(Closed):
        while True:
            replies.append(other.recv())
    assert [(r.xid, r.err) for r in replies[:2]] == [(1, OK), (2, OK)]
    assert all(r.err == SESSION_EXPIRED for r in replies[2:])
    assert client.get_children(path) == ["early"]
    assert client.get_data(path)[0] == b""


def test_ephemerals_of_pipelined_creates_go_with_the_session(connect, client, path):
    other = connect()
    other.send_bytes(
        b"".join(
            frame(int32(n) + int32(CREATE) + create_request(path + "/e%d" % n, flags=EPHEMERAL))
            for n in range(1, 20)
        )
        + frame(int32(20) + int32(CLOSE_SESSION))
    )
    assert [other.recv().err for _ in range(20)] == [OK] * 20
    assert client.get_children(path) == []


def test_session_ids_have_top_byte_1_on_a_standalone_server(connect):
    ids = [connect().session_id for _ in range(3)]
    assert [i >> 56 for i in ids] == [1, 1, 1]
    assert ids[1] > ids[0] and ids[2] > ids[1]


@pytest.mark.server(name="session ids")
def test_each_new_session_has_the_next_id(connect):
    ids = [connect().session_id for _ in range(5)]
    assert ids == list(range(ids[0], ids[0] + 5))


def test_create_session_sent_by_a_client_is_an_unknown_operation(server, connect, release):
    raw = connect()
    raw.send(CREATE_SESSION, int32(5000), xid=3)
    if release.create_session == "served":
        # real server: a whole ConnectResponse in the middle of the session.
        assert parse_connect_response(raw.recv_frame()).session_id == raw.session_id
    else:
        reply = raw.recv()
        assert (reply.xid, reply.err, reply.zxid) == (3, UNIMPLEMENTED, -1)
        raw.expect_eof()
        reattach(server, raw)


def test_a_connection_lost_without_close_session_leaves_the_session(server, connect, client, path):
    other = connect()
    other.create(path + "/e", flags=EPHEMERAL)
    other.disconnect()
    with reattach(server, other) as again:
        assert again.exists(path + "/e") is not None
        end_session(again)
    assert client.exists(path + "/e") is None


def test_a_session_may_move_between_connections_many_times(server, connect, path):
    first = connect()
    first.create(path + "/e", flags=EPHEMERAL)
    current = first
    for _ in range(20):
        following = connect(session=first.session_id, passwd=first.passwd)
        current.expect_eof()
        current = following
    assert current.exists(path + "/e").ephemeralOwner == first.session_id


def test_sessions_and_ephemerals_survive_a_restart(start_server):
    server = start_server()
    client = server.client()
    client.create("/p", b"kept")
    client.create("/e", flags=EPHEMERAL)
    zxid = client.ping().zxid
    for kill in (False, True):
        server.restart(kill=kill)
        again = server.client(
            session=client.session_id, passwd=client.passwd, last_zxid_seen=zxid
        )
        assert again.session_id == client.session_id
        assert again.get_data("/p")[0] == b"kept"
        assert again.exists("/e").ephemeralOwner == client.session_id
        assert again.ping().zxid >= zxid
    again.close_session()
    with server.client() as last:
        assert last.exists("/e") is None


def test_a_restarted_server_goes_on_with_the_next_zxid_and_version(start_server):
    server = start_server()
    with server.client() as client:
        client.create("/n")
        before = client.set_data("/n", b"one")
        client.create("/n/s", flags=2)
        last = client.ping().zxid
    server.restart()
    with server.client() as client:
        assert client.create("/n/s", flags=2) == "/n/s0000000001"
        after = client.set_data("/n", b"two", 1)
        assert (after.version, after.czxid, after.ctime) == (2, before.czxid, before.ctime)
        assert after.mzxid > last


def test_sessions_of_before_expire_after_a_restart_if_their_client_is_gone(start_server):
    server = start_server(TICKING)
    for last in [False] * 4 + [True]:
        client = server.client(timeout_ms=DYING_MS)
        client.create("/e", flags=EPHEMERAL)
        begun = time.monotonic()
        server.restart()
        with server.client() as watcher:
            if watcher.exists("/e", watch=True) is not None:
                assert kinds([watcher.wait_event(EXPIRED_WAIT_S)]) == [(NODE_DELETED, "/e")]
                return
        # Where the machine stands still for the whole fresh timeout, it may be gone: tried again.
        assert not last and (time.monotonic() - begun) * 1000 > DYING_MS, "it gets a fresh timeout"


def test_replies_of_many_connections_keep_their_own_order(connect, path):
    clients = [connect() for _ in range(10)]
    for n, client in enumerate(clients):
        client.send_bytes(
            b"".join(
                frame(int32(x) + int32(CREATE) + create_request(path + "/s", flags=2))
                if x % 2
                else frame(int32(x) + int32(GET_DATA) + get_data_request(path))
                for x in range(1, 41)
            )
        )
    numbers = []
    for client in clients:
        replies = [client.recv() for _ in range(40)]
        assert [r.xid for r in replies] == list(range(1, 41))
        own = [parse_path(r.body) for r in replies[0::2]]
        assert own == sorted(own)
        numbers += own
    assert len(set(numbers)) == 200


def test_a_client_that_stops_reading_disturbs_nobody(connect, client, path):
    client.set_data(path, b"x" * 100000)
    slow = connect()
    for n in range(40):
        slow.send(GET_DATA, get_data_request(path))
    started = time.monotonic()
    for n in range(20):
        client.create(path + "/n%d" % n)
    assert time.monotonic() - started < 30  # it would be for ever; the machine may stand still for seconds
    assert parse_data(slow.recv().body)[1].dataLength == 100000


def test_stat_and_cons_show_the_connection(server, client):
    assert b"sid=0x%x" % client.session_id in server.four_letter("cons")
    eventually(lambda: b"/127.0.0.1:" in server.four_letter("stat"))


def test_pipelining_a_thousand_writes_answers_all(client, path):
    replies = pipeline(client, *[(SET_DATA, set_data_request(path, b"%d" % n)) for n in range(1000)])
    assert [parse_stat(r.body).version for r in replies] == list(range(1, 1001))


@pytest.mark.server(config={"globalOutstandingLimit": 1})
def test_a_global_outstanding_limit_of_1_slows_and_refuses_nothing(connect, client, path):
    others = [connect() for _ in range(3)]
    for other in others:
        other.send_bytes(
            b"".join(
                frame(int32(n) + int32(SET_DATA) + set_data_request(path)) for n in range(1, 101)
            )
        )
    for other in others:
        assert [other.recv().err for _ in range(100)] == [OK] * 100
    assert client.exists(path).version == 300
