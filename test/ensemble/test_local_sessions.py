"""Local sessions: known to one server only, until the first ephemeral. The same statements hold for
ensembles of Paddock, of Java, and of both, with a leader of each kind."""

import os
import re
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from pylib import zkwire as zk  # noqa: E402
from pylib.ensemble import WAIT_S, Ensemble  # noqa: E402

J, P = "java", "paddock"
# Server 3 leads: of servers that have the same, the one with the highest id does.
LINEUPS = {"paddock": (P, P, P), "java": (J, J, J), "paddock-leads": (J, P, P), "java-leads": (P, P, J)}
TRIED = list(LINEUPS) if os.environ.get("ENSEMBLE_LINEUPS") == "all" else ["paddock", "java-leads"]
# Whom the client asks: two servers of an ensemble.
PLACES = {"leader": (3, 2), "follower": (2, 3)}


def started(targets, upgrading):
    # The leader remains the same for all tests: it waits long for a server that stands still. And no silent
    # connection is closed a moment before its session ends, as at a multiple of 10 s otherwise.
    keys = {"localSessionsEnabled": "true", "localSessionsUpgradingEnabled": upgrading, "syncLimit": 40,
            "nio.sessionlessCnxnTimeout": 600000}
    ensemble = Ensemble(targets, config=keys)
    ensemble.start()
    ensemble.make_leader(ensemble[3])
    with ensemble[3].client() as client:
        client.create("/first")  # until the epoch has a transaction, only the leader counts it
        client.close_session()
    ensemble.wait(lambda: len({member.zxid() for member in ensemble.members}) == 1, "the same zxid")
    return ensemble


@pytest.fixture(params=TRIED, scope="module")
def upgrading(request):
    with started(LINEUPS[request.param], "true") as ensemble:
        yield ensemble


@pytest.fixture(params=TRIED, scope="module")
def strict(request):
    with started(LINEUPS[request.param], "false") as ensemble:
        yield ensemble


@pytest.fixture(params=PLACES)
def places(request):
    return PLACES[request.param]


def dump(member):
    return member.four_letter("dump").decode()


def local_sessions(member):
    return int(member.mntr()["zk_local_sessions"])


def global_sessions(member):
    return int(member.mntr()["zk_global_sessions"])


def zxid_of(client, least=0):
    """Of the ensemble, not of a server that may be behind. Java's leader answers a sync of its own client
    before it has applied all that it has committed: least is awaited there."""
    end = time.monotonic() + WAIT_S
    while True:
        client.ok(zk.SYNC, zk.sync_request("/"))
        zxid = client.ping().zxid
        if zxid >= least or time.monotonic() > end:
            return zxid


def reattach(member, client):
    """The answer to a client that comes back with its session. Java closes every connection of a session that
    it ends: one that asks for it at that moment gets no answer, and asks again."""
    for last in (False, True):
        with member.client(connect=False) as again:
            try:
                return again.handshake(session=client.session_id).session_id == client.session_id
            except zk.Closed:
                if last or member.target != "java":
                    raise


def node(places, name):
    return "/%s-%d" % (name, places[0])


def test_a_new_session_takes_no_zxid_and_no_other_server_knows_it(upgrading, places):
    here, there = (upgrading[place] for place in places)
    with here.client() as one:
        before, known = zxid_of(one), local_sessions(here)
        with here.client() as other:
            assert zxid_of(other) == zxid_of(one) == before
            assert other.response.read_only == 0
            assert other.session_id >> 56 == here.id
            assert local_sessions(here) == known + 1
            assert global_sessions(here) == global_sessions(there) == 0
            shown = "0x%x" % other.session_id
            assert re.search(r"Local Session Sets \(\d+\)/\(%d\):" % (known + 1), dump(here))
            # Before the re-attachment: Java names the id that a refused connection asked for until it is gone.
            assert shown in dump(here) and shown not in dump(there)
            assert not reattach(there, other)
            assert other.close_session().zxid == before
        assert local_sessions(here) == known
        one.close_session()


def test_a_local_session_comes_back_at_its_own_server_until_it_is_closed(upgrading, places):
    here = upgrading[places[0]]
    with here.client() as one:
        one.disconnect()
        assert reattach(here, one)
        with here.client(session=one.session_id) as again:
            again.close_session()
        assert not reattach(here, one)


def test_a_local_session_reads_writes_and_watches(upgrading, places):
    here, there = (upgrading[place] for place in places)
    path = node(places, "written")
    with here.client() as one, there.client() as other:
        zxid = zxid_of(one)
        one.create(path, b"1")
        assert zxid_of(one) == zxid + 1
        assert one.get_data(path, watch=True)[0] == b"1"
        assert other.ok(zk.SYNC, zk.sync_request(path))
        other.set_data(path, b"2")
        assert one.wait_event().path == path
        for client in (one, other):
            client.close_session()
    assert global_sessions(here) == 0


@pytest.mark.parametrize("how", ["create", "create2", "sequential", "multi"])
def test_the_first_ephemeral_makes_the_session_known_to_all(upgrading, places, how):
    here, there = (upgrading[place] for place in places)
    path = node(places, "ephemeral-" + how)
    request = zk.create_request(path, flags=zk.EPHEMERAL)
    with here.client() as one:
        zxid, known = zxid_of(one), local_sessions(here)
        if how == "create":
            one.create(path, flags=zk.EPHEMERAL)
        elif how == "create2":
            one.ok(zk.CREATE2, request)
        elif how == "sequential":
            path = one.create(path, flags=zk.EPHEMERAL_SEQUENTIAL)
        else:
            one.multi((zk.CREATE, zk.create_request(path + "-kept")), (zk.CREATE, request))
        assert zxid_of(one) == zxid + 2
        assert (local_sessions(here), global_sessions(here)) == (known - 1, 1)
        assert one.exists(path).ephemeralOwner == one.session_id
        one.create(path + "-second", flags=zk.EPHEMERAL)
        assert zxid_of(one) == zxid + 3
        one.disconnect()
        with there.client(session=one.session_id) as moved:
            assert zxid_of(moved, zxid + 3) == zxid + 3
            assert moved.exists(path).ephemeralOwner == one.session_id
            assert moved.close_session().zxid == zxid + 4
    with here.client() as other:
        assert zxid_of(other, zxid + 4) == zxid + 4
        assert other.exists(path) is None
        other.close_session()


def test_requests_sent_behind_the_first_ephemeral_are_answered_in_order(upgrading, places):
    here = upgrading[places[0]]
    path = node(places, "pipelined")
    with here.client() as one:
        zxid = zxid_of(one)
        sent = [one.send(zk.CREATE, zk.create_request(path))]
        sent.append(one.send(zk.CREATE, zk.create_request(path + "/e", flags=zk.EPHEMERAL)))
        sent += [one.send(zk.CREATE, zk.create_request("%s/%d" % (path, i))) for i in range(20)]
        sent.append(one.send(zk.GET_CHILDREN, zk.get_children_request(path)))
        sent.append(one.send(zk.CLOSE_SESSION))
        replies = [one.recv() for _ in sent]
        assert [reply.xid for reply in replies] == sent
        assert {reply.err for reply in replies} == {0}
        assert len(zk.parse_children(replies[-2].body)) == 1 + 20
        assert replies[-1].zxid == zxid + 1 + 1 + 1 + 20 + 1  # a node, a session, a node, nodes, the end


@pytest.mark.parametrize("ephemeral", [False, True])
def test_a_silent_session_ends_and_takes_its_ephemerals_with_it(upgrading, places, ephemeral):
    here, there = (upgrading[place] for place in places)
    path = node(places, "silent")
    with there.client() as other, here.client(timeout_ms=6000) as one:
        if ephemeral:
            one.create(path, flags=zk.EPHEMERAL)
        zxid = zxid_of(other, zxid_of(one))
        if ephemeral:
            assert other.exists(path, watch=True)
        one.expect_eof(wait=30)
        assert not reattach(here, one)
        if ephemeral:
            assert other.wait_event().path == path
        assert zxid_of(other) == zxid + (1 if ephemeral else 0)
        other.close_session()


def test_a_session_that_pings_lives(upgrading, places):
    here = upgrading[places[0]]
    with here.client(timeout_ms=6000) as one, here.client() as clock:
        for _ in range(16):  # for longer than its timeout
            with pytest.raises(zk.Timeout):
                clock.recv(wait=0.5)
            assert one.is_open()
        one.close_session()
        clock.close_session()


def test_without_upgrading_a_local_session_gets_no_ephemeral(strict, places):
    here = strict[places[0]]
    path = node(places, "refused")
    create = zk.create_request(path, flags=zk.EPHEMERAL)
    with here.client() as one:
        zxid = zxid_of(one)
        for op in (zk.CREATE, zk.CREATE2):
            assert one.call(op, create).err == zk.EPHEMERAL_ON_LOCAL_SESSION
        assert zxid_of(one) == zxid + 2
        reply = one.call(zk.MULTI, zk.multi_request(
            (zk.CREATE, zk.create_request(path)), (zk.CREATE, create)))
        errors = [result.value if result.type == zk.ERROR_OP else 0 for result in zk.parse_multi(reply.body)]
        by = zk.EPHEMERAL_ON_LOCAL_SESSION if here.mode() == "leader" else zk.SESSION_EXPIRED
        assert errors == [0, by]
        one.create(path)
        assert zxid_of(one) == zxid + 4
        assert local_sessions(here) > 0 and global_sessions(here) == 0
        one.close_session()


def test_all_servers_have_the_same_afterwards(upgrading):
    upgrading.check_no_trouble()
