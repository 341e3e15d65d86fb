"""Read-only mode: a server without a quorum serves clients that only want to read. The same statements
hold for a server of Java."""

import os
import re

import pytest
from kazoo.exceptions import NotReadOnlyCallError
from kazoo.protocol.states import KeeperState

from pylib import zkwire as zk
from pylib.ensemble import Ensemble, stop_kazoo
from pylib.servers import REPO

GOLDEN = os.path.join(REPO, "test/golden/4lw/readonly")
TARGETS = ["paddock", "java"]
PROPS = {"readonlymode.enabled": "true"}


def started(target, local="true", **more):
    ensemble = Ensemble([target] * 3, config={"localSessionsEnabled": local, **more}, props=PROPS)
    ensemble.start()
    with ensemble[1].client() as client:
        client.create("/read", b"data")
        client.close_session()
    for member in ensemble.members[1:]:
        with member.client() as client:
            client.ok(zk.SYNC, zk.sync_request("/"))
            client.close_session()
    return ensemble


def cut_off(ensemble):
    """Server 1 is left alone."""
    for member in ensemble.members[1:]:
        member.kill()
    ensemble.wait(lambda: ensemble[1].mode() == "read-only", "read-only")
    return ensemble[1]


def whole_again(ensemble):
    for member in ensemble.members[1:]:
        if not member.alive():
            member.start()
    ensemble.wait_all()


@pytest.fixture(params=TARGETS, scope="module")
def alone(request):
    with started(request.param) as ensemble:
        yield cut_off(ensemble)


def test_who_reads_only_gets_a_session_and_is_told_so(alone):
    with alone.client(read_only=True) as client:
        assert client.response.read_only == 1
        assert client.session_id >> 56 == alone.id
        assert client.get_data("/read")[0] == b"data"
        assert client.get_children("/") == ["read", "zookeeper"]
        assert client.exists("/nothing", watch=True) is None
        assert client.is_open()
        reply = client.call(zk.SET_WATCHES, zk.set_watches_request(0, data=["/read"]), xid=zk.XID_SET_WATCHES)
        assert reply.err == zk.OK
        client.close_session()


@pytest.mark.parametrize("read_only", [False, None])
def test_who_wants_to_write_is_closed_without_a_word(alone, read_only):
    with alone.client(connect=False) as client:
        client.send_frame(zk.connect_request(read_only=read_only))
        client.expect_eof()


WRITES = {
    "create": (zk.CREATE, zk.create_request("/x")),
    "create2": (zk.CREATE2, zk.create_request("/x")),
    "ephemeral": (zk.CREATE, zk.create_request("/x", flags=zk.EPHEMERAL)),
    "createContainer": (zk.CREATE_CONTAINER, zk.create_request("/x", flags=zk.CONTAINER)),
    "createTTL": (zk.CREATE_TTL, zk.create_ttl_request("/x")),
    "delete": (zk.DELETE, zk.delete_request("/read")),
    "setData": (zk.SET_DATA, zk.set_data_request("/read", b"other")),
    "setACL": (zk.SET_ACL, zk.set_acl_request("/read")),
    "multi": (zk.MULTI, zk.multi_request((zk.CREATE, zk.create_request("/x")))),
    "check": (zk.CHECK, zk.check_version_request("/read")),
    "reconfig": (zk.RECONFIG, zk.reconfig_request()),
    "sync": (zk.SYNC, zk.sync_request("/read")),
    "a write that does not decode": (zk.CREATE, b"\x01"),
}


@pytest.mark.parametrize("write", WRITES)
def test_what_needs_a_quorum_is_refused_and_the_client_stays(alone, write):
    op, body = WRITES[write]
    with alone.client(read_only=True) as client:
        reply = client.call(op, body)
        if write == "check" and alone.target == "java" and reply.err == zk.UNIMPLEMENTED:
            client.expect_eof()  # release 3.9.5: everywhere
            with alone.client(read_only=True, session=client.session_id) as again:
                again.close_session()
            return
        assert (reply.err, reply.zxid, reply.body) == (zk.NOT_READ_ONLY, client.ping().zxid, b"")
        assert client.exists("/x") is None
        client.close_session()


def test_a_session_of_this_server_comes_back_until_it_is_closed(alone):
    with alone.client(read_only=True) as client:
        client.disconnect()
    with alone.client(read_only=True, session=client.session_id) as again:
        assert again.get_data("/read")[0] == b"data"
        again.close_session()
    with alone.client(connect=False) as late:
        late.send_frame(zk.connect_request(
            session_id=client.session_id, passwd=client.passwd, read_only=True))
        if alone.target == "java":
            assert late.recv_connect_response().session_id == 0
        else:  # what it does not know may live on where the quorum is
            late.expect_eof()


def test_a_silent_session_ends(alone):
    with alone.client(read_only=True, timeout_ms=1000) as client:
        client.expect_eof(wait=30)


def test_who_has_seen_more_is_closed(alone):
    with alone.client(connect=False) as client:
        client.send_frame(zk.connect_request(read_only=True, last_zxid_seen=1 << 40))
        client.expect_eof()


def golden(word):
    with open(os.path.join(GOLDEN, word + ".txt")) as file:
        return file.read()


def normal(text):
    for pattern, to in (
        (r"3\.\d\.\d-\S+, built on \d{4}-\d\d-\d\d \d\d:\d\d UTC", "<VERSION>"),
        (r"^ /.*\n", "<CONNECTION>\n"),
        (r"(<CONNECTION>\n)+", r"<CONNECTIONS>\n"),
        (r"Latency min/avg/max: \d+/\d+\.\d+/\d+", "Latency <N>"),
        (r"(Received|Sent|Node count|Connections|Outstanding)(: )\d+", r"\1\2<N>"),
        (r"Zxid: 0x[0-9a-f]+", "Zxid: <ZXID>"),
        (r"(dataDir|dataLogDir)=\S+/version-2", r"\1=<TMP>/version-2"),
        (r"(dataDirSize|dataLogSize|tickTime|maxClientCnxns|minSessionTimeout|maxSessionTimeout|initLimit"
         r"|syncLimit)=\d+", r"\1=<N>"),
        (r"([pP]ort)=\d+", r"\1=<PORT>"),
    ):
        text = re.sub(pattern, to, text, flags=re.MULTILINE)
    return text


@pytest.mark.parametrize("word", ["conf", "isro", "srvr", "stat", "ruok", "wchs", "wchc", "wchp", "crst", "srst"])
def test_words_are_answered_as_the_real_server_did(alone, word):
    with alone.client(read_only=True) as client:
        assert normal(alone.four_letter(word).decode()) == normal(golden(word))
        client.close_session()


def test_mntr_and_dump_tell_of_a_read_only_server_and_its_sessions(alone):
    with alone.client(read_only=True) as client:
        values = alone.mntr()
        assert values["zk_server_state"] == "read-only"
        assert (values["zk_local_sessions"], values["zk_global_sessions"]) == ("1", "0")
        assert "zk_quorum_size" not in values and "zk_peer_state" not in values
        dump = alone.four_letter("dump").decode()
        assert re.search(r"^Local Session Sets \(\d+\)/\(1\):", dump, re.MULTILINE)
        assert "\t0x%x\nGlobal Sessions(0):" % client.session_id in dump
        client.close_session()


def test_mntr_has_the_real_lines(alone):
    def keys(text):
        names = {line.split("\t")[0] for line in text.splitlines()}
        return {name for name in names if not name.endswith("_per_namespace")}

    assert not keys(golden("mntr")) - keys(alone.four_letter("mntr").decode())


@pytest.mark.parametrize("target", TARGETS)
def test_a_global_session_is_not_served_and_lives_on_where_the_quorum_is(target):
    with started(target, localSessionsUpgradingEnabled="true", maxSessionTimeout=60000) as ensemble:
        with ensemble[1].client(timeout_ms=60000) as client:
            client.create("/mine", flags=zk.EPHEMERAL)
            alone = cut_off(ensemble)
            client.expect_eof()
        with alone.client(connect=False) as again:
            again.send_frame(zk.connect_request(
                session_id=client.session_id, passwd=client.passwd, read_only=True))
            again.expect_eof()
        with alone.client(read_only=True) as reader:
            assert reader.exists("/mine").ephemeralOwner == client.session_id
            whole_again(ensemble)
            reader.expect_eof()  # when the quorum is back everybody is closed
        with ensemble[1].client(session=client.session_id) as back:
            assert back.response.read_only == 0
            assert back.exists("/mine").ephemeralOwner == client.session_id
            back.create("/written", b"")
            back.close_session()
        ensemble.check_no_trouble()


def test_a_client_library_reads_meanwhile_and_writes_when_the_quorum_is_back():
    with started("paddock") as ensemble:
        alone = cut_off(ensemble)
        client = alone.kazoo(read_only=True)
        try:
            assert client.client_state == KeeperState.CONNECTED_RO
            assert client.get("/read")[0] == b"data"
            with pytest.raises(NotReadOnlyCallError):
                client.create("/written", b"")
            whole_again(ensemble)
            ensemble.wait(lambda: client.client_state == KeeperState.CONNECTED, "a session that can write")
            client.retry(client.create, "/written", b"")
            assert client.exists("/written")
        finally:
            stop_kazoo(client)


@pytest.mark.parametrize("target", TARGETS)
def test_without_local_sessions_nobody_gets_one(target):
    with started(target, local="false") as ensemble:
        alone = cut_off(ensemble)
        with alone.client(connect=False) as client:
            client.send_frame(zk.connect_request(read_only=True))
            assert client.recv_frame() == zk.int32(0) + zk.int64(alone.zxid()) + zk.int32(zk.NOT_READ_ONLY)


def test_without_the_property_a_server_that_is_alone_serves_nobody():
    with Ensemble(["paddock"] * 3, config={"localSessionsEnabled": "true"}) as ensemble:
        ensemble.wait_all()
        for member in ensemble.members[1:]:
            member.kill()
        ensemble.wait(lambda: ensemble[1].mode() is None, "no leader")
        with ensemble[1].client(connect=False) as client:
            client.send_frame(zk.connect_request(read_only=True))
            client.expect_eof()
