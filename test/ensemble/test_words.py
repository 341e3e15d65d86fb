"""What operators see of each role: four-letter words as the real server's members answered them
(test/golden/4lw), and the lines of the log."""

import os
import re

import pytest

from pylib.ensemble import Ensemble, stop_kazoo
from pylib.servers import REPO

GOLDEN = os.path.join(REPO, "test/golden/4lw")
ROLES = ("leader", "follower", "observer")
NOT_SERVING = "This ZooKeeper instance is not currently serving requests\n"
# Of Java's queues, one set for each learner; of namespaces; ours; of releases behind the recorded one.
OF_ONE_SIDE = r"_learner_handler_qp_|_per_namespace$|paddock_|_(restore|snapshot)_(error|rate)|_restore_time"
SESSIONS, CREATES = 4, 2


def golden(role, word):
    with open(os.path.join(GOLDEN, role, word + ".txt")) as file:
        return file.read()


def normal(text):
    for pattern, to in (
        (r"3\.\d\.\d-\S+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC", "<VERSION>"),
        (r"^ /.*", "<CONNECTION>"),
        (r"Latency min/avg/max: \d+/\d+\.\d+/\d+", "Latency <N>"),
        (r"(Received|Sent|Node count|Connections|dataDirSize|dataLogSize|serverId)(: |=)\d+", r"\1\2<N>"),
        (r"Zxid: 0x[0-9a-f]+", "Zxid: <ZXID>"),
        (r"(dataDir|dataLogDir)=\S+/version-2", r"\1=<TMP>/version-2"),
        (r"(tickTime|maxClientCnxns|minSessionTimeout|maxSessionTimeout|initLimit|syncLimit)=\d+", r"\1=<N>"),
        (r"([pP]ort)=\d+", r"\1=<PORT>"),
        (r"127\.0\.0\.1:\d+:\d+:", "<ADDRESS>:"),
        (r"(Proposal sizes last/min/max: )\d+/\d+/\d+", r"\1<N>"),
    ):
        text = re.sub(pattern, to, text, flags=re.MULTILINE)
    return text


@pytest.fixture(scope="module")
def roles():
    """One member of each role, after a session at each of the four servers and two creates."""
    # What stands still for some seconds is no election, and no session less.
    with Ensemble(["paddock"] * 4, observers=[4], config={"syncLimit": 40}) as ensemble:
        leader = ensemble.wait_all()
        clients = [member.kazoo(timeout_s=60.0) for member in ensemble.members]
        assert len(clients) == SESSIONS
        clients[0].create("/a", b"data")
        clients[0].create("/eph", b"", ephemeral=True)
        ensemble.wait_same_zxid()
        yield dict(leader=leader, follower=ensemble.followers()[0], observer=ensemble[4])
        for client in clients:
            stop_kazoo(client)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("word", ["srvr", "stat", "conf", "isro"])
def test_a_member_answers_as_the_real_server_of_its_role(roles, role, word):
    got = normal(roles[role].four_letter(word).decode())
    assert got.split("\n") == normal(golden(role, word)).split("\n")


@pytest.mark.parametrize("role", ROLES)
def test_mntr_of_a_role_has_the_real_lines_in_their_order(roles, role):
    def keys(text):
        names = [line.split("\t")[0] for line in text.splitlines()]
        return [name for name in names if not re.search(OF_ONE_SIDE, name)]

    got, want = keys(roles[role].four_letter("mntr").decode()), keys(golden(role, "mntr"))
    states = want.index("zk_quorum_size") + 1  # those that depend on the role stand before
    assert got[:states] == want[:states]
    assert not set(want) - set(got)


def counted(member, names):
    values = member.mntr()
    return {name: int(values["zk_" + name]) for name in names.split()}


def test_mntr_of_a_leader_tells_its_learners_and_what_it_proposed(roles):
    values = roles["leader"].mntr()
    assert values["zk_server_state"] == "leader"
    assert values["zk_peer_state"] == "leading - broadcast"
    assert counted(roles["leader"], "learners synced_followers synced_observers quorum_size"
                   " synced_non_voting_followers pending_syncs") == {
        "learners": 3, "synced_followers": 2, "synced_observers": 1, "quorum_size": 3,
        "synced_non_voting_followers": 0, "pending_syncs": 0}
    assert int(values["zk_proposal_count"]) == roles["leader"].zxid() & 0xFFFFFFFF >= SESSIONS + CREATES
    assert values["zk_commit_count"] == values["zk_proposal_count"]
    for name in ("quorum_ack_latency", "proposal_ack_creation_latency", "propagation_latency"):
        assert values["zk_cnt_" + name] == values["zk_proposal_count"], name
    assert counted(roles["leader"], "diff_count snap_count looking_count cnt_election_time"
                   " cnt_unavailable_time cnt_leader_unavailable_time cnt_follower_sync_time") == {
        "diff_count": 3, "snap_count": 0, "looking_count": 1, "cnt_election_time": 1,
        "cnt_unavailable_time": 1, "cnt_leader_unavailable_time": 1, "cnt_follower_sync_time": 0}
    assert 0 < int(values["zk_leader_uptime"]) <= int(values["zk_uptime"])


def test_a_leader_measures_its_proposals_as_the_real_one(roles):
    """A session's start is the smallest in both; it has the same bytes."""
    values = roles["leader"].mntr()
    assert values["zk_min_proposal_size"] == "48"
    assert "zk_min_proposal_size\t48\n" in golden("leader", "mntr")
    assert int(values["zk_max_proposal_size"]) > 48
    sizes = tuple(values["zk_%s_proposal_size" % which] for which in ("last", "min", "max"))
    assert "Proposal sizes last/min/max: %s/%s/%s\n" % sizes in roles["leader"].four_letter("srvr").decode()


def test_mntr_of_learners_tells_what_came_from_the_leader(roles):
    proposed = roles["leader"].mntr()["zk_proposal_count"]
    follower, observer = roles["follower"].mntr(), roles["observer"].mntr()
    assert follower["zk_peer_state"] == "following - broadcast"
    assert observer["zk_peer_state"] == "observing - broadcast"
    assert observer["zk_observer_master_id"] == str(roles["leader"].id)
    assert follower["zk_learner_proposal_received_count"] == proposed
    for values in (follower, observer):
        assert values["zk_learner_commit_received_count"] == proposed
        assert values["zk_request_commit_queued"] == proposed
        assert values["zk_cnt_commit_propagation_latency"] == proposed
        assert values["zk_proposal_count"] == values["zk_commit_count"] == "0"
    for name, of_follower, of_observer in (
        ("proposal_latency", proposed, "0"),
        ("proposal_ack_creation_latency", proposed, "0"),
        ("follower_sync_time", "1", "0"),
        ("observer_sync_time", "0", "1"),
    ):
        assert follower["zk_cnt_" + name] == of_follower, name
        assert observer["zk_cnt_" + name] == of_observer, name
    # A follower that reaches the elected leader too early looks for it again.
    assert int(follower["zk_cnt_election_time"]) >= 1 and observer["zk_cnt_election_time"] == "0"


@pytest.mark.parametrize("role", ("follower", "observer"))
def test_dump_of_a_learner_lists_all_sessions_and_not_when_they_end(roles, role):
    lines = roles[role].four_letter("dump").decode().split("\n")
    want = golden(role, "dump").split("\n")
    assert lines[0] == want[0] == "SessionTracker dump:"
    assert lines[1] == "Global Sessions(%d):" % SESSIONS and want[1] == "Global Sessions(3):"
    listed = lines[2 : 2 + SESSIONS]
    assert all(re.fullmatch(r"0x[0-9a-f]+\t\d+ms", line) for line in listed + want[2:5])
    assert listed == sorted(listed)
    assert lines[2 + SESSIONS] == want[5] == "ephemeral nodes dump:"


def lines_of(member, room):
    return [line.split(" - ", 2)[2] for line in member.log().splitlines() if "[%s]" % room in line]


def test_a_member_without_a_quorum_says_so_to_all_words_but_four_and_the_log_tells_its_way():
    with Ensemble(["paddock"] * 3) as ensemble:
        leader = ensemble.wait_all()
        follower, other = ensemble.followers()
        for member in (leader, other):
            member.kill()
        ensemble.wait(lambda: follower.mode() is None, "no leader")
        for word in ("conf cons crst dirs dump envi gtmk hash isro mntr ruok srst srvr stat wchc wchp"
                     " wchs").split():
            got, want = follower.four_letter(word).decode(), golden("not_serving", word)
            if word == "envi":
                assert got.split("\n")[0] == want.split("\n")[0] == "Environment:"
            else:
                assert got == want, word
        assert golden("not_serving", "srvr") == NOT_SERVING
        election, role = lines_of(follower, "election"), lines_of(follower, "ensemble")
    # A follower may reach the elected leader before that leads, is sent away, and looks again: the election
    # and the role count with which it came to serve.
    looking = "LOOKING: lastZxid=0x0 currentEpoch=0"
    assert election[0] == looking
    election = election[max(i for i, line in enumerate(election) if line == looking):]
    served = next(i for i, line in enumerate(role) if line.startswith("FOLLOWING: serving"))
    assert all(re.match("(the new role|FOLLOWING) ends: ", line) for line in role[:served - 2]), role
    role = role[served - 2:]
    assert re.fullmatch(r"FOLLOWING: server %d was elected, lastZxid=0x0, the election took \d+ ms"
                        % leader.id, election[1])
    assert election[2].startswith("LOOKING: lastZxid=0x")
    assert role[:2] == ["FOLLOWING: the new epoch is 1 (0x1)",
                        "FOLLOWING: the leader brings this server to its history by DIFF"]
    assert re.fullmatch(r"FOLLOWING: serving, epoch=1 lastZxid=0x0, after \d+ ms without service", role[2])
    assert role[3] == "FOLLOWING ends: the leader closed the connection"


def test_a_leader_with_leader_serves_no_leads_and_leaves_clients_to_the_others():
    ensemble = Ensemble(["paddock"] * 3, props={"zookeeper.leaderServes": "no"})
    try:
        for member in ensemble.members:
            member.start()
        ensemble.wait(lambda: len(ensemble.followers()) == 2, "two followers")
        leader = next(member for member in ensemble.members if member.mode() is None)
        assert leader.four_letter("srvr").decode() == NOT_SERVING
        assert any("leaderServes=no" in line for line in lines_of(leader, "ensemble"))
        client = ensemble.followers()[0].kazoo()
        client.create("/written", b"")
        stop_kazoo(client)
    finally:
        ensemble.close()
