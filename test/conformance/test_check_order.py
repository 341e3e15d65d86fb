"""Which error is returned when a request is wrong in two ways.

Each case breaks two rows of a table in docs/protocol.md, "Writes: the order of checks" or "Reads"; the
error of the earlier row must be returned.
"""

import pytest

from pylib.zkwire import *

from .util import make_quota

BAD_ACL = [Acl(ALL, "nosuch", "x")]
LOCKED = [Acl(0, "world", "anyone")]

enforced = pytest.mark.server(props={"zookeeper.enforceQuota": "true"})


@pytest.fixture
def place(client, path):
    """Nodes of every kind that a check can stumble over."""
    client.create(path + "/open")
    client.create(path + "/open/child")
    client.create(path + "/locked")
    client.create(path + "/locked/child")
    client.create(path + "/locked/full")
    client.create(path + "/locked/full/child")
    client.create(path + "/e", flags=EPHEMERAL)
    client.create(path + "/locked-e", acls=LOCKED, flags=EPHEMERAL)
    client.create(path + "/secret", acls=LOCKED)
    client.ok(SET_ACL, set_acl_request(path + "/locked", LOCKED))
    return path


CREATE_CASES = [
    # (later and earlier fault, op, path below the place, keywords of the request, error)
    ("flags before null path", CREATE, None, dict(flags=7), BAD_ARGUMENTS),
    ("flags before acl", CREATE, "/open/n", dict(flags=-1, acls=BAD_ACL), BAD_ARGUMENTS),
    ("flags before parent", CREATE2, "/no/n", dict(flags=8), BAD_ARGUMENTS),
    ("ttl mode before null path", CREATE, None, dict(flags=5), UNIMPLEMENTED),
    ("ttl mode before path", CREATE2, "nope", dict(flags=6), UNIMPLEMENTED),
    ("ttl mode before ttl", CREATE_TTL, "/open/n", dict(flags=5, ttl=0), UNIMPLEMENTED),
    ("ttl mode before acl", CREATE_TTL, "/open/n", dict(flags=6, acls=None), UNIMPLEMENTED),
    ("ttl before null path", CREATE_TTL, None, dict(flags=0, ttl=1000), BAD_ARGUMENTS),
    ("ttl before acl", CREATE_TTL, "/open/n", dict(flags=0, acls=[]), BAD_ARGUMENTS),
    ("ttl before node exists", CREATE_TTL, "/open", dict(flags=0, ttl=9), BAD_ARGUMENTS),
    ("null path before acl", CREATE, None, dict(acls=BAD_ACL), MARSHALLING_ERROR),
    ("slash before acl", CREATE, "nope", dict(acls=BAD_ACL), BAD_ARGUMENTS),
    ("nul before acl", CREATE, "/a\0b", dict(acls=BAD_ACL), BAD_ARGUMENTS),
    ("nul before parent", CREATE, "/no/a\0b", dict(), BAD_ARGUMENTS),
    ("acl before parent", CREATE, "/no/n", dict(acls=BAD_ACL), INVALID_ACL),
    ("acl before permission", CREATE, "/locked/n", dict(acls=[]), INVALID_ACL),
    ("acl before path", CREATE, "/open/..", dict(acls=None), INVALID_ACL),
    ("acl before node exists", CREATE, "/open", dict(acls=BAD_ACL), INVALID_ACL),
    ("acl before ephemeral parent", CREATE, "/e/n", dict(acls=[]), INVALID_ACL),
    ("null acl id before parent", CREATE, "/no/n", dict(acls=[(1, "ip", None)]), MARSHALLING_ERROR),
    ("parent before path", CREATE, "/no/..", dict(), NO_NODE),
    ("parent before path of a sequence", CREATE, "/no/.\x01", dict(flags=2), NO_NODE),
    ("permission before path", CREATE, "/locked/.", dict(), NO_AUTH),
    ("permission before node exists", CREATE, "/locked/child", dict(), NO_AUTH),
    ("permission before ephemeral parent", CREATE, "/locked-e/n", dict(), NO_AUTH),
    ("path before ephemeral parent", CREATE, "/e/..", dict(), BAD_ARGUMENTS),
    ("path before ephemeral parent, container", CREATE_CONTAINER, "/e/\x7f", dict(flags=4),
     BAD_ARGUMENTS),
    ("ephemeral parent", CREATE2, "/e/n", dict(flags=1), NO_CHILDREN_FOR_EPHEMERALS),
]  # fmt: skip


def full(place, at):
    return place + at if at and at.startswith("/") else at


@pytest.mark.parametrize("why, op, at, options, err", CREATE_CASES, ids=[c[0] for c in CREATE_CASES])
def test_create_answers_the_first_failing_check(client, place, why, op, at, options, err):
    encode = create_ttl_request if op == CREATE_TTL else create_request
    before = client.exists(place + "/open")
    assert client.call(op, encode(full(place, at), **options)).err == err
    assert client.exists(place + "/open") == before


DELETE_CASES = [
    ("null path before version", None, 9, MARSHALLING_ERROR),
    ("slash before anything", "nope", 9, BAD_ARGUMENTS),
    ("special path before version", "/zookeeper", 9, BAD_ARGUMENTS),
    ("nul before parent", "/no/\0", -1, BAD_ARGUMENTS),
    ("parent before node", "/no/n", 9, NO_NODE),
    ("permission before node", "/locked/none", -1, NO_AUTH),
    ("permission before version", "/locked/child", 9, NO_AUTH),
    ("permission before children", "/locked/full", -1, NO_AUTH),
    ("node before version", "/open/none", 9, NO_NODE),
    ("version before children", "/open", 9, BAD_VERSION),
    ("children", "/open", 0, NOT_EMPTY),
]


@pytest.mark.parametrize("why, at, version, err", DELETE_CASES, ids=[c[0] for c in DELETE_CASES])
def test_delete_answers_the_first_failing_check(client, place, why, at, version, err):
    node = at if at == "/zookeeper" else full(place, at)
    assert client.call(DELETE, delete_request(node, version)).err == err


SET_DATA_CASES = [
    ("path before version", "/open/", 9, BAD_ARGUMENTS),
    ("null path", None, 9, BAD_ARGUMENTS),
    ("path before node", "/none//", -1, BAD_ARGUMENTS),
    ("node before version", "/none", 9, NO_NODE),
    ("permission before version", "/secret", 9, NO_AUTH),
    ("version", "/open", 9, BAD_VERSION),
]


@pytest.mark.parametrize("why, at, version, err", SET_DATA_CASES, ids=[c[0] for c in SET_DATA_CASES])
def test_set_data_answers_the_first_failing_check(client, place, why, at, version, err):
    assert client.call(SET_DATA, set_data_request(full(place, at), b"x", version)).err == err


SET_ACL_CASES = [
    ("path before acl", "/open/", BAD_ACL, 9, BAD_ARGUMENTS),
    ("null path before acl", None, BAD_ACL, 9, BAD_ARGUMENTS),
    ("acl before node", "/none", BAD_ACL, 9, INVALID_ACL),
    ("acl before permission", "/secret", [], 9, INVALID_ACL),
    ("acl before version", "/open", None, 9, INVALID_ACL),
    ("node before version", "/none", OPEN_ACL, 9, NO_NODE),
    ("permission before version", "/secret", OPEN_ACL, 9, NO_AUTH),
    ("version", "/open", OPEN_ACL, 9, BAD_VERSION),
]


@pytest.mark.parametrize("why, at, acls, version, err", SET_ACL_CASES, ids=[c[0] for c in SET_ACL_CASES])
def test_set_acl_answers_the_first_failing_check(client, place, why, at, acls, version, err):
    assert client.call(SET_ACL, set_acl_request(full(place, at), acls, version)).err == err


CHECK_CASES = [
    ("path before node", "/none/", 9, BAD_ARGUMENTS),
    ("node before version", "/none", 9, NO_NODE),
    ("permission before version", "/secret", 9, NO_AUTH),
    ("version", "/open", 9, BAD_VERSION),
]


@pytest.mark.parametrize("why, at, version, err", CHECK_CASES, ids=[c[0] for c in CHECK_CASES])
def test_check_answers_the_first_failing_check(client, place, why, at, version, err):
    results = client.multi((CHECK, check_version_request(full(place, at), version)))
    assert [r.err for r in results] == [err]


@enforced
def test_quota_is_the_last_check_of_create(client, place):
    make_quota(client, place, b"countHardLimit=1,byteHardLimit=0", b"")
    for path, acls, err in (
        ("/open/n", OPEN_ACL, QUOTA_EXCEEDED),
        ("/open/n", BAD_ACL, INVALID_ACL),
        ("/none/n", OPEN_ACL, NO_NODE),
        ("/locked/n", OPEN_ACL, NO_AUTH),
        ("/open/..", OPEN_ACL, BAD_ARGUMENTS),
        ("/open/child", OPEN_ACL, NODE_EXISTS),
        ("/e/n", OPEN_ACL, NO_CHILDREN_FOR_EPHEMERALS),
    ):
        assert client.call(CREATE, create_request(place + path, b"x", acls)).err == err, path


@enforced
def test_quota_comes_between_permission_and_version_of_set_data(client, place):
    make_quota(client, place, b"byteHardLimit=0", b"")
    for path, version, err in (
        ("/secret", 9, NO_AUTH),
        ("/none", 9, NO_NODE),
        ("/open", 9, QUOTA_EXCEEDED),
        ("/open", 0, QUOTA_EXCEEDED),
    ):
        assert client.call(SET_DATA, set_data_request(place + path, b"x", version)).err == err, path


READ_CASES = [
    (GET_DATA, get_data_request),
    (GET_CHILDREN, get_children_request),
    (GET_CHILDREN2, get_children2_request),
    (GET_ACL, get_acl_request),
    (GET_ALL_CHILDREN_NUMBER, get_all_children_number_request),
]


@pytest.mark.parametrize("op, encode", READ_CASES, ids=[str(op) for op, _ in READ_CASES])
def test_reads_check_null_then_existence_then_permission(client, place, op, encode):
    assert client.call(op, encode(None)).err == MARSHALLING_ERROR
    assert client.call(op, encode(place + "/secret/none")).err == NO_NODE
    assert client.call(op, encode(place + "/secret")).err == NO_AUTH
    assert client.call(op, encode(place + "/open")).err == OK


def test_reconfig_checks_that_it_is_enabled_before_its_arguments(client):
    body = reconfig_request("not a server", "x", "also not", 12345)
    assert client.call(RECONFIG, body).err == RECONFIG_DISABLED


@pytest.mark.server(config={"reconfigEnabled": "true"})
def test_reconfig_of_a_standalone_server_checks_nothing_else(client):
    body = reconfig_request("not a server", "x", "also not", 12345)
    assert client.call(RECONFIG, body).err == UNIMPLEMENTED


def test_set_watches_with_a_null_vector_registers_nothing(client, place):
    node = place + "/open"
    zxid = client.ping().zxid
    body = int64(zxid) + vector([node], ustring) + int32(0) + int32(-1)
    assert client.call(SET_WATCHES, body).err == MARSHALLING_ERROR
    assert client.is_open()


def test_add_watch_checks_its_mode_before_registering(client, place):
    assert client.call(ADD_WATCH, add_watch_request(place + "/open", 5)).err == MARSHALLING_ERROR
    client.set_data(place + "/open")
    assert client.take_events() == []
