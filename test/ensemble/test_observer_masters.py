"""Observers that learn from a follower: observerMasterPort, with our servers and Java's on either side."""

import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from kazoo.exceptions import NoNodeError  # noqa: E402

from load import Load  # noqa: E402
from pylib.ensemble import Ensemble, stop_kazoo  # noqa: E402
from pylib.servers import free_port  # noqa: E402

MIXTURES = [
    ["paddock"] * 4,
    ["paddock"] * 3 + ["java"],
    ["java"] * 3 + ["paddock"],
    ["java", "java", "paddock", "paddock"],
]


def observed(kinds):
    """Three voters and an observer, server 4."""
    config = {"observerMasterPort": str(free_port())}
    return Ensemble(kinds, observers=[4], config=config, own_hosts=True)


def master_of(ensemble):
    """Whom the observer says it learns from, once that one says so, too."""

    def both_say_so():
        if ensemble[4].mode() != "observer":
            return None
        master = ensemble[int(ensemble[4].mntr().get("zk_observer_master_id", "-1"))]
        if not master.alive() or master.mode() != "follower":
            return None
        return master if master.mntr().get("zk_synced_observers") == "1" else None

    return ensemble.wait(both_say_so, "an observer and its master")


@pytest.fixture(params=MIXTURES, ids="-".join)
def ensemble(request):
    with observed(request.param) as ensemble:
        ensemble.wait_all()
        yield ensemble


def test_an_observer_learns_from_a_follower_and_goes_on_with_another_when_that_is_killed(ensemble):
    with Load(ensemble) as load:
        load.wait_for(30)
        leader = ensemble.wait_leader()
        first = master_of(ensemble)
        assert leader.mntr()["zk_synced_observers"] == "0"
        client = ensemble[4].kazoo(timeout_s=40.0)  # it outlives the way to another master
        try:
            client.create("/at-observer", b"one", ephemeral=True)
            first.kill()
            second = master_of(ensemble)
            assert second not in (first, leader)
            ensemble.wait(lambda: client.connected, "the session goes on")
            client.sync("/")
            assert client.get("/at-observer")[0] == b"one"
            load.wait_for(30)
            first.start()
            ensemble.wait_all()
        finally:
            stop_kazoo(client)
        load.check()
    ensemble.check_same()


def test_clients_of_an_observer_read_write_and_hear_of_changes_through_its_master(ensemble):
    master_of(ensemble)
    there, leader = ensemble[4].kazoo(), ensemble.wait_leader().kazoo()
    heard = []
    try:
        there.create("/a", b"one")
        # A quorum without the leader may be enough: then its own disk is behind. And a leader of Java answers
        # a sync of its own client before it has applied all that it has committed.
        ensemble.wait(lambda: leader.exists("/a"), "the leader has it, too")
        assert leader.get("/a")[0] == b"one"
        there.get("/a", watch=heard.append)
        leader.set("/a", b"two")
        ensemble.wait(lambda: heard, "the event of a watch")
        assert there.get("/a")[0] == b"two"
        for i in range(20):
            leader.set("/a", b"%d" % i)
            there.sync("/")
            assert there.get("/a")[0] == b"%d" % i
        with pytest.raises(NoNodeError):
            there.set("/not-there", b"")
        there.transaction().commit()
    finally:
        stop_kazoo(there)
        stop_kazoo(leader)


def test_a_session_at_an_observer_lives_by_its_pings_and_ends_without_them(ensemble):
    master_of(ensemble)
    leader = ensemble.wait_leader().kazoo()
    try:
        with ensemble[4].client(timeout_ms=6000) as client:  # two servers pass its pings on
            client.create("/mine", b"", flags=1)
            for _ in range(24):  # twice its timeout
                time.sleep(0.5)
                client.ping()
            assert leader.exists("/mine")
            ensemble.wait(lambda: not leader.exists("/mine"), "the session ends")
    finally:
        stop_kazoo(leader)
