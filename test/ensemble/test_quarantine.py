"""Members that lost something they had promised: they say so, do not vote, are repaired by the leader, and
vote again. With leaders of both kinds. And one that lost nothing, but whose tree is not what it should be."""

import os

import pytest

from pylib import txnlog
from pylib.ensemble import Ensemble, stop_kazoo
from pylib.snapshot import sealed

NOTES = 40


def write(ensemble, name):
    client = ensemble[1].kazoo()
    for i in range(NOTES):
        client.create("/%s-%02d" % (name, i), b"x" * 100)
    stop_kazoo(client)
    ensemble.wait_same_zxid()


def change_a_byte(member):
    """In the middle of what was acknowledged."""
    path = os.path.join(member.log_dir, member.files("log")[-1])
    with open(path, "r+b") as file:
        at = file.read().rindex(b"-05") + 20
        file.seek(at)
        file.write(b"y")


def lose_all_data(member):
    for prefix in ("log", "snapshot"):
        for name in member.files(prefix):
            os.remove(os.path.join(member.log_dir, name))


def lose_the_snapshots(member):
    for name in member.files("snapshot"):
        os.remove(os.path.join(member.log_dir, name))


def forget_the_promise(member):
    with open(os.path.join(member.log_dir, "acceptedEpoch"), "w") as file:
        file.write("many")


def in_quarantine(member):
    return os.path.exists(os.path.join(member.log_dir, "quarantine"))


def has(member, name):
    return len([path for path in member.tree() if path.startswith("/%s-" % name)])


LOSSES = [
    (change_a_byte, "is damaged at byte"),
    (lose_all_data, "there is neither a snapshot nor a log: it is missing."),
    (lose_the_snapshots, "part of the data is missing."),
    (forget_the_promise, "what this server promised is unknown."),
]


@pytest.mark.parametrize("others", ["paddock", "java"])
def test_a_server_that_lost_what_it_promised_is_repaired_and_then_votes(others):
    with Ensemble(["paddock", others, others], config={"initLimit": 8}) as ensemble:
        ensemble.wait_all()
        lost = ensemble[1]
        for number, (loss, words) in enumerate(LOSSES):
            name = "write%d" % number
            write(ensemble, name)
            lost.kill()
            loss(lost)
            before = len(lost.log())
            lost.start()
            ensemble.wait(lambda: "This server is in quarantine" in lost.log()[before:], "it says so")
            assert words in lost.log()[before:], lost.log()[before:]
            assert "does not start" not in lost.log()[before:]
            ensemble.wait(lambda: lost.mode() == "follower", "it follows")
            assert not in_quarantine(lost)
            assert "by SNAP" in lost.log()[before:]
            assert has(lost, name) == NOTES
            follower = next(m for m in ensemble.followers() if m is not lost)
            follower.kill()  # now its vote is needed for everything
            client = lost.kazoo()
            client.create("/needs-it%d" % number, b"")
            stop_kazoo(client)
            follower.start()
            ensemble.wait_all()
        ensemble.check_same_trees()
        ensemble.check_no_trouble()


def lose_a_record(member, inside):
    """Of the log: the one that has these bytes, from its checksum to its end mark."""
    path = os.path.join(member.log_dir, member.files("log")[-1])
    with open(path, "rb") as file:
        data = file.read()
    at = txnlog.HEAD.size
    while True:
        _, size = txnlog.FRAME.unpack_from(data, at)
        end = at + txnlog.FRAME.size + size + 1
        if inside in data[at:end]:
            break
        at = end
    with open(path, "wb") as file:
        file.write(data[:at] + data[end:])


def test_a_log_of_java_that_lacks_a_transaction_is_repaired():
    """Java may lose one when it is killed while its leader brings it in step, and starts on what is left."""
    with Ensemble(["java"] * 3) as ensemble:
        ensemble.wait_all()
        lost = ensemble[1]
        write(ensemble, "java")
        lost.kill()
        lose_a_record(lost, b"/java-05")
        lost.target = "paddock"
        before = len(lost.log())
        lost.start()
        ensemble.wait(lambda: "This server is in quarantine" in lost.log()[before:], "it says so")
        ensemble.wait(lambda: lost.mode() == "follower", "it follows")
        assert not in_quarantine(lost)
        assert "transactions are missing in front of it" in lost.log()[before:]
        assert "by SNAP" in lost.log()[before:]
        assert has(lost, "java") == NOTES
        ensemble.check_same_trees()
        ensemble.check_no_trouble()


def test_a_server_that_lost_its_data_elects_nobody_with_one_that_lacks_it():
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        one, lost, third = ensemble.members
        one.kill()
        client = lost.kazoo()
        for i in range(NOTES):
            client.create("/late-%02d" % i, b"")
        stop_kazoo(client)
        lost.kill()
        third.kill()
        lose_all_data(lost)
        one.start()
        lost.start()
        ensemble.wait(lambda: "This server is in quarantine" in lost.log(), "it says so")
        ensemble.wait(lambda: "LOOKING" in lost.log().rsplit("This server is in quarantine", 1)[-1],
                      "it looks for a leader")
        lost.kill()  # a crash does not end it
        lost.start()
        ensemble.wait(lambda: lost.log().count("This server is in quarantine") == 2, "again")
        assert not ensemble.leaders()
        third.start()
        ensemble.wait_all()
        assert [has(member, "late") for member in ensemble.members] == [NOTES] * 3
        assert not in_quarantine(lost)
        ensemble.check_same()


def test_an_empty_server_that_may_not_begin_with_nothing_joins_the_others_without_a_vote():
    with Ensemble(["paddock"] * 3) as ensemble:
        ensemble.wait_all()
        write(ensemble, "kept")
        replaced = ensemble[1]
        replaced.kill()
        replaced.wipe()
        replaced.start(props={"zookeeper.db.autocreate": "false"})
        ensemble.wait(lambda: "This server is in quarantine" in replaced.log(), "it says so")
        ensemble.wait_all()
        assert has(replaced, "kept") == NOTES
        ensemble.check_same()


def newest_snapshot(member):
    path = os.path.join(member.log_dir, member.files("snapshot")[-1])
    with open(path, "rb") as file:
        return path, file.read()


def change_the_tree(member):
    """The data of one znode, in its newest snapshot, of which all checksums are right then."""
    path, old = newest_snapshot(member)
    tree, digest, zxid = old[:-67], old[-54:-34], old[-21:-13]
    assert sealed(tree, digest, zxid) == old
    with open(path, "wb") as file:
        file.write(sealed(tree.replace(b"x" * 100, b"y" * 100, 1), digest, zxid))


@pytest.mark.parametrize("others", ["paddock", "java"])
def test_a_server_whose_tree_is_another_one_takes_the_leaders_and_is_not_elected(others):
    props = {"zookeeper.snapCount": "20"}
    with Ensemble([others, others, "paddock"], config={"initLimit": 8}, props=props) as ensemble:
        changed = ensemble[3]  # as the others, it would be elected
        write(ensemble, "same")
        ensemble.wait(lambda: b"x" * 100 in newest_snapshot(changed)[1], "a snapshot")
        for member in ensemble.members:
            member.kill()
        change_the_tree(changed)
        before = len(changed.log())
        for member in ensemble.members:
            member.start()
        ensemble.wait_all()
        assert "this server takes everything from its leader" in changed.log()[before:]
        assert "by SNAP" in changed.log()[before:]
        assert changed.mode() == "follower"
        ensemble.check_same_trees()
