"""Keys of zoo.cfg that only show among several servers."""

import re
import socket

import pytest

from pylib import zkwire as zk
from pylib.ensemble import CONFIG, Ensemble

def started(**config):
    ensemble = Ensemble(["paddock"] * 3, config=config)
    try:
        ensemble.start()
    except BaseException:
        ensemble.close()
        raise
    return ensemble

def test_a_server_without_weight_never_leads_and_counts_for_no_quorum():
    with started(**{"group.1": "1:2:3", "weight.1": 1, "weight.2": 1, "weight.3": 0}) as ensemble:
        for _ in range(2):
            leader = ensemble.wait_all()
            assert leader is not ensemble[3]
            leader.kill()
            ensemble.wait(lambda: ensemble[3].mode() is None, "no quorum without the leader")
            leader.start()
        ensemble.wait_all()
        ensemble[3].kill()
        assert ensemble.wait_leader() in ensemble.members[:2]

def test_groups_need_a_majority_of_groups():
    groups = {"group.1": "1", "group.2": "2", "group.3": "3", "weight.1": 5, "weight.2": 1, "weight.3": 1}
    with started(**groups) as ensemble:
        leader = ensemble.wait_all()
        ensemble[1].kill()  # most of the weight, and one of three groups
        assert ensemble.wait_leader() in ensemble.members[1:]
        assert leader.alive() or leader is ensemble[1]

def test_the_second_address_of_a_server_is_used_when_nobody_is_at_the_first():
    ensemble = Ensemble(["paddock"] * 3, props={"zookeeper.multiAddress.enabled": "true"})
    try:
        for member in ensemble.members:
            for other in ensemble.members:
                if other is not member:
                    dead = other.line().replace("127.0.0.1", "127.0.0.9")
                    member.config["server.%d" % other.id] = dead + "|" + other.line()
        ensemble.start()
        ensemble.wait_leader().kill()
        ensemble.wait_leader()
    finally:
        ensemble.close()

@pytest.mark.parametrize("everywhere", ["true", "false"])
def test_quorum_listen_on_all_ips_opens_the_ports_at_all_addresses(everywhere):
    def open_at(host, port):
        try:
            socket.create_connection((host, port), 5).close()
            return True
        except ConnectionRefusedError:
            return False

    with started(quorumListenOnAllIPs=everywhere) as ensemble:
        leader = ensemble.wait_all()
        for port in (leader.election_port, leader.quorum_port):
            assert open_at("127.0.0.1", port)
            assert open_at("127.0.0.3", port) == (everywhere == "true")

def test_a_single_server_with_standalone_enabled_false_leads_itself():
    ensemble = Ensemble(["paddock"], config={"standaloneEnabled": "false"})
    with ensemble:
        assert ensemble.wait_leader() is ensemble[1]
        with ensemble[1].client() as client:
            client.create("/alone", b"")
            client.ok(zk.SYNC, zk.sync_request("/alone"))
            assert client.get_data(CONFIG)[0].startswith(b"server.1=")
            client.close_session()

def test_peer_type_is_overruled_by_the_server_line_and_that_is_told():
    ensemble = Ensemble(["paddock"] * 3)
    try:
        ensemble[1].config["peerType"] = "observer"
        ensemble.start()
        assert ensemble[1].mode() in ("leader", "follower")
        assert "Peer type from servers list (PARTICIPANT) doesn't match peerType (OBSERVER)" in ensemble[1].log()
    finally:
        ensemble.close()

def test_a_key_without_effect_is_told_at_the_start():
    with started(**{"observerMaster.sizeLimit": 1000}) as ensemble:
        assert "observerMaster.sizeLimit=1000 has no effect: for observers" in ensemble[1].log()

def refusals(member, path):
    """What a client of this member may not do below and with `path`, which it makes: (error, has a zxid)."""
    shut = [(1, "world", "anyone")]  # reading only
    unproved = [(31, "auth", "")]
    with member.client() as client:
        client.create(path, acls=shut)
        asked = [
            client.call(zk.CREATE, zk.create_request(path + "/a")),
            client.call(zk.DELETE, zk.delete_request(path + "/a")),
            client.call(zk.SET_DATA, zk.set_data_request(path, b"")),
            client.call(zk.SET_ACL, zk.set_acl_request(path, shut)),
            client.call(zk.CREATE, zk.create_request(path + "-2", acls=unproved)),
            client.call(zk.SET_DATA, zk.set_data_request(path + "-away", b"")),
            client.call(zk.CREATE, zk.create_request(path + "-away/a")),
            client.call(zk.MULTI, zk.multi_request((zk.SET_DATA, zk.set_data_request(path, b"")))),
        ]
        client.create(path + "-last")
        return [(reply.err, reply.zxid > 0) for reply in asked]


@pytest.mark.parametrize("kind", ["paddock", "java"])
def test_enable_eager_acl_check_refuses_at_the_clients_own_server(kind):
    eagerly = [(zk.NO_AUTH, False)] * 4 + [(zk.INVALID_ACL, False)] + [(zk.NO_NODE, True)] * 2
    with Ensemble([kind] * 3, props={"zookeeper.enableEagerACLCheck": "true"}) as ensemble:
        leader = ensemble.wait_all()
        for member in (leader, ensemble.followers()[0]):
            assert refusals(member, "/shut-%d" % member.id)[:7] == eagerly
        ensemble.check_same()


def test_without_enable_eager_acl_check_the_leader_refuses_with_a_transaction():
    with started() as ensemble:
        ensemble.wait_all()
        answers = refusals(ensemble.followers()[0], "/shut")
        assert [err for err, _ in answers[:5]] == [zk.NO_AUTH] * 4 + [zk.INVALID_ACL]
        assert all(has_zxid for _, has_zxid in answers)


@pytest.mark.parametrize("kinds", [["java", "java", "paddock"], ["paddock", "paddock", "java"]], ids="-".join)
def test_close_session_txn_enabled_false_leaves_the_paths_out_of_the_log(kinds):
    CLOSE_SESSION = -11
    with Ensemble(kinds, props={"zookeeper.closeSessionTxn.enabled": "false"}) as ensemble:
        ensemble.wait_all()
        ensemble.make_leader(ensemble[3])
        for member in ensemble.members:
            with member.client() as client:
                client.create("/gone-%d" % member.id, flags=zk.EPHEMERAL)
                client.close_session()
        ensemble.check_same()
        for member in ensemble.members:
            closes = [record for record in member.records().values() if record.type == CLOSE_SESSION]
            assert len(closes) >= 3 and all(b"/gone-" not in record.rest for record in closes)
            member.kill()
        for member in ensemble.members:
            member.start()
        with ensemble.wait_all().client() as client:
            assert not [name for name in client.get_children("/") if name.startswith("gone-")]
        ensemble.check_same()


@pytest.mark.parametrize("kinds, options", [
    (["paddock"] * 4, {"config": {"syncEnabled": "false"}}),
    (["java"] * 3 + ["paddock"], {"props": {"zookeeper.observer.syncEnabled": "false"}}),
    (["paddock"] * 3 + ["java"], {"config": {"syncEnabled": "false"}}),
], ids=["paddock", "paddock-behind-java", "java-behind-paddock"])
def test_an_observer_with_sync_enabled_false_writes_nothing_and_has_everything_again_after_a_kill(kinds, options):
    def logged(member):
        return [zxid for zxid in member.records() if zxid > before]

    def write(member, first, count):
        with member.client() as client:
            for i in range(first, first + count):
                client.create("/written-%d" % i, b"")

    with Ensemble(kinds, observers=[4], **options) as ensemble:
        ensemble.wait_all()
        before = ensemble.wait_leader().zxid()
        snapshots = ensemble[4].files("snapshot")
        write(ensemble[4], 0, 50)
        leader = ensemble.wait_leader()  # its followers' logs are enough for an answer: its own may be later
        ensemble.wait(lambda: len(logged(leader)) >= 50, "the leader's own log has them")
        assert logged(ensemble[4]) == [] and ensemble[4].files("snapshot") == snapshots
        ensemble[4].kill()
        ensemble[4].start()
        ensemble.wait_all()
        write(ensemble[4], 50, 10)
        ensemble.wait_leader().kill()  # it goes on with the next leader from what it has in memory
        write(ensemble.wait_leader(), 60, 10)
        ensemble.wait_same_zxid()
        with ensemble[4].client() as client:
            assert len(client.get_children("/")) == 71
        ensemble.check_same_trees()


@pytest.mark.parametrize("kind", ["paddock", "java"])
def test_who_connects_for_the_election_and_says_nothing_is_closed_after_quorum_cnxn_timeout(kind):
    with Ensemble([kind] * 3, config={"syncLimit": 600, "quorumCnxnTimeoutMs": 200}) as ensemble:
        with socket.create_connection(("127.0.0.1", ensemble[1].election_port), 30) as silent:
            silent.settimeout(30)  # syncLimit alone would be five minutes
            assert silent.recv(1) == b""

def way_of_a_follower_that_was_away(ensemble, writes):
    leader = ensemble.wait_all()
    follower = ensemble.followers()[0]
    follower.kill()
    with leader.client() as client:
        for i in range(writes):
            client.create("/written-%d" % i, b"")
    before = len(follower.log())
    follower.start()
    ensemble.wait_all()
    ensemble.check_same()
    return re.search(r"brings this server to its history by (\w+)", follower.log()[before:]).group(1)

@pytest.mark.parametrize("config, way", [
    ({}, "DIFF"),
    ({"commitLogCount": 500}, "SNAP"),
    ({"commitLogCount": 700}, "DIFF"),
    ({"forceSnapshotSync": "true"}, "SNAP"),
])
def test_how_a_follower_is_synchronised_that_lacks_600_transactions(config, way):
    with started(snapshotSizeFactor=-1, **config) as ensemble:  # not from the log files
        assert way_of_a_follower_that_was_away(ensemble, writes=600) == way

def wait_mode(ensemble, member, mode):
    ensemble.wait(lambda: member.mode() == mode, "%r is %s" % (member, mode))

@pytest.mark.parametrize("kinds", [["paddock", "paddock"], ["java", "paddock"]], ids="-".join)
def test_one_of_two_servers_goes_on_alone_while_its_oracle_says_1(kinds, tmp_path):
    def oracle(member):
        return tmp_path / ("oracle-%d" % member.id)

    ensemble = Ensemble(kinds)
    try:
        for member in ensemble.members:
            member.config["oraclePath"] = str(oracle(member))
            oracle(member).write_text("0\n")
        ensemble.start()
        away, alone = ensemble.members
        away.kill()
        wait_mode(ensemble, alone, None)
        oracle(alone).write_text("1\n")
        wait_mode(ensemble, alone, "leader")
        with alone.client() as client:
            client.create("/alone", b"")
        away.start()
        assert ensemble.wait_all() is alone
        with away.client() as client:
            client.create("/together", b"")
        ensemble.wait_same_zxid()
        away.kill()
        with alone.client() as client:
            client.create("/alone/again", b"")
        oracle(alone).write_text("0\n")
        wait_mode(ensemble, alone, None)
        away.start()
        ensemble.wait_all()
        ensemble.check_same()
    finally:
        ensemble.close()
