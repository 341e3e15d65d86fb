"""Frames, the handshake, connection limits, the first bytes of a connection.

docs/protocol.md, "Frames and records", "Connecting".
"""

import time

import pytest

from pylib.zkwire import *

from .util import eventually, reattach


def padded_set_data(path, size):
    """A setData payload of exactly size bytes, with its data's length."""
    empty = int32(1) + int32(SET_DATA) + set_data_request(path, b"", -1)
    data = b"x" * (size - len(empty))
    return int32(1) + int32(SET_DATA) + set_data_request(path, data, -1), len(data)


def test_a_frame_of_1048575_bytes_is_accepted(client, path):
    payload, data_length = padded_set_data(path, 1048575)
    assert len(payload) == 1048575
    client.send_frame(payload)
    reply = client.recv()
    assert reply.err == OK
    assert parse_stat(reply.body).dataLength == data_length


def test_a_frame_of_1048576_bytes_closes_without_a_reply(server, client, path):
    client.send_bytes(int32(1048576))
    client.expect_eof()
    reattach(server, client)


@pytest.mark.parametrize("length", [-1, -2147483648])
def test_a_negative_frame_length_closes_without_a_reply(server, client, length):
    client.send_bytes(int32(length))
    client.expect_eof()
    reattach(server, client)


def test_a_negative_frame_length_before_the_handshake_closes(connect):
    raw = connect(connect=False)
    raw.send_bytes(int32(-1))
    raw.expect_eof()


def test_a_zero_length_frame_closes_before_and_after_the_handshake(connect, client):
    raw = connect(connect=False)
    raw.send_bytes(int32(0))
    raw.expect_eof()
    client.send_bytes(int32(0))
    client.expect_eof()


@pytest.mark.parametrize("size", [1, 4, 7])
def test_a_frame_shorter_than_a_request_header_closes_without_a_reply(client, size):
    client.send_frame(b"\0" * size)
    client.expect_eof()


def test_a_frame_cut_off_by_the_client_disturbs_nobody(connect, client, path):
    cut = connect()
    cut.send_bytes(int32(100) + int32(1) + int32(GET_DATA))
    cut.disconnect()
    assert client.get_data(path)[0] == b""


def test_an_old_handshake_of_44_bytes_gets_36_bytes(connect):
    raw = connect(connect=False)
    request = connect_request(10000, read_only=None)
    assert len(request) == 44
    raw.send_frame(request)
    response = raw.recv_connect_response()
    assert (response.length, response.timeout, response.read_only) == (36, 10000, None)
    assert raw.exists("/") is not None


def test_a_handshake_of_45_bytes_gets_37_bytes_that_end_in_0(connect):
    for read_only in (False, True):
        raw = connect(connect=False)
        request = connect_request(10000, read_only=read_only)
        assert len(request) == 45
        raw.send_frame(request)
        response = raw.recv_connect_response()
        assert (response.length, response.read_only) == (37, 0)


def test_protocol_version_5_is_accepted_and_0_returned(connect):
    raw = connect(connect=False)
    raw.send_frame(connect_request(protocol_version=5))
    response = raw.recv_connect_response()
    assert response.protocol_version == 0
    assert response.session_id != 0


@pytest.mark.parametrize(
    "wanted, negotiated",
    [(0, 4000), (-1, 4000), (1, 4000), (3999, 4000), (4000, 4000), (5000, 5000)]
    + [(40000, 40000), (40001, 40000), (2147483647, 40000), (-2147483648, 4000)],
)
def test_the_timeout_is_clamped_to_2_and_20_ticks(connect, wanted, negotiated):
    assert connect(timeout_ms=wanted).timeout_ms == negotiated


@pytest.mark.server(config={"minSessionTimeout": 1000, "maxSessionTimeout": 3000})
def test_configured_timeout_bounds_replace_the_ticks(connect):
    assert [connect(timeout_ms=t).timeout_ms for t in (1, 1500, 9999)] == [1000, 1500, 3000]


@pytest.mark.parametrize("passwd", [None, b"", b"p" * 40], ids=["null", "empty", "40 bytes"])
def test_a_new_session_takes_any_password_and_gets_16_bytes(connect, passwd):
    raw = connect(connect=False)
    raw.send_frame(connect_request(10000, 0, passwd))
    response = raw.recv_connect_response()
    assert response.session_id != 0
    assert len(response.passwd) == 16


def test_the_password_is_the_function_of_the_session_id(client):
    assert client.passwd == session_password(client.session_id)


def test_session_password_function_gives_the_captured_vectors():
    for session_id, passwd in (
        (0x01000020BCBF0061, "2fc3c6a6a0444421759dad7e1dd708fd"),
        (0x01000012006E0000, "50f8d2a69dcb40a9ae8b42caae15de25"),
        (0x0100001200B30000, "0f7422f8f0155a6705c351f2b9cf4456"),
    ):
        assert session_password(session_id).hex() == passwd


def test_reattaching_returns_the_same_id_and_password_and_the_new_timeout(connect):
    first = connect(timeout_ms=10000)
    second = connect(session=first.session_id, passwd=first.passwd, timeout_ms=20000)
    assert second.session_id == first.session_id
    assert second.passwd == first.passwd
    assert second.timeout_ms == 20000


def refused(raw, session_id, passwd, read_only=False):
    raw.send_frame(connect_request(10000, session_id, passwd, 0, read_only))
    response = raw.recv_connect_response()
    assert (response.timeout, response.session_id, response.passwd) == (0, 0, b"\0" * 16)
    raw.expect_eof()
    return response


@pytest.mark.parametrize(
    "passwd",
    [b"\0" * 16, None, b"", b"x" * 15, b"x" * 17],
    ids=["zeros", "null", "empty", "15 bytes", "17 bytes"],
)
def test_reattaching_with_a_wrong_password_is_refused(connect, client, passwd):
    refused(connect(connect=False), client.session_id, passwd)


def test_a_refused_session_in_the_old_form_is_36_bytes(connect, client):
    response = refused(connect(connect=False), client.session_id, b"", read_only=None)
    assert response.length == 36


def test_after_a_wrong_password_the_session_survives(server, connect, target):
    owner = connect()
    refused(connect(connect=False), owner.session_id, b"\1" * 16)
    if target == "java":  # it closes the owner's connection before it looks at the password
        owner.expect_eof()
        reattach(server, owner)
    else:
        owner.ping()


def test_reattaching_closes_the_old_connection_keeps_ephemerals_drops_watches(
    connect, client, path
):
    first = connect()
    first.create(path + "/e", flags=EPHEMERAL)
    first.get_data(path, watch=True)
    second = connect(session=first.session_id, passwd=first.passwd)
    first.expect_eof()
    assert second.exists(path + "/e").ephemeralOwner == second.session_id
    client.set_data(path, b"changed")
    assert second.take_events() == []


def test_a_closed_session_and_an_unknown_id_are_refused(connect):
    gone = connect()
    gone.close_session()
    refused(connect(connect=False), gone.session_id, gone.passwd)
    unknown = 0x0123456789ABCDEF
    refused(connect(connect=False), unknown, session_password(unknown))


def test_a_last_zxid_ahead_of_the_server_closes_without_a_reply(server, connect, client):
    ahead = client.ping().zxid + 1000
    new = connect(connect=False)
    new.send_frame(connect_request(last_zxid_seen=ahead))
    new.expect_eof()
    again = connect(connect=False)
    again.send_frame(connect_request(30000, client.session_id, client.passwd, ahead))
    again.expect_eof()
    assert client.is_open(), "a connection refused for its zxid must not take the session"


def test_the_servers_own_last_zxid_is_accepted(connect, client):
    assert connect(last_zxid_seen=client.ping().zxid).session_id != 0


def test_a_request_as_first_frame_closes_without_a_reply(connect):
    for op, body in ((GET_DATA, get_data_request("/")), (PING, b""), (CLOSE_SESSION, b"")):
        raw = connect(connect=False)
        raw.send_frame(int32(1) + int32(op) + body)
        raw.expect_eof()


def test_a_whole_life_in_one_segment_is_answered_in_order(connect, path):
    raw = connect(connect=False)
    node = path + "/n"
    requests = [
        (1, GET_DATA, get_data_request(path)),
        (XID_PING, PING, b""),
        (3, CREATE, create_request(node)),
        (4, EXISTS, exists_request(node)),
        (5, DELETE, delete_request(node)),
        (6, CLOSE_SESSION, b""),
    ]
    raw.send_bytes(
        frame(connect_request())
        + b"".join(frame(int32(xid) + int32(op) + body) for xid, op, body in requests)
    )
    assert raw.recv_connect_response().session_id != 0
    replies = [raw.recv() for _ in requests]
    assert [(r.xid, r.err) for r in replies] == [(xid, OK) for xid, _, _ in requests]
    assert parse_path(replies[2].body) == node
    assert parse_stat(replies[3].body).czxid == replies[2].zxid
    raw.expect_eof()


def test_a_handshake_one_byte_at_a_time_works(connect):
    raw = connect(connect=False)
    for value in frame(connect_request()) + frame(int32(7) + int32(EXISTS) + exists_request("/")):
        raw.send_bytes(bytes([value]))
    assert raw.recv_connect_response().session_id != 0
    reply = raw.recv()
    assert (reply.xid, reply.err) == (7, OK)


@pytest.mark.parametrize("parts", [(b"ruok",), (b"ru", b"ok"), (b"ruok\n",), (b"r", b"u", b"ok\r\n")])
def test_ruok_is_answered_imok_and_closed(server, connect, parts):
    raw = connect(connect=False)
    for part in parts:
        raw.send_bytes(part)
        # Another connection's answer shows that the server has turned its loop in between.
        assert server.four_letter("isro") == b"rw"
    assert raw.recv_bytes(4) == b"imok"
    raw.expect_eof()


@pytest.mark.server(config={"4lw.commands.whitelist": "ruok, srvr"})
def test_a_word_that_is_not_whitelisted_gets_one_line(server):
    assert server.four_letter("ruok") == b"imok"
    assert server.four_letter("srvr").startswith(b"Zookeeper version: ")
    for word in ("stat", "isro", "conf", "wchs"):
        assert server.four_letter(word) == (
            word.encode() + b" is not executed because it is not in the whitelist.\n"
        )
    assert server.four_letter(b"\xff\xf4\xff\xfd") == (
        b"telnet close is not executed because it is not in the whitelist.\n"
    )


@pytest.mark.server(config={"4lw.commands.whitelist": None})
def test_without_a_whitelist_only_srvr_is_served(server):
    assert server.four_letter("srvr").startswith(b"Zookeeper version: ")
    for word in ("ruok", "isro", "mntr"):
        assert server.four_letter(word).endswith(b"it is not in the whitelist.\n")


def test_an_unknown_word_gets_nothing(server):
    for word in ("abcd", "RUOK", "zzzz"):
        assert server.four_letter(word) == b""
    assert server.four_letter(b"\xff\xf4\xff\xfd") == b""


def test_ruok_after_the_handshake_closes_the_connection(server, client):
    client.send_bytes(b"ruok")
    client.expect_eof()
    reattach(server, client)


@pytest.mark.server(config={"maxClientCnxns": 3})
def test_one_connection_more_than_max_client_cnxns_is_closed_without_bytes(server, connect):
    clients = [connect() for _ in range(3)]
    fourth = connect(connect=False)
    fourth.expect_eof()
    assert server.four_letter("ruok") == b"", "four-letter words count, too"
    clients[0].close_session()
    assert connect().session_id != 0
    assert all(c.is_open() for c in clients[1:])


@pytest.mark.server(props={"zookeeper.maxCnxns": 3})
def test_one_connection_more_than_max_cnxns_is_closed_without_bytes(connect):
    clients = [connect() for _ in range(3)]
    connect(connect=False).expect_eof()
    clients[0].close_session()
    assert connect().session_id != 0


@pytest.mark.server(config={"maxClientCnxns": 0})
def test_max_client_cnxns_0_is_no_limit(server, connect):
    clients = [connect() for _ in range(70)]
    assert all(c.is_open() for c in clients)


def test_the_61st_connection_of_an_address_is_refused_by_default(start_server):
    server = start_server()
    clients = [server.client() for _ in range(60)]
    server.client(connect=False).expect_eof()
    assert clients[59].is_open()


@pytest.mark.server(props={"zookeeper.nio.sessionlessCnxnTimeout": 1000})
def test_a_silent_connection_is_closed_after_one_to_two_sessionless_timeouts(connect):
    opened = time.monotonic()
    raw = connect(connect=False)
    raw.expect_eof()
    # Well before the 10 s of the default, even where the machine stands still for seconds.
    assert 0.95 <= time.monotonic() - opened <= 8


def test_bytes_behind_the_record_are_ignored(client, path):
    assert client.call(GET_DATA, get_data_request(path) + b"more").err == OK
    assert client.call(CREATE, create_request(path + "/a") + b"\0" * 9).err == OK
    assert client.call(SYNC, sync_request("/") + b"\xff").err == OK


def test_bytes_behind_the_handshake_record_are_ignored(connect):
    raw = connect(connect=False)
    raw.send_frame(connect_request() + b"tail")
    assert raw.recv_connect_response().length == 37
    assert raw.exists("/") is not None


def test_a_boolean_of_7_is_true(client, path):
    client.ok(GET_DATA, get_data_request(path, 7))
    client.set_data(path, b"x")
    assert [e.type for e in client.take_events()] == [NODE_DATA_CHANGED]


def test_a_truncated_body_answers_marshalling_error_and_the_connection_works(client, path):
    whole = create_request(path + "/a", b"data")
    for size in (0, 3, 7, len(whole) - 1):
        reply = client.call(CREATE, whole[:size])
        assert (reply.err, reply.body) == (MARSHALLING_ERROR, b"")
    assert client.exists(path + "/a") is None
    assert client.call(CREATE, whole).err == OK


EVERY_RECORD = [
    (CREATE, create_request("/x")),
    (CREATE2, create_request("/x")),
    (CREATE_CONTAINER, create_request("/x", flags=CONTAINER)),
    (CREATE_TTL, create_ttl_request("/x")),
    (DELETE, delete_request("/x")),
    (EXISTS, exists_request("/x")),
    (GET_DATA, get_data_request("/x")),
    (SET_DATA, set_data_request("/x")),
    (GET_ACL, get_acl_request("/x")),
    (SET_ACL, set_acl_request("/x")),
    (GET_CHILDREN, get_children_request("/x")),
    (GET_CHILDREN2, get_children2_request("/x")),
    (SYNC, sync_request("/x")),
    (MULTI, multi_request((CREATE, create_request("/x")))),
    (MULTI_READ, multi_request((GET_DATA, get_data_request("/x")))),
    (RECONFIG, reconfig_request("a", "b", "c")),
    (CHECK_WATCHES, check_watches_request("/x", 1)),
    (REMOVE_WATCHES, remove_watches_request("/x", 1)),
    (SET_WATCHES, set_watches_request(0, ["/x"], ["/x"], ["/x"])),
    (SET_WATCHES2, set_watches2_request(0, ["/x"], ["/x"], ["/x"], ["/x"], ["/x"])),
    (GET_EPHEMERALS, get_ephemerals_request("/x")),
    (GET_ALL_CHILDREN_NUMBER, get_all_children_number_request("/x")),
    (ADD_WATCH, add_watch_request("/x", 0)),
]


@pytest.mark.parametrize("op, body", EVERY_RECORD, ids=[str(op) for op, _ in EVERY_RECORD])
def test_every_request_record_cut_anywhere_answers_marshalling_error(client, op, body):
    for size in range(len(body)):
        assert client.call(op, body[:size]).err == MARSHALLING_ERROR, "cut at %d" % size


@pytest.mark.parametrize("op, body", [(AUTH, auth_packet("digest", b"u:p")), (SASL, sasl_request(b"t"))])
def test_a_truncated_auth_or_sasl_body_closes_without_a_reply(server, connect, op, body):
    raw = connect()
    raw.send(op, body[:-1])
    raw.expect_eof()
    reattach(server, raw)


@pytest.mark.parametrize("length", [-2, 5, 2147483647, -2147483648])
def test_a_string_length_that_cannot_be_answers_marshalling_error(client, length):
    assert client.call(GET_DATA, int32(length) + b"/\0").err == MARSHALLING_ERROR
    assert client.is_open()


def test_a_vector_count_larger_than_the_data_answers_marshalling_error(client, path):
    body = ustring(path + "/a") + buffer(b"") + int32(5) + acl(OPEN_ACL[0]) + int32(0)
    assert client.call(CREATE, body).err == MARSHALLING_ERROR
    huge = ustring(path + "/a") + buffer(b"") + int32(2147483647) + int32(0)
    assert client.call(CREATE, huge).err == MARSHALLING_ERROR
    assert client.is_open()


def test_an_acl_vector_of_negative_count_is_an_empty_list(client, path):
    body = ustring(path + "/a") + buffer(b"") + int32(-2) + int32(0)
    assert client.call(CREATE, body).err == INVALID_ACL


@pytest.mark.parametrize("op", [10, 23, 99, 108, 500, 0, -1, 2147483647])
def test_an_unknown_opcode_answers_unimplemented_and_closes(server, client, op):
    reply = client.call(op, b"")
    assert (reply.err, reply.zxid, reply.body) == (UNIMPLEMENTED, -1, b"")
    client.expect_eof()
    reattach(server, client)


def test_check_outside_multi_is_an_unknown_opcode(server, connect, path, release):
    raw = connect()
    if release.check_outside_multi == "served":
        # real server: 3.8.0 answers a failure and never a success.
        assert raw.call(CHECK, check_version_request(path, 7)).err == BAD_VERSION
        raw.send(CHECK, check_version_request(path, 0))
        assert raw.ping().xid == XID_PING
    else:
        reply = raw.call(CHECK, check_version_request(path, 0))
        assert (reply.err, reply.zxid) == (UNIMPLEMENTED, -1)
        raw.expect_eof()
        reattach(server, raw)


def test_a_second_handshake_is_a_request_with_opcode_0(client):
    client.send_frame(connect_request())
    reply = client.recv()
    assert (reply.xid, reply.zxid, reply.err) == (0, -1, UNIMPLEMENTED)
    client.expect_eof()


def test_requests_pipelined_behind_the_handshake_are_answered_after_it(connect):
    raw = connect(connect=False)
    raw.send_bytes(
        frame(connect_request())
        + b"".join(frame(int32(n) + int32(EXISTS) + exists_request("/")) for n in range(1, 50))
    )
    assert raw.recv_connect_response().session_id != 0
    assert [raw.recv().xid for _ in range(1, 50)] == list(range(1, 50))


@pytest.mark.server(props={"zookeeper.connection_throttle_tokens": 5,
                           "zookeeper.connection_throttle_fill_time": 3600000})
def test_a_handshake_without_a_connection_token_is_closed_without_bytes(server, connect):
    sessions = 0
    for _ in range(6):
        raw = connect(connect=False)
        try:
            raw.handshake()
        except Closed:
            break
        sessions += 1
    assert 1 <= sessions <= 5
    raw = connect(connect=False)
    raw.send_frame(connect_request())
    raw.expect_eof()


@pytest.mark.server(props={"zookeeper.largeRequestThreshold": 1000,
                           "zookeeper.largeRequestMaxBytes": 5000})
def test_a_request_beyond_the_large_request_budget_is_closed_without_bytes(server, connect):
    raw = connect()
    node = raw.create("/large")
    raw.set_data(node, b"x" * 4000)
    raw.set_data(node, b"x" * 4500)
    raw.send(SET_DATA, set_data_request(node, b"x" * 6000))
    raw.expect_eof()
    with reattach(server, raw) as again:
        assert len(again.get_data(node)[0]) == 4500


@pytest.mark.server(props={"jute.maxbuffer": 5000})
def test_jute_maxbuffer_moves_the_frame_limit(server, connect):
    raw = connect()
    node = raw.create("/n")
    payload, length = padded_set_data(node, 5000)
    raw.send_frame(payload)
    assert raw.recv().err == OK
    raw.send_bytes(int32(5001))
    raw.expect_eof()
    with reattach(server, raw) as again:
        assert len(again.get_data(node)[0]) == length


def test_an_abandoned_handshake_leaves_the_count_of_connections_alone(server, connect):
    """Eighty connections that go away in every way leave room for a new one."""
    for n in range(80):
        raw = connect(connect=False)
        raw.send_bytes((b"", int32(-1), int32(45), frame(connect_request()))[n % 4])
        raw.disconnect()
    eventually(lambda: server.four_letter("ruok") == b"imok")
    assert connect().session_id != 0
