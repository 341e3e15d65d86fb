"""Our servers and Java's in one ensemble, in both majorities and every role."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402
from pylib import zkwire as zk  # noqa: E402
from pylib.ensemble import Ensemble  # noqa: E402

MIXTURES = [
    ["java", "java", "paddock"],
    ["paddock", "java", "java"],
    ["paddock", "paddock", "java"],
    ["java", "paddock", "paddock"],
]


@pytest.mark.parametrize("kinds", MIXTURES, ids="-".join)
def test_each_server_is_killed_under_load_and_all_tell_the_same_afterwards(kinds):
    with Ensemble(kinds) as ensemble:
        # The first leader is the last that is killed: a server of Java whose leader died under load is not to
        # start from its files again (docs/compatibility.md).
        ensemble.make_leader(ensemble[3])
        with Load(ensemble) as load:
            for member in ensemble.members:
                load.wait_for(30)
                member.kill()
                ensemble.wait_leader()
                load.wait_for(30)
                load.start(member)
            load.wait_for(30)
            load.check()
            ensemble.check_same()


@pytest.mark.parametrize("kinds", MIXTURES[:3:2], ids="-".join)
def test_a_server_of_the_other_kind_gets_a_snapshot(kinds):
    with Ensemble(kinds) as ensemble, Load(ensemble) as load:
        ensemble.wait_all()
        lonely = next(m for m in ensemble.members if kinds.count(m.target) == 1)
        lonely.kill()
        ensemble.wait_leader()
        load.wait_for(30)
        lonely.wipe()
        lonely.start()
        ensemble.wait_all()
        load.wait_for(30)
        load.check()
        ensemble.check_same()


def test_an_observer_of_each_kind_follows():
    with Ensemble(["paddock", "java", "paddock", "java", "paddock"], observers=[4, 5]) as ensemble:
        with Load(ensemble) as load:
            ensemble.wait_all()
            load.wait_for(50)
            leader = ensemble.wait_leader()
            leader.kill()
            ensemble.wait_leader()
            load.wait_for(50)
            load.start(leader)
            load.check()
        ensemble.check_same()


def test_java_s_servers_are_replaced_one_by_one_and_replaced_back():
    with Ensemble(["java"] * 3) as ensemble:
        ensemble.make_leader(ensemble[3])  # the last that is replaced: see above
        with Load(ensemble) as load:
            for target in ("paddock", "java"):
                for member in ensemble.members:
                    load.wait_for(30)
                    member.stop()
                    member.target = target
                    load.start(member)
            load.wait_for(30)
            load.check()
            ensemble.check_same()


@pytest.mark.parametrize(
    "kinds, counted",
    [(["paddock", "java", "java"], 3), (["java", "paddock", "paddock"], 0)],
    ids=["java-leads", "paddock-leads"],
)
def test_a_wrong_digest_of_a_leader_of_java_is_counted_alike_by_servers_of_both_kinds(kinds, counted):
    """A plain create with flags 4 makes a persistent znode; a leader of Java takes it for a container
    in the digest."""
    with Ensemble(kinds) as ensemble:
        leader = ensemble.make_leader(ensemble[3])
        with leader.client() as client:
            for i in range(3):
                client.create("/one%d" % i, b"", flags=zk.CONTAINER)
                client.create("/two%d" % i, b"")
            client.close_session()
        ensemble.wait_same_zxid()
        found = [int(member.mntr()["zk_digest_mismatches_count"]) for member in ensemble.members]
        assert found == [counted] * 3
        ensemble.check_same_trees()


@pytest.mark.parametrize(
    "kinds", [["java", "java", "paddock"], ["paddock", "paddock", "paddock"]], ids="-".join
)
def test_a_learner_gets_what_the_leader_has_no_more_in_memory_from_its_log_files(kinds):
    """A leader that was started again has nothing in memory."""
    with Ensemble(kinds, config={"snapshotSizeFactor": "0", "snapCount": "50"}) as ensemble:
        ensemble.wait_all()
        with Load(ensemble) as load:
            load.wait_for(40)
            ensemble[1].kill()
            load.wait_for(200)
        ensemble.wait_same_zxid()
        ensemble[3].kill()
        ensemble[3].start()
        assert ensemble.wait_leader() is ensemble[3]
        ensemble[1].start()
        ensemble.wait_all()
        mntr = ensemble[3].mntr()
        assert (mntr["zk_diff_count"], mntr["zk_snap_count"]) == ("2", "0"), ensemble.last_lines(60)
        ensemble.check_same()
