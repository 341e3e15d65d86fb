"""The tool itself, tried on three of Java's servers, and what its comparisons find."""

import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402
from pylib import jdb, txnlog  # noqa: E402
from pylib import zkwire as zk  # noqa: E402
from pylib.ensemble import Ensemble, start_kazoo, stop_kazoo, tree_differences  # noqa: E402
from pylib.servers import free_port  # noqa: E402


@pytest.fixture
def java(shared):
    return shared("java", lambda: Ensemble(["java"] * 3))


def test_a_leader_is_killed_under_load_and_all_tell_the_same_afterwards(java):
    with Load(java) as load:
        load.wait_for(50)
        leader = java.wait_leader()
        leader.kill()
        assert java.wait_leader() is not leader
        load.wait_for(50)
        load.start(leader)
        load.wait_for(50)
        load.check()
    java.check_same()
    records = java[1].records()
    assert len(records) > 450
    assert max(records) >> 32 > min(records) >> 32, "two leaders, two epochs"
    assert java[1].epochs() == java[2].epochs()


def test_a_paused_server_has_no_mode_and_comes_back(java):
    follower = java.followers()[0]
    follower.pause()
    assert follower.mode() is None
    assert follower not in java.running()
    follower.resume()
    java.wait_all()
    java.wait(lambda: follower.mode() == "follower", "it follows")


def test_records_of_different_transactions_are_seen():
    record = txnlog.Record(1, 2, 3, 4, 5, b"transaction", "one")
    mine = {zxid: record._replace(zxid=zxid) for zxid in range(1, 6)}
    with_more = {z: r._replace(rest=r.rest + b"x" * 36, file="other") for z, r in mine.items()}
    assert not txnlog.differences(mine, with_more), "digest and trailer"
    assert not txnlog.differences(mine, {z: with_more[z] for z in (3, 4)}), "a shorter log"
    gap = {z: with_more[z] for z in (1, 2, 4, 5)}
    assert txnlog.differences(mine, gap) == ["0x3 is only in one"]
    wrong = dict(mine)
    wrong[4] = wrong[4]._replace(rest=b"transactioN")
    assert [text[:11] for text in txnlog.differences(mine, wrong)] == ["0x4 differs"]
    wrong[4] = record._replace(zxid=4, session=7)
    assert len(txnlog.differences(mine, wrong)) == 1


def test_trees_that_differ_are_seen(java):
    client = start_kazoo(java.hosts)
    try:
        client.create("/one", b"1")
    finally:
        stop_kazoo(client)
    java.wait_same_zxid()
    one, other = java[1].tree(), java[2].tree()
    assert tree_differences(one, other) == []
    data, stat, acls = other["/one"]
    other["/one"] = (b"2", stat, acls)
    del other["/zookeeper/quota"]
    assert [text.split(":")[0] for text in tree_differences(one, other)] == [
        "/one", "/zookeeper/quota"
    ]


# ZOOKEEPER-4537: this thread looks whether there is anything to do, and when there is not, it waits. What
# comes in between does not wake it.
COMMIT_PROCESSOR, BEFORE_IT_WAITS = "org.apache.zookeeper.server.quorum.CommitProcessor", 221


@pytest.mark.parametrize("leader", ["java", "paddock"])
def test_an_answer_that_a_follower_of_java_keeps_comes_with_a_ping(leader):
    """Whoever leads: the follower has the COMMIT. Later releases do not keep it."""
    if "ZK_CLASSPATH" in os.environ or shutil.which("jdb") is None:
        pytest.skip("needs the JDK's debugger and the line numbers of release 3.8.0")
    ensemble, port = Ensemble(["java", "java", leader]), free_port()
    follower = ensemble[1]
    follower.java_flags += jdb.flags(port)
    with ensemble:
        ensemble.make_leader(ensemble[3])
        with follower.client(timeout_ms=40000) as client, jdb.Debugger(port) as debugger:
            client.create("/kept", b"")
            commits = int(follower.mntr()["zk_request_commit_queued"])
            debugger.hold(COMMIT_PROCESSOR, BEFORE_IT_WAITS)
            xid = client.send(zk.SET_DATA, zk.set_data_request("/kept", b"1"))
            debugger.wait("Breakpoint hit")
            ensemble.wait(
                lambda: int(follower.mntr()["zk_request_commit_queued"]) > commits, "the COMMIT")
            debugger.let_go()
            assert client.recv().xid == xid
            client.set_data("/kept", b"2")
