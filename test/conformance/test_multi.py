"""multi and multiRead (docs/protocol.md, "multi and multiRead")."""

import pytest

from pylib.zkwire import *

from .util import kinds

NOBODY = [Acl(0, "world", "anyone")]


def create(path, data=b"", acls=OPEN_ACL, flags=PERSISTENT, op=CREATE):
    return op, create_request(path, data, acls, flags)


def delete(path, version=-1):
    return DELETE, delete_request(path, version)


def set_data(path, data=b"", version=-1):
    return SET_DATA, set_data_request(path, data, version)


def check(path, version=-1):
    return CHECK, check_version_request(path, version)


def codes(results):
    return [(r.type, r.err) for r in results]


def whole_err(client, *ops, op=MULTI, end=True):
    reply = client.call(op, multi_request(*ops, end=end))
    assert reply.body == b""
    return reply.err


def test_an_empty_multi_answers_the_end_header(client):
    for op in (MULTI, MULTI_READ):
        reply = client.ok(op, MULTI_END)
        assert reply.body == MULTI_END == bytes.fromhex("ffffffff01ffffffff")


def test_a_node_is_made_changed_checked_and_deleted_in_one_multi(client, path):
    node = path + "/n"
    results = client.multi(create(node), set_data(node, b"x", 0), check(node, 1), delete(node, 1))
    assert codes(results) == [(CREATE, OK), (SET_DATA, OK), (CHECK, OK), (DELETE, OK)]
    assert results[0].value == node
    assert results[1].value.version == 1
    assert client.exists(node) is None


def test_the_second_of_four_failing_undoes_the_first(client, path):
    results = client.multi(
        create(path + "/a"), delete(path + "/missing"), create(path + "/b"), set_data(path)
    )
    assert codes(results) == [(-1, OK), (-1, NO_NODE), (-1, -2), (-1, -2)]
    assert client.get_children(path) == []
    assert client.exists(path).version == 0
    assert client.exists(path).cversion == 0


@pytest.mark.parametrize("failing", range(4))
def test_a_multi_fails_wherever_the_failing_operation_stands(client, path, failing):
    ops = [create(path + "/n%d" % n) for n in range(4)]
    ops[failing] = check(path, 7)
    want = [(-1, OK)] * failing + [(-1, BAD_VERSION)] + [(-1, -2)] * (3 - failing)
    assert codes(client.multi(*ops)) == want


def test_a_failed_multi_leaves_no_trace_in_what_is_pending(client, path):
    failed = frame(
        int32(1000)
        + int32(MULTI)
        + multi_request(create(path + "/a", flags=2), set_data(path), delete(path + "/missing"))
    )
    seq = frame(int32(1001) + int32(CREATE) + create_request(path + "/s", flags=2))
    setd = frame(int32(1002) + int32(SET_DATA) + set_data_request(path, b"", 0))
    client.send_bytes(failed + seq + setd)
    assert codes(parse_multi(client.recv().body)) == [(-1, OK), (-1, OK), (-1, NO_NODE)]
    assert parse_path(client.recv().body) == path + "/s0000000000"
    assert client.recv().err == OK


@pytest.mark.parametrize(
    "op, err",
    [
        (lambda p: create(p), NODE_EXISTS),
        (lambda p: create("no-slash"), BAD_ARGUMENTS),
        (lambda p: create(p + "/m/c"), NO_NODE),
        (lambda p: create(p + "/c", acls=[]), INVALID_ACL),
        (lambda p: create(p + "/locked/c"), NO_AUTH),
        (lambda p: create(p + "/e/c"), NO_CHILDREN_FOR_EPHEMERALS),
        (lambda p: delete(p + "/m"), NO_NODE),
        (lambda p: delete("/zookeeper"), BAD_ARGUMENTS),
        (lambda p: delete(p, 0), NOT_EMPTY),
        (lambda p: set_data(p + "/m"), NO_NODE),
        (lambda p: set_data(p, b"", 5), BAD_VERSION),
        (lambda p: set_data(p + "/locked"), NO_AUTH),
        (lambda p: set_data("x"), BAD_ARGUMENTS),
        (lambda p: check(p + "/m"), NO_NODE),
        (lambda p: check(p, 5), BAD_VERSION),
        (lambda p: check(p + "/locked", 9), NO_AUTH),
        (lambda p: check("x"), BAD_ARGUMENTS),
    ],
)
def test_sub_operations_fail_with_the_codes_of_the_single_ones(client, path, op, err):
    client.create(path + "/locked", acls=NOBODY)
    client.create(path + "/e", flags=EPHEMERAL)
    assert codes(client.multi(op(path))) == [(-1, err)]


@pytest.mark.server(name="null in a multi")  # alone: a session that expires elsewhere moves the zxid
@pytest.mark.parametrize("op", [create(None), delete(None), set_data(None), check(None)])
def test_a_null_path_in_a_multi_fails_the_whole(client, path, op):
    zxid = client.ping().zxid
    reply = client.call(MULTI, multi_request(set_data(path), op))
    # real server: a setData or check alone answers -8 to a null path. And it stumbles outside its
    # own error path: a zxid is lost that nothing carries, the reply has the last one, and behind
    # the error stands an end header, which no client reads.
    assert reply.err == MARSHALLING_ERROR
    assert reply.zxid in (zxid, zxid + 1)
    assert reply.body in (b"", MULTI_END)
    assert client.exists(path).version == 0
    assert client.set_data(path, b"", 0).version == 1


def test_each_kind_of_create_has_its_own_result_type(client, path, release):
    results = client.multi(
        create(path + "/two", b"ab", op=CREATE2),
        create(path + "/box", flags=CONTAINER, op=CREATE_CONTAINER),
        create(path + "/box2", flags=CONTAINER),
        create(path + "/box3", flags=CONTAINER, op=CREATE2),
        create(path + "/e", flags=EPHEMERAL),
        (CREATE_TTL, create_ttl_request(path + "/plain", flags=0, ttl=1000)),
    )
    # A createTTL without TTL flags is a plain create.
    assert [r.type for r in results] == [release.create2_type_in_multi, 15, 15, 15, 1, 1]
    for n, name in ((1, "/box"), (2, "/box2"), (3, "/box3")):
        value_path, stat = results[n].value
        assert value_path == path + name
        assert stat == client.exists(value_path)
    if release.create2_type_in_multi == 15:
        assert results[0].value == (path + "/two", client.exists(path + "/two"))
    assert client.exists(path + "/e").ephemeralOwner == client.session_id


@pytest.mark.server(props={"zookeeper.extendedTypesEnabled": "true"})
def test_a_ttl_node_in_a_multi_has_type_15(client, path):
    results = client.multi((CREATE_TTL, create_ttl_request(path + "/t", ttl=60000)))
    assert codes(results) == [(15, OK)]
    assert results[0].value == (path + "/t", client.exists(path + "/t"))
    bad = client.multi((CREATE_TTL, create_ttl_request(path + "/u", ttl=0)))
    assert codes(bad) == [(-1, BAD_ARGUMENTS)]


def test_a_ttl_node_in_a_multi_is_unimplemented_without_extended_types(client, path):
    results = client.multi((CREATE_TTL, create_ttl_request(path + "/t", ttl=60000)))
    assert codes(results) == [(-1, UNIMPLEMENTED)]


@pytest.mark.server(props={"znode.container.checkIntervalMs": 100})
def test_a_container_made_in_a_multi_is_reaped(client, path):
    client.multi(create(path + "/box", flags=CONTAINER))
    client.create(path + "/box/c")
    client.exists(path + "/box", watch=True)
    client.delete(path + "/box/c")
    assert kinds([client.wait_event()]) == [(NODE_DELETED, path + "/box")]


@pytest.mark.parametrize("flags", [PERSISTENT_TTL, PERSISTENT_SEQUENTIAL_TTL])
def test_ttl_flags_in_a_create_of_a_multi_fail_the_whole(client, path, flags):
    for op in (CREATE, CREATE2, CREATE_CONTAINER):
        ops = set_data(path), create(path + "/n", flags=flags, op=op)
        assert whole_err(client, *ops) == MARSHALLING_ERROR


@pytest.mark.parametrize("flags", [7, -1, 99])
def test_unknown_flags_fail_the_multi_and_nothing_changes(client, path, release, flags):
    ops = set_data(path), create(path + "/n", flags=flags)
    if release.bad_flags_in_multi == "whole -5":
        assert whole_err(client, *ops) == MARSHALLING_ERROR
    else:
        assert codes(client.multi(*ops)) == [(-1, OK), (-1, BAD_ARGUMENTS)]
    assert client.exists(path).version == 0


FOREIGN = [
    (SET_ACL, set_acl_request("/")),
    (EXISTS, exists_request("/")),
    (GET_DATA, get_data_request("/")),
    (GET_CHILDREN, get_children_request("/")),
    (GET_CHILDREN2, get_children2_request("/")),
    (GET_ACL, get_acl_request("/")),
    (SYNC, sync_request("/")),
    (DELETE_CONTAINER, delete_container_request("/x")),
    (MULTI, MULTI_END),
    (CLOSE_SESSION, b""),
    (PING, b""),
    (77, b""),
]


@pytest.mark.parametrize("op", FOREIGN, ids=[str(op) for op, _ in FOREIGN])
def test_other_operations_in_a_multi_fail_the_whole(client, path, op):
    assert whole_err(client, op) == MARSHALLING_ERROR
    assert whole_err(client, set_data(path), op) == MARSHALLING_ERROR
    assert client.exists(path).version == 0
    assert client.is_open()


def test_a_missing_end_header_fails_the_whole(client, path):
    assert whole_err(client, set_data(path), end=False) == MARSHALLING_ERROR
    assert whole_err(client, end=False) == MARSHALLING_ERROR
    assert client.exists(path).version == 0


def test_a_multi_ends_at_the_first_done_header(client, path):
    body = multi_request(set_data(path)) + multi_request(set_data(path), (EXISTS, b""))
    assert codes(parse_multi(client.ok(MULTI, body).body)) == [(SET_DATA, OK)]
    assert client.exists(path).version == 1


def test_the_err_of_a_request_header_is_ignored(client, path):
    body = multi_header(SET_DATA, False, 5) + set_data(path)[1] + multi_header(7, True, 9)
    assert codes(parse_multi(client.ok(MULTI, body).body)) == [(SET_DATA, OK)]


def test_sequential_creates_in_one_multi_get_successive_numbers(client, path):
    results = client.multi(
        create(path + "/s", flags=2), create(path + "/x"), create(path + "/s", flags=3)
    )
    assert [r.value for r in results] == [
        path + "/s0000000000",
        path + "/x",
        path + "/s0000000002",
    ]
    stats = [client.exists(r.value) for r in results]
    assert len({s.czxid for s in stats}) == 1
    assert len({s.ctime for s in stats}) == 1
    parent = client.exists(path)
    assert (parent.cversion, parent.numChildren, parent.pzxid) == (3, 3, stats[0].czxid)


def test_two_set_data_of_one_node_raise_the_version_twice(client, path):
    results = client.multi(set_data(path, b"a"), set_data(path, b"b", 1))
    assert [r.value.version for r in results] == [1, 2]
    assert [r.value.dataLength for r in results] == [1, 1]
    assert results[0].value.mzxid == results[1].value.mzxid
    assert client.get_data(path) == (b"b", results[1].value)


def test_check_with_version_minus_1_tests_existence_and_read(client, path):
    client.set_data(path)
    assert codes(client.multi(check(path, -1))) == [(CHECK, OK)]
    assert codes(client.multi(check(path + "/m", -1))) == [(-1, NO_NODE)]
    client.create(path + "/n", acls=NOBODY)
    assert codes(client.multi(check(path + "/n", -1))) == [(-1, NO_AUTH)]


def test_the_stat_of_a_multi_result_is_that_of_its_sub_operation(client, path):
    results = client.multi(
        set_data(path, b"abc"), create(path + "/c"), create(path + "/d"), delete(path + "/c")
    )
    stat = results[0].value
    assert (stat.version, stat.dataLength, stat.numChildren, stat.cversion) == (1, 3, 0, 0)
    parent = client.exists(path)
    assert (parent.cversion, parent.numChildren) == (3, 1)


def test_a_node_may_be_deleted_and_made_again_in_one_multi(client, path):
    client.create(path + "/n", b"old")
    assert codes(client.multi(delete(path + "/n", 0), create(path + "/n", b"new"))) == [
        (DELETE, OK),
        (CREATE, OK),
    ]
    assert client.get_data(path + "/n")[0] == b"new"


def test_a_parent_and_its_children_may_be_made_in_one_multi(client, path):
    p = path + "/p"
    results = client.multi(create(p), create(p + "/c"), create(p + "/c/d"), delete(p + "/c/d"))
    assert [r.err for r in results] == [OK] * 4
    assert codes(client.multi(delete(p), delete(p + "/c"))) == [(-1, NOT_EMPTY), (-1, -2)]
    assert [r.err for r in client.multi(delete(p + "/c"), delete(p))] == [OK, OK]


# -- multiRead


def get_data(path, watch=False):
    return GET_DATA, get_data_request(path, watch)


def get_children(path, watch=False):
    return GET_CHILDREN, get_children_request(path, watch)


def test_multi_read_answers_each_read_on_its_own(client, path):
    client.create(path + "/a", b"x")
    body = multi_request(
        get_data(path + "/a", True), get_children(path, True), get_data(path + "/m", True)
    )
    results = parse_multi(client.ok(MULTI_READ, body).body)
    assert codes(results) == [(GET_DATA, OK), (GET_CHILDREN, OK), (-1, NO_NODE)]
    assert results[0].value == (b"x", client.exists(path + "/a"))
    assert results[1].value == ["a"]
    client.set_data(path + "/a")
    client.create(path + "/m")
    assert client.take_events() == [], "the watch flag is ignored"


def test_multi_read_checks_read_permission_per_node(client, path):
    client.create(path + "/n", acls=NOBODY)
    body = multi_request(get_data(path + "/n"), get_children(path + "/n"), get_data(path))
    results = parse_multi(client.ok(MULTI_READ, body).body)
    assert codes(results) == [(-1, NO_AUTH), (-1, NO_AUTH), (GET_DATA, OK)]


@pytest.mark.parametrize(
    "op",
    [set_data("/x"), create("/x"), delete("/x"), check("/"), (EXISTS, exists_request("/"))]
    + [(GET_CHILDREN2, get_children2_request("/")), (GET_ACL, get_acl_request("/"))],
    ids=lambda op: str(op[0]),
)
def test_other_operations_in_a_multi_read_fail_the_whole(client, op):
    def err(*ops):
        return client.call(MULTI_READ, multi_request(*ops)).err

    assert err(op) == MARSHALLING_ERROR
    assert err(get_data("/"), op) == MARSHALLING_ERROR
    assert client.exists("/x") is None


def test_a_mix_of_reads_and_writes_fails_the_whole(client, path):
    assert whole_err(client, set_data(path), get_data(path)) == MARSHALLING_ERROR
    assert whole_err(client, get_data(path), set_data(path)) == MARSHALLING_ERROR
    assert client.exists(path).version == 0


def test_a_multi_of_many_operations_is_one_transaction(client, path):
    ops = [create(path + "/n%04d" % n, b"x" * 100) for n in range(1000)]
    reply = client.ok(MULTI, multi_request(*ops))
    assert len(parse_multi(reply.body)) == 1000
    assert client.exists(path + "/n0000").czxid == client.exists(path + "/n0999").czxid
    assert client.exists(path).cversion == 1000
    gone = client.multi(*[delete(path + "/n%04d" % n) for n in range(1000)])
    assert codes(gone) == [(DELETE, OK)] * 1000
    assert client.exists(path).cversion == 2000
