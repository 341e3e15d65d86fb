"""delete, setData, setACL: their checks and the order of these.

docs/protocol.md, "Writes: the order of checks".
"""

import pytest

from pylib.zkwire import *

from .util import pipeline

SPECIAL = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"]
READ_ONLY = [Acl(READ, "world", "anyone")]
BAD_ACL = [Acl(ALL, "nosuch", "x")]

SUPER = b"super:secret"
with_super = pytest.mark.server(
    props={"zookeeper.DigestAuthenticationProvider.superDigest": digest_id(SUPER)}
)


def delete_err(client, path, version=-1):
    return client.call(DELETE, delete_request(path, version)).err


def set_err(client, path, version=-1):
    return client.call(SET_DATA, set_data_request(path, b"new", version)).err


def set_acl_err(client, path, acls=OPEN_ACL, version=-1):
    return client.call(SET_ACL, set_acl_request(path, acls, version)).err


@pytest.mark.parametrize("path", SPECIAL + ["", "foo", "/a\0b"])
def test_delete_of_special_and_malformed_paths_answers_bad_arguments(client, path):
    assert delete_err(client, path) == BAD_ARGUMENTS
    assert delete_err(client, path, 99) == BAD_ARGUMENTS


def test_delete_of_a_null_path_answers_marshalling_error(client):
    assert delete_err(client, None) == MARSHALLING_ERROR


def test_delete_of_a_missing_node_answers_no_node_for_any_version(client, path):
    for version in (-1, 0, 5, -2):
        assert delete_err(client, path + "/m", version) == NO_NODE
        assert delete_err(client, path + "/m/c", version) == NO_NODE
    assert delete_err(client, path + "/") == NO_NODE
    assert delete_err(client, path + "//x") == NO_NODE
    assert delete_err(client, path + "/..") == NO_NODE


def test_the_version_comes_before_emptiness(client, path):
    client.create(path + "/p")
    client.create(path + "/p/c")
    assert delete_err(client, path + "/p", 7) == BAD_VERSION
    assert delete_err(client, path + "/p", 0) == NOT_EMPTY
    assert delete_err(client, path + "/p", -1) == NOT_EMPTY
    assert client.exists(path + "/p/c") is not None


def test_delete_compares_the_version(client, path):
    client.create(path + "/n")
    client.set_data(path + "/n")
    assert delete_err(client, path + "/n", 0) == BAD_VERSION
    assert delete_err(client, path + "/n", -2) == BAD_VERSION
    assert delete_err(client, path + "/n", 1) == OK
    assert client.exists(path + "/n") is None


def test_permission_comes_before_existence(client, path):
    client.create(path + "/p")
    client.create(path + "/p/c")
    client.ok(SET_ACL, set_acl_request(path + "/p", READ_ONLY))
    assert delete_err(client, path + "/p/missing") == NO_AUTH
    assert delete_err(client, path + "/p/c", 9) == NO_AUTH
    assert delete_err(client, path + "/p/c") == NO_AUTH


def test_delete_needs_no_permission_on_the_node_itself(client, path):
    client.create(path + "/n", acls=[Acl(0, "world", "anyone")])
    assert delete_err(client, path + "/n") == OK


def test_set_data_with_wrong_version_answers_bad_version_and_changes_nothing(client, path):
    client.set_data(path, b"one")
    before = client.set_data(path, b"two")
    assert before.version == 2
    for version in (3, 0, 1, -2, 2147483647, -2147483648):
        assert set_err(client, path, version) == BAD_VERSION
    assert client.get_data(path) == (b"two", before)


def test_set_data_with_version_minus_1_fits_any_version(client, path):
    client.set_data(path, b"", 0)
    client.set_data(path, b"", 1)
    assert client.set_data(path, b"", -1).version == 3
    assert set_err(client, path, -2) == BAD_VERSION
    assert client.set_data(path, b"", 3).version == 4


@pytest.mark.parametrize("path", ["", "foo", "/zookeeper/", "//", "/a//b", "/./a", "/a\0", None])
def test_set_data_on_a_malformed_path_answers_bad_arguments(client, path):
    assert set_err(client, path) == BAD_ARGUMENTS


@pytest.mark.server(name="root data")
def test_set_data_on_the_root_succeeds(client):
    for node in ("/", "/zookeeper", "/zookeeper/quota"):
        assert client.set_data(node, b"x").version == 1
        assert client.get_data(node)[0] == b"x"


def test_set_data_on_a_missing_node_answers_no_node(client, path):
    assert set_err(client, path + "/m", 5) == NO_NODE


def test_set_data_permission_comes_before_the_version(client, path):
    client.create(path + "/n", acls=READ_ONLY)
    assert set_err(client, path + "/n", 9) == NO_AUTH
    assert set_err(client, path + "/n") == NO_AUTH
    assert client.get_data(path + "/n")[1].version == 0


@with_super
def test_only_super_may_set_the_data_of_config(connect, client):
    assert set_err(client, "/zookeeper/config", 44) == NO_AUTH
    superuser = connect()
    assert superuser.auth("digest", SUPER).err == OK
    assert set_err(superuser, "/zookeeper/config", 44) == BAD_VERSION
    before = superuser.exists("/zookeeper/config").version
    assert superuser.set_data("/zookeeper/config", b"").version == before + 1


def test_set_acl_raises_aversion_only_and_fires_nothing(client, path):
    client.get_data(path, watch=True)
    client.get_children(path, watch=True)
    client.get_children("/", watch=False)
    before = client.exists(path, watch=True)
    after = parse_stat(client.ok(SET_ACL, set_acl_request(path, OPEN_ACL, 0)).body)
    assert after == before._replace(aversion=1)
    assert client.exists(path) == after
    assert client.take_events() == []


def test_an_invalid_acl_comes_before_a_missing_node_and_missing_admin(client, path):
    client.create(path + "/n", acls=READ_ONLY)
    for acls in (BAD_ACL, None, []):
        assert set_acl_err(client, path + "/n", acls) == INVALID_ACL
        assert set_acl_err(client, path + "/m", acls) == INVALID_ACL
    assert set_acl_err(client, path + "/m") == NO_NODE
    for bad in ("", "foo", path + "/", "//", None):
        assert set_acl_err(client, bad, BAD_ACL) == BAD_ARGUMENTS


def test_set_acl_permission_comes_before_the_version(client, path):
    client.create(path + "/n", acls=READ_ONLY)
    assert set_acl_err(client, path + "/n", OPEN_ACL, 9) == NO_AUTH
    assert set_acl_err(client, path + "/n") == NO_AUTH


def test_set_acl_compares_the_aversion(client, path):
    assert set_acl_err(client, path, OPEN_ACL, 1) == BAD_VERSION
    assert set_acl_err(client, path, OPEN_ACL, -2) == BAD_VERSION
    assert set_acl_err(client, path, OPEN_ACL, 0) == OK
    assert set_acl_err(client, path, OPEN_ACL, 1) == OK
    assert client.exists(path).aversion == 2


@pytest.mark.server(name="root acl")
def test_the_acl_of_the_root_and_of_quota_may_be_changed(client):
    assert set_acl_err(client, "/zookeeper/config") == NO_AUTH
    for node in ("/", "/zookeeper", "/zookeeper/quota"):
        assert set_acl_err(client, node) == OK


def test_pipelined_writes_see_those_before_them(client, path):
    node = path + "/n"
    replies = pipeline(
        client,
        (CREATE, create_request(node)),
        (SET_DATA, set_data_request(node, b"x", 0)),
        (SET_DATA, set_data_request(node, b"y", 0)),
        (CREATE, create_request(node + "/c")),
        (DELETE, delete_request(node, 1)),
        (DELETE, delete_request(node + "/c")),
        (SET_ACL, set_acl_request(node, OPEN_ACL, 0)),
        (SET_ACL, set_acl_request(node, OPEN_ACL, 0)),
        (GET_DATA, get_data_request(node)),
        (DELETE, delete_request(node, 1)),
        (SET_DATA, set_data_request(node, b"z", 1)),
    )
    assert [r.err for r in replies] == [
        OK, OK, BAD_VERSION, OK, NOT_EMPTY, OK, OK, BAD_VERSION, OK, OK, NO_NODE,
    ]  # fmt: skip
    assert parse_data(replies[8].body)[0] == b"x"


def test_a_write_pipelined_behind_set_acl_meets_the_new_acl(client, path, release):
    # real server: its record of a pending setACL carries the new aversion but the old list, so the
    # answer depends on whether the setACL has been applied by then.
    replies = pipeline(
        client,
        (SET_ACL, set_acl_request(path, READ_ONLY)),
        (SET_DATA, set_data_request(path, b"x")),
    )
    assert replies[0].err == OK
    assert replies[1].err in release.write_behind_set_acl
    assert set_err(client, path) == NO_AUTH
