"""exists, getData, getChildren, getACL, sync and the small reads (docs/protocol.md, "Reads")."""

import pytest

from pylib.zkwire import *

from .util import kinds, pipeline

NOBODY = [Acl(0, "world", "anyone")]
READS = [
    (EXISTS, exists_request),
    (GET_DATA, get_data_request),
    (GET_CHILDREN, get_children_request),
    (GET_CHILDREN2, get_children2_request),
    (GET_ACL, get_acl_request),
    (GET_ALL_CHILDREN_NUMBER, get_all_children_number_request),
]


@pytest.mark.server(name="quiet reads")
def test_the_empty_path_reads_the_root(client):
    for op, request in READS[:5]:
        empty, root = client.ok(op, request("")), client.ok(op, request("/"))
        assert empty.body == root.body
    # Counted from "", the root itself is one more.
    empty = client.ok(GET_ALL_CHILDREN_NUMBER, get_all_children_number_request(""))
    root = client.ok(GET_ALL_CHILDREN_NUMBER, get_all_children_number_request("/"))
    assert parse_int(empty.body) == parse_int(root.body) + 1


def test_a_watch_set_through_the_empty_path_never_fires(client):
    client.get_children("", watch=True)
    client.delete(client.create("/t083-child"))
    assert [e for e in client.take_events() if e.path in ("", "/")] == []


@pytest.mark.parametrize("op, request_of", READS, ids=[str(op) for op, _ in READS])
def test_a_read_of_an_odd_path_finds_no_node(client, path, op, request_of):
    for odd in ("foo", path + "/", "//", "/\ue000", b"/\xff"):
        assert client.call(op, request_of(odd)).err == NO_NODE
    assert client.call(op, request_of(None)).err == MARSHALLING_ERROR
    assert client.call(op, request_of("/a\0b")).err == (BAD_ARGUMENTS if op == EXISTS else NO_NODE)


def test_exists_without_read_permission_answers_no_auth_and_leaves_no_watch(client, path, release):
    client.create(path + "/n", acls=NOBODY)
    reply = client.call(EXISTS, exists_request(path + "/n", True))
    client.delete(path + "/n")
    events = client.take_events()
    if release.exists_needs_read:
        assert reply.err == NO_AUTH
        assert events == []
        client.create(path + "/n")
        assert client.take_events() == [], "nor is a watch left for later"
    else:
        assert reply.err == OK
        assert parse_stat(reply.body).version == 0


def test_exists_on_a_missing_node_leaves_a_watch(client, path):
    assert client.call(EXISTS, exists_request(path + "/n", True)).err == NO_NODE
    client.create(path + "/n")
    assert kinds(client.take_events()) == [(NODE_CREATED, path + "/n")]


def test_a_failed_get_leaves_no_watch(client, path):
    for op, request in (
        (GET_DATA, get_data_request),
        (GET_CHILDREN, get_children_request),
        (GET_CHILDREN2, get_children2_request),
    ):
        assert client.call(op, request(path + "/n", True)).err == NO_NODE
    client.create(path + "/n")
    client.create(path + "/n/c")
    client.set_data(path + "/n", b"x")
    assert client.take_events() == []


def test_get_without_read_permission_answers_no_auth_and_leaves_no_watch(client, path):
    client.create(path + "/n", acls=[Acl(ALL & ~READ, "world", "anyone")])
    for op, request in READS[1:4]:
        assert client.call(op, request(path + "/n", True)).err == NO_AUTH
    number = client.call(GET_ALL_CHILDREN_NUMBER, get_all_children_number_request(path + "/n"))
    assert number.err == NO_AUTH
    client.set_data(path + "/n")
    client.ok(SET_ACL, set_acl_request(path + "/n", OPEN_ACL))
    client.set_data(path + "/n")
    assert client.take_events() == []


@pytest.mark.parametrize("path", ["/", "/no/such", "relative", "", None, "/a//b/", "/\u4e2d"])
def test_sync_echoes_any_path(client, path):
    assert parse_path(client.ok(SYNC, sync_request(path)).body) == path


def test_sync_needs_no_permission(client, path):
    client.create(path + "/n", acls=NOBODY)
    assert client.call(SYNC, sync_request(path + "/n")).err == OK


@pytest.mark.server(name="fresh tree")
def test_get_all_children_number_of_the_root_of_a_fresh_tree_is_3(client):
    body = client.ok(GET_ALL_CHILDREN_NUMBER, get_all_children_number_request("/")).body
    assert parse_int(body) == 3


def test_get_all_children_number_counts_descendants(client, path):
    def number(node):
        return client.call(GET_ALL_CHILDREN_NUMBER, get_all_children_number_request(node))

    assert parse_int(number(path).body) == 0
    for node in ("/a", "/a/b", "/a/b/c", "/ab", "/d"):
        client.create(path + node)
    assert parse_int(number(path).body) == 5
    assert parse_int(number(path + "/a").body) == 2
    assert number(path + "/m").err == NO_NODE
    client.ok(SET_ACL, set_acl_request(path + "/a", NOBODY))
    assert parse_int(number(path).body) == 5, "only the node itself must be readable"
    assert number(path + "/a").err == NO_AUTH


def test_get_ephemerals_lists_own_ephemerals_by_string_prefix(connect, client, path):
    def ephemerals(prefix):
        return sorted(parse_strings(client.ok(GET_EPHEMERALS, get_ephemerals_request(prefix)).body))

    assert ephemerals(None) == []
    mine = [client.create(path + n, flags=EPHEMERAL) for n in ("/p3", "/p3e", "/q")]
    connect().create(path + "/other", flags=EPHEMERAL)
    for everything in (None, "", " ", "/", " / "):
        assert ephemerals(everything) == mine
    assert ephemerals(path + "/p3") == mine[:2]
    assert ephemerals(path + "/p3e") == mine[1:2]
    assert ephemerals(path) == mine
    assert ephemerals("nothing") == []


def test_get_ephemerals_needs_no_permission(client, path):
    client.create(path + "/e", acls=NOBODY, flags=EPHEMERAL)
    body = client.ok(GET_EPHEMERALS, get_ephemerals_request(path)).body
    assert parse_strings(body) == [path + "/e"]


def test_who_am_i_lists_the_identities_of_the_connection(client):
    assert client.who_am_i() == [("ip", "127.0.0.1")]
    assert client.auth("digest", b"u:p").err == OK
    assert client.who_am_i() == [("digest", "u"), ("ip", "127.0.0.1")]
    client.auth("digest", b"u:p")
    client.auth("digest", b"v:q")
    assert client.who_am_i() == [("digest", "u"), ("digest", "v"), ("ip", "127.0.0.1")]


def test_reconfig_is_disabled_by_default(client):
    assert client.call(RECONFIG, reconfig_request()).err == RECONFIG_DISABLED
    assert client.call(RECONFIG, reconfig_request("server.1=x", "2", None, 77)).err == RECONFIG_DISABLED


@pytest.mark.server(config={"reconfigEnabled": "true"})
def test_reconfig_is_unimplemented_on_a_standalone_server(client):
    assert client.call(RECONFIG, reconfig_request()).err == UNIMPLEMENTED
    assert client.is_open(), "unlike an unknown opcode it does not close"


def test_children_lists_have_names_only_and_get_children2_the_stat(client, path):
    names = ["a", "b b", "\u4e2d", "x" * 200]
    for name in names:
        client.create(path + "/" + name)
        client.create(path + "/" + name + "/deeper")
    assert client.get_children(path) == sorted(names)
    children, stat = parse_children_stat(
        client.ok(GET_CHILDREN2, get_children2_request(path)).body
    )
    assert sorted(children) == sorted(names)
    assert stat == client.exists(path)
    assert stat.numChildren == 4


def test_a_leaf_has_an_empty_list_of_children_not_null(client, path):
    assert parse_children(client.ok(GET_CHILDREN, get_children_request(path)).body) == []


def test_get_acl_needs_read_or_admin(client, path):
    for perms, err in ((READ, OK), (ADMIN, OK), (ALL & ~READ & ~ADMIN, NO_AUTH), (0, NO_AUTH)):
        node = client.create(path + "/p%d" % perms, acls=[Acl(perms, "world", "anyone")])
        assert client.call(GET_ACL, get_acl_request(node)).err == err


def test_a_read_behind_a_write_of_its_session_sees_it(client, path):
    requests = []
    for n in range(30):
        requests.append((SET_DATA, set_data_request(path, b"%d" % n)))
        requests.append((GET_DATA, get_data_request(path)))
    replies = pipeline(client, *requests)
    assert [parse_data(r.body)[0] for r in replies[1::2]] == [b"%d" % n for n in range(30)]


def test_a_ping_reply_comes_after_the_replies_of_earlier_requests(client, path):
    client.send_bytes(
        b"".join(
            frame(int32(xid) + int32(op) + body)
            for xid, op, body in (
                (1000, CREATE, create_request(path + "/a")),
                (1001, GET_DATA, get_data_request(path)),
                (XID_PING, PING, b""),
                (1002, EXISTS, exists_request(path)),
            )
        )
    )
    assert [client.recv().xid for _ in range(4)] == [1000, 1001, XID_PING, 1002]
