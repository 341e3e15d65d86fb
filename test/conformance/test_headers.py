"""Xids and zxids of reply headers (docs/protocol.md, "Replies")."""

import pytest

from pylib.zkwire import *

from .util import pipeline

# Alone on its server: these tests count transactions.
pytestmark = pytest.mark.server(name="zxids")


@pytest.mark.parametrize("xid", [-2, 1, 77, -8, 2147483647])
def test_ping_answers_xid_minus_2_and_the_last_zxid(client, xid):
    last = client.ping().zxid
    client.send(PING, xid=xid)
    assert client.recv() == Reply(XID_PING, last, OK, b"")


def test_a_write_is_answered_with_the_zxid_of_its_node(client, path):
    reply = client.ok(CREATE2, create_request(path + "/a"))
    assert parse_path_stat(reply.body)[1].czxid == reply.zxid
    reply = client.ok(SET_DATA, set_data_request(path + "/a", b"x"))
    assert parse_stat(reply.body).mzxid == reply.zxid
    assert client.exists(path + "/a").mzxid == reply.zxid


def test_a_failed_write_takes_a_zxid(client, path):
    zxid = client.ok(CREATE, create_request(path + "/a")).zxid
    failures = [
        (CREATE, create_request(path + "/a"), NODE_EXISTS),
        (DELETE, delete_request(path + "/missing"), NO_NODE),
        (SET_DATA, set_data_request(path, b"", 9), BAD_VERSION),
        (SET_ACL, set_acl_request(path, None), INVALID_ACL),
        (CREATE, create_request("no slash"), BAD_ARGUMENTS),
        (CREATE_TTL, create_ttl_request(path + "/t"), UNIMPLEMENTED),
        (RECONFIG, reconfig_request(), RECONFIG_DISABLED),
    ]
    for n, (op, body, err) in enumerate(failures, start=1):
        reply = client.call(op, body)
        assert (reply.err, reply.zxid) == (err, zxid + n)
    failed = client.call(MULTI, multi_request((DELETE, delete_request(path + "/missing"))))
    assert (failed.err, failed.zxid) == (OK, zxid + len(failures) + 1)
    assert client.ok(CREATE, create_request(path + "/b")).zxid == failed.zxid + 1


def test_an_empty_multi_takes_a_zxid(client, path):
    zxid = client.ping().zxid
    assert client.call(MULTI, MULTI_END).zxid == zxid + 1


def test_a_write_that_does_not_parse_takes_a_zxid_as_its_release_does(client, path, release):
    zxid = client.ping().zxid
    reply = client.call(CREATE, create_request(path + "/a")[:-2])
    assert reply.err == MARSHALLING_ERROR
    assert reply.zxid == zxid + int(release.malformed_write_takes_zxid)
    assert client.ping().zxid == reply.zxid


def test_a_multi_that_does_not_parse_takes_a_zxid_in_every_release(client):
    zxid = client.ping().zxid
    reply = client.call(MULTI, multi_request((EXISTS, exists_request("/"))))
    assert (reply.err, reply.zxid) == (MARSHALLING_ERROR, zxid + 1)


def test_reads_answer_the_last_zxid_and_do_not_move_it(client, path):
    zxid = client.ok(SET_DATA, set_data_request(path, b"x")).zxid
    for op, body, err in (
        (GET_DATA, get_data_request(path), OK),
        (EXISTS, exists_request(path + "/missing"), NO_NODE),
        (GET_CHILDREN, get_children_request(path), OK),
        (GET_CHILDREN2, get_children2_request(path), OK),
        (GET_ACL, get_acl_request(path), OK),
        (SYNC, sync_request(path), OK),
        (SET_WATCHES, set_watches_request(zxid), OK),
        (GET_EPHEMERALS, get_ephemerals_request(None), OK),
        (GET_ALL_CHILDREN_NUMBER, get_all_children_number_request(path), OK),
        (WHO_AM_I, b"", OK),
        (ADD_WATCH, add_watch_request(path, 0), OK),
        (CHECK_WATCHES, check_watches_request(path, 1), None),
        (REMOVE_WATCHES, remove_watches_request(path, 3), OK),
        (MULTI_READ, multi_request((GET_DATA, get_data_request(path))), OK),
    ):
        reply = client.call(op, body)
        assert reply.zxid == zxid
        assert err is None or reply.err == err


def test_a_new_session_takes_one_zxid_and_reattaching_none(connect, client):
    zxid = client.ping().zxid
    other = connect()
    assert client.ping().zxid == zxid + 1
    again = connect(session=other.session_id, passwd=other.passwd)
    assert again.ping().zxid == zxid + 1
    assert again.close_session().zxid == zxid + 2
    assert client.ping().zxid == zxid + 2


@pytest.mark.parametrize("xid", [XID_AUTH, 55, 0])
def test_auth_replies_carry_zxid_0_and_echo_the_xid(client, xid):
    assert client.call(AUTH, auth_packet("digest", b"u:p"), xid=xid) == Reply(xid, 0, OK, b"")


@pytest.mark.parametrize("xid", [0, -2147483648, 2147483647, -3, -9])
def test_any_xid_is_executed_and_echoed(client, path, xid):
    assert parse_path(client.call(CREATE, create_request(path + "/a"), xid=xid).body) == path + "/a"
    assert client.call(GET_DATA, get_data_request(path), xid=xid).err == OK


def test_a_read_under_xid_minus_2_is_answered_under_it(client, path):
    reply = client.call(GET_DATA, get_data_request(path), xid=-2)
    assert (reply.err, parse_data(reply.body)[0]) == (OK, b"")


def test_an_error_reply_has_no_body(client, path):
    for op, body, err in (
        (CREATE, create_request(path), NODE_EXISTS),
        (CREATE2, create_request(path), NODE_EXISTS),
        (DELETE, delete_request(path + "/m"), NO_NODE),
        (SET_DATA, set_data_request(path + "/m"), NO_NODE),
        (GET_DATA, get_data_request(path + "/m"), NO_NODE),
        (EXISTS, exists_request(path + "/m"), NO_NODE),
        (GET_CHILDREN, get_children_request(path + "/m"), NO_NODE),
        (GET_CHILDREN2, get_children2_request(path + "/m"), NO_NODE),
        (GET_ACL, get_acl_request(path + "/m"), NO_NODE),
        (SET_ACL, set_acl_request(path + "/m"), NO_NODE),
        (GET_ALL_CHILDREN_NUMBER, get_all_children_number_request(path + "/m"), NO_NODE),
        (REMOVE_WATCHES, remove_watches_request(path, 1), NO_WATCHER),
    ):
        reply = client.call(op, body)
        assert (reply.err, reply.body) == (err, b"")


def test_zxids_of_replies_never_decrease_on_a_connection(client, path):
    requests = []
    for n in range(40):
        requests.append((CREATE, create_request(path + "/s", flags=PERSISTENT_SEQUENTIAL)))
        requests.append((GET_DATA, get_data_request(path)))
        requests.append((DELETE, delete_request(path + "/missing")))
    zxids = [r.zxid for r in pipeline(client, *requests)]
    assert zxids == sorted(zxids)
