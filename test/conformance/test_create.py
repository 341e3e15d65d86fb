"""create, create2, createContainer, createTTL.

docs/protocol.md, "Paths", "Create modes and sequence names", "Containers and TTL nodes".
"""


import pytest

from pylib.servers import Server
from pylib.snapshot import write_snapshot
from pylib.zkwire import *

from .util import kinds, pipeline

ANYONE_READS = [Acl(READ, "world", "anyone")]
MAX_TTL = (1 << 40) - 1

extended_types = pytest.mark.server(
    props={
        "zookeeper.extendedTypesEnabled": "true",
        "znode.container.checkIntervalMs": 100,
    }
)


def create_err(client, path, acls=OPEN_ACL, flags=PERSISTENT, op=CREATE):
    return client.call(op, create_request(path, b"", acls, flags)).err


def test_create_answers_its_path_and_then_node_exists(client, path):
    node = path + "/a"
    reply = client.call(CREATE, create_request(node, b"hi"))
    assert (reply.err, parse_path(reply.body)) == (OK, node)
    assert create_err(client, node) == NODE_EXISTS
    assert client.get_data(node)[0] == b"hi"


def test_create_of_the_root_answers_node_exists(client):
    assert create_err(client, "/") == NODE_EXISTS


def test_nothing_is_created_at_a_path_without_a_leading_slash(client):
    assert create_err(client, "") == BAD_ARGUMENTS
    assert create_err(client, "foo") == BAD_ARGUMENTS
    assert create_err(client, "foo/bar") == NO_NODE


def test_nothing_is_created_at_a_path_with_a_bad_component(client, path):
    assert create_err(client, path + "/") == BAD_ARGUMENTS
    assert create_err(client, path + "//b") == NO_NODE
    assert create_err(client, path + "/.") == BAD_ARGUMENTS
    assert create_err(client, path + "/..") == BAD_ARGUMENTS
    assert create_err(client, path + "/../x") == NO_NODE
    assert create_err(client, "//") == BAD_ARGUMENTS
    for good in ("...", ".b", "a.", "a..", "..a"):
        assert create_err(client, path + "/" + good) == OK


BAD_CHARACTERS = (
    "\u0000 \u0001 \u001f \u007f \u009f \u0080 \ue000 \uf8ff \ufff0 \ufffd \uffff \U0001f600 \U0010ffff"
).split(" ")
GOOD_CHARACTERS = ["\u00a0", "\ud7ff", "\uf900", "\uffef", " ", "~", "\u00e9", "\u4e2d", "\u2028"]


@pytest.mark.parametrize("character", BAD_CHARACTERS, ids=lambda c: "%04X" % ord(c))
def test_create_with_a_forbidden_character_answers_bad_arguments(client, path, character):
    for name in (character, "a" + character, character + "b", "a" + character + "b"):
        assert create_err(client, path + "/" + name) == BAD_ARGUMENTS
    assert client.get_children(path) == []


@pytest.mark.parametrize("character", GOOD_CHARACTERS, ids=lambda c: "%04X" % ord(c))
def test_create_with_an_allowed_character_succeeds(client, path, character):
    for name in (character, "a" + character + "b"):
        assert client.create(path + "/" + name) == path + "/" + name
    assert client.get_children(path) == sorted([character, "a" + character + "b"])


@pytest.mark.parametrize(
    "text",
    [b"\xff", b"\xc3", b"\xc0\x80", b"\xe4\xb8", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80"]
    + [b"\xc1\xbf", b"\xe0\x80\x80", b"\xf4\x90\x80\x80", b"a\xe4b"],
    ids=lambda b: b.hex(),
)
def test_create_with_malformed_utf8_answers_bad_arguments(client, path, text):
    assert create_err(client, path.encode() + b"/" + text) == BAD_ARGUMENTS
    assert client.call(EXISTS, exists_request(path.encode() + b"/" + text)).err == NO_NODE


def test_create_with_a_null_path_answers_marshalling_error(client):
    for op in (CREATE, CREATE2, CREATE_CONTAINER):
        assert create_err(client, None, op=op) == MARSHALLING_ERROR


def test_null_data_stays_null_and_empty_data_empty(client, path):
    for name, data in (("null", None), ("empty", b"")):
        client.create(path + "/" + name, data)
        stored, stat = client.get_data(path + "/" + name)
        assert (stored, stat.dataLength) == (data, 0)
    client.set_data(path + "/empty", None)
    assert client.get_data(path + "/empty")[0] is None


@pytest.mark.parametrize("flags", [7, 8, -1, 2147483647, -2147483648])
def test_unknown_flags_answer_bad_arguments_before_anything_else(client, path, flags):
    for op in (CREATE, CREATE2, CREATE_CONTAINER):
        assert create_err(client, path + "/a", flags=flags, op=op) == BAD_ARGUMENTS
        assert create_err(client, None, flags=flags, op=op) == BAD_ARGUMENTS
        assert create_err(client, "", None, flags, op) == BAD_ARGUMENTS
    body = create_ttl_request(path + "/a", flags=flags)
    assert client.call(CREATE_TTL, body).err == BAD_ARGUMENTS


def test_ttl_flags_answer_unimplemented_without_extended_types(client, path):
    for op in (CREATE, CREATE2, CREATE_CONTAINER):
        for flags in (PERSISTENT_TTL, PERSISTENT_SEQUENTIAL_TTL):
            assert create_err(client, path + "/a", flags=flags, op=op) == UNIMPLEMENTED
            assert create_err(client, None, flags=flags, op=op) == UNIMPLEMENTED


@extended_types
def test_ttl_flags_in_other_creates_answer_bad_arguments_with_extended_types(client, path):
    for op in (CREATE, CREATE2, CREATE_CONTAINER):
        for flags in (PERSISTENT_TTL, PERSISTENT_SEQUENTIAL_TTL):
            assert create_err(client, path + "/a", flags=flags, op=op) == BAD_ARGUMENTS


def reaped_container(client, parent):
    """A container that has had a child: its removal shows that the janitor has made a round."""
    node = client.create(parent + "/reaped", flags=PERSISTENT)
    box = parse_path_stat(
        client.ok(CREATE_CONTAINER, create_request(node + "/box", flags=CONTAINER)).body
    )[0]
    client.create(box + "/child")
    client.exists(box, watch=True)
    client.delete(box + "/child")
    event = client.wait_event()
    assert (event.type, event.path) == (NODE_DELETED, box)
    client.delete(node)


janitor = pytest.mark.server(props={"znode.container.checkIntervalMs": 100})


@janitor
def test_create_with_flags_4_makes_a_persistent_node_that_is_not_reaped(client, path):
    for op in (CREATE, CREATE2):
        node = path + "/op%d" % op
        client.ok(op, create_request(node, flags=CONTAINER))
        client.create(node + "/child")
        client.delete(node + "/child")
    for _ in range(2):
        reaped_container(client, path)
    assert client.get_children(path) == ["op1", "op15"]


@janitor
@pytest.mark.parametrize("flags", [0, 1, 2, 3, 4])
def test_create_container_makes_a_container_whatever_the_flags(connect, client, path, flags):
    creator = connect()
    body = creator.ok(CREATE_CONTAINER, create_request(path + "/c", flags=flags)).body
    name, stat = parse_path_stat(body)
    assert name == path + "/c" + ("0000000000" if flags in (2, 3) else "")
    assert stat.ephemeralOwner == 0
    creator.close_session()
    assert client.exists(name).ephemeralOwner == 0, "it survives its session"
    client.create(name + "/child")
    client.exists(name, watch=True)
    client.delete(name + "/child")
    assert kinds([client.wait_event()]) == [(NODE_DELETED, name)]


@janitor
def test_a_container_that_was_emptied_is_removed_with_events(client, path):
    box = path + "/box"
    client.ok(CREATE_CONTAINER, create_request(box, flags=CONTAINER))
    client.create(box + "/child")
    client.exists(box, watch=True)
    client.get_children(path, watch=True)
    before = client.exists(path)
    client.delete(box + "/child")
    events = [client.wait_event(), client.wait_event()]
    assert kinds(events) == [(NODE_DELETED, box), (NODE_CHILDREN_CHANGED, path)]
    after = client.exists(path)
    assert (after.numChildren, after.cversion) == (0, before.cversion + 1)
    assert after.pzxid > before.pzxid


@janitor
def test_a_container_that_never_had_children_stays(client, path):
    client.ok(CREATE_CONTAINER, create_request(path + "/unused", flags=CONTAINER))
    for _ in range(2):
        reaped_container(client, path)
    assert client.exists(path + "/unused") is not None


@pytest.mark.server(
    props={
        "znode.container.checkIntervalMs": 100,
        "znode.container.maxNeverUsedIntervalMs": 300,
    }
)
def test_a_container_never_used_for_the_configured_time_is_removed(client, path):
    client.ok(ADD_WATCH, add_watch_request(path, 1))  # first: it may be gone when create has answered
    client.ok(CREATE_CONTAINER, create_request(path + "/unused", flags=CONTAINER))
    events = [client.wait_event(), client.wait_event()]
    assert kinds(events) == [(NODE_CREATED, path + "/unused"), (NODE_DELETED, path + "/unused")]


@janitor
def test_a_container_with_children_stays_and_a_client_may_delete_an_empty_one(client, path):
    for name in ("full", "empty"):
        client.ok(CREATE_CONTAINER, create_request(path + "/" + name, flags=CONTAINER))
    client.create(path + "/full/child", flags=EPHEMERAL)
    client.delete(path + "/empty")
    for _ in range(2):
        reaped_container(client, path)
    assert client.get_children(path) == ["full"]


def create_ttl_err(client, path, ttl, flags=PERSISTENT_TTL):
    return client.call(CREATE_TTL, create_ttl_request(path, flags=flags, ttl=ttl)).err


def test_create_ttl_answers_unimplemented_without_extended_types(client, path):
    for ttl in (1, 1000, 0, -1, MAX_TTL + 1):
        assert create_ttl_err(client, path + "/t", ttl) == UNIMPLEMENTED


@extended_types
def test_create_ttl_refuses_a_ttl_that_is_out_of_range(client, path):
    for ttl in (0, -1, MAX_TTL + 1, 1 << 62, -(1 << 63)):
        assert create_ttl_err(client, path + "/t", ttl) == BAD_ARGUMENTS
    assert create_ttl_err(client, path + "/short", 1) == OK
    assert create_ttl_err(client, path + "/long", MAX_TTL) == OK


@extended_types
def test_create_ttl_with_flags_of_another_mode_answers_bad_arguments(client, path):
    for flags in (0, 1, 2, 3, 4):
        for ttl in (1000, 0, MAX_TTL + 1):
            assert create_ttl_err(client, path + "/t", ttl, flags) == BAD_ARGUMENTS


@pytest.mark.parametrize("extended", ["true", "false"])
def test_create_ttl_with_flags_0_and_a_negative_ttl_is_refused(
    start_server, release, extended
):
    server = start_server(props={"zookeeper.extendedTypesEnabled": extended})
    with server.client() as client:
        if release.poison_ttl_kills:
            # real server: the request passes the checks, is logged, and its apply step throws.
            client.send(CREATE_TTL, create_ttl_request("/t", flags=0, ttl=-1))
            server.wait_exit()
        else:
            for flags in (0, 1, 2, 3, 4):
                assert create_ttl_err(client, "/t", -1, flags) == BAD_ARGUMENTS
            assert client.exists("/t") is None
            server.restart()
            assert server.alive()


def create_held(client, path, ttl):
    """A TTL node that has a child from its first moment: it stays until the child is deleted, however
    long a test is kept waiting. Its Stat."""
    return client.multi((CREATE_TTL, create_ttl_request(path, ttl=ttl)),
                        (CREATE, create_request(path + "/child")))[0].value[1]


def wait_removed(client, path):
    """Lets go of a held node."""
    client.exists(path, watch=True)
    client.delete(path + "/child")
    assert kinds([client.wait_event()]) == [(NODE_DELETED, path)]


def server_ms(client, path):
    return parse_path_stat(client.ok(CREATE2, create_request(path)).body)[1].ctime


@extended_types
def test_a_ttl_node_is_removed_after_its_ttl(client, path):
    stat = create_held(client, path + "/t", ttl=300)
    assert stat.ephemeralOwner == 0
    wait_removed(client, path + "/t")
    assert server_ms(client, path + "/now") - stat.mtime >= 300


@extended_types
def test_set_data_restarts_the_clock_of_a_ttl_node_and_a_child_stops_it(client, path):
    for name in ("touched", "parent", "plain"):
        create_held(client, path + "/" + name, ttl=600)
    wait_removed(client, path + "/plain")  # so the time of the others is over, too
    assert client.get_children(path) == ["parent", "touched"]
    touched = client.set_data(path + "/touched")
    wait_removed(client, path + "/touched")
    assert server_ms(client, path + "/now") - touched.mtime >= 600
    assert client.exists(path + "/parent") is not None
    wait_removed(client, path + "/parent")


@extended_types
def test_a_sequential_ttl_node_gets_a_number_and_may_have_ephemeral_children(client, path):
    body = create_ttl_request(path + "/t-", flags=PERSISTENT_SEQUENTIAL_TTL, ttl=60000)
    name = parse_path_stat(client.ok(CREATE_TTL, body).body)[0]
    assert name == path + "/t-0000000000"
    assert client.create(name + "/e", flags=EPHEMERAL) == name + "/e"


@extended_types
def test_replies_with_a_stat_are_the_state_after_the_create(client, path):
    for op, body in (
        (CREATE2, create_request(path + "/two", b"abc")),
        (CREATE_CONTAINER, create_request(path + "/box", b"abc", flags=CONTAINER)),
        (CREATE_TTL, create_ttl_request(path + "/ttl", b"abc", ttl=60000)),
    ):
        reply = client.ok(op, body)
        name, stat = parse_path_stat(reply.body)
        assert stat.czxid == stat.mzxid == stat.pzxid == reply.zxid
        assert stat == client.exists(name)
        assert (stat.dataLength, stat.version, stat.cversion, stat.numChildren) == (3, 0, 0, 0)


def test_an_ephemeral_node_gets_no_child_whatever_else_is_asked(client, path):
    client.create(path + "/e", flags=EPHEMERAL)
    assert create_err(client, path + "/e/c") == NO_CHILDREN_FOR_EPHEMERALS
    assert create_err(client, path + "/e/..") == BAD_ARGUMENTS
    assert create_err(client, path + "/e/c", None) == INVALID_ACL
    assert create_err(client, path + "/e/c", flags=EPHEMERAL) == NO_CHILDREN_FOR_EPHEMERALS


def test_an_invalid_acl_comes_before_a_missing_parent(client, path):
    assert create_err(client, path + "/no/c", []) == INVALID_ACL
    assert create_err(client, path + "/no/c") == NO_NODE
    assert create_err(client, path + "/..", []) == INVALID_ACL


def test_missing_create_permission_comes_before_an_existing_node(client, path):
    client.create(path + "/p")
    client.create(path + "/p/c")
    client.ok(SET_ACL, set_acl_request(path + "/p", ANYONE_READS))
    assert create_err(client, path + "/p/c") == NO_AUTH
    assert create_err(client, path + "/p/..") == NO_AUTH
    assert create_err(client, path + "/p/new", None) == INVALID_ACL


def test_the_sequence_number_counts_all_children_ever_created(client, path):
    for kind, flags in (("p", PERSISTENT_SEQUENTIAL), ("e", EPHEMERAL_SEQUENTIAL)):
        parent = client.create(path + "/" + kind)
        assert client.create(parent + "/s-", flags=flags) == parent + "/s-0000000000"
        for n in range(3):
            client.create(parent + "/n%d" % n, flags=n % 2)
        assert client.create(parent + "/s-", flags=flags) == parent + "/s-0000000004"


def test_deleting_children_does_not_lower_the_number(client, path):
    for n in range(3):
        client.delete(client.create(path + "/s", flags=PERSISTENT_SEQUENTIAL))
    assert client.create(path + "/s", flags=PERSISTENT_SEQUENTIAL) == path + "/s0000000003"


def test_pipelined_sequential_creates_get_consecutive_numbers(client, path):
    create = (CREATE, create_request(path + "/s", flags=PERSISTENT_SEQUENTIAL))
    replies = pipeline(client, *[create] * 20)
    assert [parse_path(r.body) for r in replies] == [path + "/s%010d" % n for n in range(20)]


def test_the_number_is_appended_before_the_path_is_checked(client, path):
    seq = PERSISTENT_SEQUENTIAL
    assert client.create(path + "/", flags=seq) == path + "/0000000000"
    assert client.create(path + "/.", flags=seq) == path + "/.0000000001"
    assert create_err(client, "//", flags=seq) == BAD_ARGUMENTS
    assert create_err(client, "", flags=seq) == BAD_ARGUMENTS
    root = client.create("/", flags=seq)
    assert re_sequence(root)
    client.delete(root)


def re_sequence(path):
    return len(path) == 11 and path[0] == "/" and path[1:].isdigit()


@pytest.fixture(scope="module")
def extremes(target):
    """Nodes at the ends of their counters, from a snapshot."""
    server = Server(target, {}, {})
    write_snapshot(
        server.data_dir,
        {
            "/max": {"cversion": 2147483647, "pzxid": 5},
            "/last": {"cversion": 2147483646, "pzxid": 5},
            "/negative": {"cversion": -3},
            "/version-max": {"version": 2147483647, "aversion": 2147483647},
            "/version-minus-2": {"version": -2, "aversion": -2},
        },
    )
    server.start()
    yield server
    server.close()


def test_the_sequence_freezes_at_2147483647(extremes):
    seq = PERSISTENT_SEQUENTIAL
    with extremes.client() as client:
        assert client.create("/max/s-", flags=seq) == "/max/s-2147483647"
        frozen = client.exists("/max")
        assert (frozen.numChildren, frozen.pzxid) == (1, 5)
        assert create_err(client, "/max/s-", flags=seq) == NODE_EXISTS
        assert client.create("/max/other-", flags=seq) == "/max/other-2147483647"
        after = client.exists("/max")
        assert (after.numChildren, after.pzxid) == (2, 5)
        # Reported: twice the stored counter less the children, in 32 bits.
        assert frozen.cversion == -2 - 1
        assert after.cversion == -2 - 2


def test_the_step_to_2147483647_still_counts(extremes):
    with extremes.client() as client:
        assert client.create("/last/a", flags=PERSISTENT_SEQUENTIAL) == "/last/a2147483646"
        assert client.exists("/last").pzxid > 5
        assert client.create("/last/b", flags=PERSISTENT_SEQUENTIAL) == "/last/b2147483647"


def test_a_negative_counter_is_padded_to_ten_characters(extremes):
    with extremes.client() as client:
        assert client.create("/negative/", flags=2) == "/negative/-000000003"
        assert client.create("/negative/x", flags=2) == "/negative/x-000000002"


def test_a_version_wraps_in_32_bits(extremes):
    with extremes.client() as client:
        assert client.set_data("/version-max").version == -2147483648
        acl = parse_stat(client.ok(SET_ACL, set_acl_request("/version-max")).body)
        assert acl.aversion == -2147483648


def test_version_minus_2_becomes_minus_1_up_to_3_9(extremes):
    # 3.10 skips -1 and goes to 0; 3.8 and 3.9.5, which Paddock follows, do not.
    with extremes.client() as client:
        assert client.call(SET_DATA, set_data_request("/version-minus-2", b"", 5)).err == BAD_VERSION
        assert client.set_data("/version-minus-2", b"", -2).version == -1
        acl = parse_stat(client.ok(SET_ACL, set_acl_request("/version-minus-2")).body)
        assert acl.aversion == -1
        assert client.set_data("/version-minus-2", b"", -1).version == 0


def test_nodes_below_zookeeper_may_be_created_but_not_below_config(client):
    client.create("/zookeeper/x")
    client.delete("/zookeeper/x")
    assert create_err(client, "/zookeeper/config/x") == NO_AUTH
    for special in ("/zookeeper", "/zookeeper/config", "/zookeeper/quota"):
        assert create_err(client, special) == NODE_EXISTS
