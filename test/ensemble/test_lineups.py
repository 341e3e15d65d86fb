"""Paddock and Java in one ensemble, in both directions: who leads, who follows, who catches up how.

ENSEMBLE_ALL=java (or paddock) runs the same with servers of one kind: so the tests are tried themselves.
"""

import os
import sys

import pytest
from kazoo.exceptions import KazooException, NoNodeError

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "storage"))

from load import Load  # noqa: E402
from pylib import zkwire as zk  # noqa: E402
from pylib.ensemble import Ensemble, start_kazoo, stop_kazoo  # noqa: E402
from workload import JAVA_MODES, MODES, Workload  # noqa: E402

J, P = "java", "paddock"
ALL = os.environ.get("ENSEMBLE_ALL")
# Server 3 leads. Named after whoever is the exception.
LINEUPS = {
    "paddock-follows": (P, J, J),
    "paddock-leads": (J, J, P),
    "java-follows": (J, P, P),
    "java-leads": (P, P, J),
}
SNAP_COUNT = 100  # so small that a member that was away for long gets a snapshot


def ensemble_of(targets, **options):
    return Ensemble([ALL or target for target in targets], **options)


# All four take five minutes: ENSEMBLE_LINEUPS=all.
TRIED = LINEUPS if os.environ.get("ENSEMBLE_LINEUPS") == "all" else ["paddock-leads"]


@pytest.fixture(params=TRIED, scope="module")
def name(request):
    return request.param


@pytest.fixture
def lineup(shared, name):
    """All three run, and server 3 leads."""
    ensemble = shared(name, lambda: ensemble_of(LINEUPS[name]))
    ensemble.make_leader(ensemble[3])
    return ensemble


@pytest.fixture
def steady(shared, name):
    """The same, and no leader has died under load in it: a server of Java whose leader does may lose a
    transaction from its own log, which its next start shows (docs/compatibility.md). A leader whose followers
    are stopped goes on for 20 s."""
    ensemble = shared(name + ", steady", lambda: ensemble_of(LINEUPS[name], config={"syncLimit": 40}))
    ensemble.make_leader(ensemble[3])
    return ensemble


def write(ensemble, count):
    client = start_kazoo(ensemble.hosts)
    try:
        client.ensure_path("/written")
        root = client.create("/written/", b"", sequence=True)
        for i in range(count):
            client.create("%s/%d" % (root, i), b"%d" % i)
    finally:
        stop_kazoo(client)


# -- every operation, through every member


def test_every_operation_through_every_member_gives_one_tree(lineup):
    modes = JAVA_MODES if lineup[3].target == "java" else MODES
    lives = [Workload(member, seed, modes) for seed, member in enumerate(lineup.members)]
    for life in lives:
        life.run(150)
    lives[0].quota()
    for life in lives:
        for client in life.clients:
            client.close_session()
    lineup.check_same()


def test_a_write_is_seen_by_watch_and_read_at_all_members(lineup):
    clients = [member.kazoo() for member in lineup.members]
    try:
        clients[0].create("/watched", b"0")
        # Java's leader answers a sync of its own client before it has applied all that it has committed.
        lineup.wait(lambda: all(client.exists("/watched") for client in clients), "the znode everywhere")
        for round_number, writer in enumerate(clients, 1):
            seen = []
            for client in clients:
                client.sync("/watched")
                client.get("/watched", watch=lambda event: seen.append(event.type))
            writer.set("/watched", b"%d" % round_number)
            lineup.wait(lambda seen=seen: len(seen) == len(clients), "every client's event")
            assert set(seen) == {"CHANGED"}
            for client in clients:
                client.sync("/watched")
                assert client.get("/watched")[0] == b"%d" % round_number
    finally:
        for client in clients:
            stop_kazoo(client)


def test_a_session_moves_between_members_and_keeps_its_ephemerals(lineup):
    first = lineup[1].client(timeout_ms=20000)
    assert first.create("/mine", b"", flags=zk.EPHEMERAL) == "/mine"
    first.disconnect()
    for member in (lineup[3], lineup[2], lineup[1]):
        client = member.client(timeout_ms=20000, session=first.session_id, passwd=first.passwd)
        assert client.session_id == first.session_id
        client.set_data("/mine", b"moved")
        if member is lineup[1]:
            client.close_session()
        else:
            client.disconnect()
    with lineup[2].client() as other:
        other.call(zk.SYNC, zk.sync_request("/"))
        assert other.exists("/mine") is None
    lineup.check_same()


def test_a_session_that_is_silent_expires_everywhere(lineup):
    client = lineup[1].client(timeout_ms=6000)  # it lives until the znode is there, whoever stands still
    client.create("/short", b"", flags=zk.EPHEMERAL)
    client.disconnect()
    watcher = lineup[2].kazoo()
    try:
        lineup.wait(lambda: watcher.exists("/short") is None, "the end of the session")
    finally:
        stop_kazoo(watcher)
    lineup.check_same()


# -- leaders that come and go


def test_the_leader_is_killed_again_and_again_under_load(lineup):
    was_follower = False  # of a leader that died
    with Load(lineup) as load:
        for _ in range(3):
            load.wait_for(20)
            leader = lineup.wait_leader()
            leader.kill()
            lineup.wait_leader()
            load.wait_for(20)
            if leader.target == "java" and was_follower:
                leader.wipe()  # its log may lack a transaction: see steady()
            was_follower = True
            load.start(leader)
        load.check()
    lineup.check_same()


def test_a_leader_that_was_paused_comes_back_as_a_follower(lineup):
    leader = lineup.wait_leader()
    with Load(lineup, hosts=lineup.hosts_without(leader)) as load:
        load.wait_for(20)
        leader.pause()
        assert lineup.wait_leader() is not leader
        load.wait_for(20)
        leader.resume()
        lineup.wait(lambda: leader.mode() == "follower", "the old leader follows")
        load.wait_for(20)
        load.check()
    lineup.check_same()


# -- catching up: DIFF, SNAP, TRUNC


def test_a_member_that_was_away_for_a_moment_catches_up(steady):
    for member in (steady[1], steady[2]):
        write(steady, 20)
        member.stop()
        write(steady, 20)
        member.start()
        steady.wait_all()
        write(steady, 20)
    steady.check_same()


def test_an_empty_member_gets_everything():
    for targets in ((P, J, J), (J, P, P)):
        with ensemble_of(targets, config={"snapCount": SNAP_COUNT}) as ensemble:
            ensemble.make_leader(ensemble[3])
            write(ensemble, 6 * SNAP_COUNT)
            ensemble[1].stop()
            for name in os.listdir(ensemble[1].log_dir):
                os.remove(os.path.join(ensemble[1].log_dir, name))
            write(ensemble, SNAP_COUNT)
            ensemble[1].start()
            ensemble.wait_all()
            write(ensemble, 20)
            ensemble.check_same()


def test_what_only_a_dead_leader_has_is_taken_back(steady):
    """The others are stopped, so that a write reaches nobody's log but the leader's own."""
    write(steady, 20)
    steady.wait_same_zxid()
    leader, others = steady[3], (steady[1], steady[2])
    client = leader.kazoo(timeout_s=30.0)
    agreed = leader.zxid()  # its own log may lack the newest of it for now
    for other in others:
        other.pause()
    asked = [client.create_async("/alone%d" % i, b"") for i in range(5)]
    steady.wait(lambda: max(leader.records()) >= agreed + 5, "the leader's own log has them")
    leader.kill()
    stop_kazoo(client)
    for other in others:
        other.kill()  # with what waits in its sockets
        other.start()
    steady.wait_leader()
    write(steady, 20)
    leader.start()
    steady.wait_all()
    steady.check_same()
    for request in asked:
        with pytest.raises((KazooException, NoNodeError)):
            request.get(timeout=10)
    assert not [path for path in leader.tree() if path.startswith("/alone")]
    # A server of Java that got a snapshot keeps the record below it.
    assert agreed + 1 not in leader.records() or leader.snapshot_zxid() > agreed


# -- observers


@pytest.mark.parametrize("targets", [(J, J, J, P), (P, P, P, J)], ids=["ours", "java's"])
def test_an_observer_sees_all_and_has_no_vote(targets):
    with ensemble_of(targets, observers=(4,)) as ensemble:
        assert ensemble[4].mode() == "observer"
        with Load(ensemble) as load:
            load.wait_for(20)
            leader = ensemble.wait_leader()
            leader.kill()
            assert ensemble.wait_leader() is not ensemble[4]
            load.wait_for(20)
            load.start(leader)
            load.check()
        assert ensemble[4].mode() == "observer"
        ensemble.check_same()
