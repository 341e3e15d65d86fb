"""ACLs, identities and the schemes (docs/protocol.md, "ACLs and identities")."""

import base64
import hashlib

import pytest

from pylib.zkwire import *

from .util import reattach

UP = "u:Jq7wMyA/w2Vd5WIDAKdu4OIIFEQ="
SUPER = b"super:secret"


def create_err(client, path, acls, op=CREATE):
    return client.call(op, create_request(path, b"", acls)).err


def world(perms):
    return [Acl(perms, "world", "anyone")]


def test_an_auth_entry_becomes_the_digest_of_the_caller(client, path):
    assert client.auth("digest", b"u:p").err == OK
    client.create(path + "/n", acls=[Acl(ALL, "auth", "ignored")])
    assert client.get_acl(path + "/n")[0] == [Acl(ALL, "digest", UP)]
    assert UP == digest_id(b"u:p")


def test_an_auth_entry_becomes_one_entry_per_identity(client, path):
    assert create_err(client, path + "/n", [Acl(ALL, "auth", "")]) == INVALID_ACL
    assert client.auth("ip", b"").err == OK
    assert create_err(client, path + "/n", [Acl(ALL, "auth", "")]) == INVALID_ACL, "ip is none"
    client.auth("digest", b"u:p")
    client.auth("digest", b"v:q")
    client.create(path + "/n", acls=world(READ) + [Acl(5, "auth", "")] + world(ADMIN))
    acls = client.get_acl(path + "/n")[0]
    assert acls[0] == world(READ)[0] and acls[-1] == world(ADMIN)[0]
    assert sorted(acls[1:-1]) == sorted(
        Acl(5, "digest", digest_id(d)) for d in (b"u:p", b"v:q")
    )


INVALID = [
    None,
    [],
    [Acl(ALL, "nosuch", "x")],
    [Acl(ALL, "world", "other")],
    [Acl(ALL, "world", "")],
    [Acl(ALL, None, "x")],
    [Acl(ALL, "", "x")],
    [Acl(ALL, "digest", "abc")],
    [Acl(ALL, "digest", "a:")],
    [Acl(ALL, "digest", "a:b:c")],
    [Acl(ALL, "digest", "")],
    [Acl(ALL, "digest", ":")],
    [Acl(ALL, "ip", "foo")],
    [Acl(ALL, "ip", "1.2.3")],
    [Acl(ALL, "ip", "1.2.3.4/33")],
    [Acl(ALL, "ip", "1.2.3.4/-1")],
    [Acl(ALL, "ip", "1.2.3.256")],
    [Acl(ALL, "ip", "1.2.3.4.5")],
    [Acl(ALL, "ip", "")],
    [Acl(ALL, "ip", "1.2.3.4/x")],
    [Acl(ALL, "sasl", "u")],
    [Acl(ALL, "x509", "CN=a")],
    [Acl(ALL, "super", "")],
    [Acl(ALL, "ensemble", "a")],
    [Acl(ALL, "World", "anyone")],
    [Acl(ALL, "world", "anyone"), Acl(ALL, "nosuch", "x")],
]


@pytest.mark.parametrize("acls", INVALID, ids=str)
def test_an_invalid_acl_answers_invalid_acl(client, path, acls):
    for op in (CREATE, CREATE2, CREATE_CONTAINER):
        assert create_err(client, path + "/n", acls, op) == INVALID_ACL
    assert client.call(SET_ACL, set_acl_request(path, acls)).err == INVALID_ACL
    assert client.exists(path).aversion == 0


@pytest.mark.parametrize("scheme", ["world", "digest", "ip"])
def test_an_id_that_is_null_answers_marshalling_error(client, path, scheme):
    assert create_err(client, path + "/n", [Acl(ALL, scheme, None)]) == MARSHALLING_ERROR


@pytest.mark.parametrize(
    "acls",
    [
        [Acl(ALL, "digest", ":b")],
        [Acl(ALL, "digest", "a:b")],
        [Acl(ALL, "ip", "127.0.0.0/8")],
        [Acl(ALL, "ip", "127.0.0.1")],
        [Acl(ALL, "ip", "1.2.3.4/0"), Acl(1, "ip", "1.2.3.4/32")],
        [Acl(0, "world", "anyone")],
        [Acl(255, "world", "anyone")],
        [Acl(-1, "world", "anyone")],
    ],
    ids=str,
)
def test_valid_acls_are_stored_and_returned_unchanged(connect, path, acls):
    creator = connect()
    creator.auth("digest", b"reader:x")
    mine = [Acl(ADMIN, "auth", "")]
    creator.create(path + "/n", acls=acls + mine)
    stored = creator.get_acl(path + "/n")[0]
    assert stored == acls + [Acl(ADMIN, "digest", digest_id(b"reader:x"))]


def test_exact_duplicates_collapse_and_order_is_kept(client, path):
    a, b, c = Acl(1, "world", "anyone"), Acl(16, "world", "anyone"), Acl(31, "ip", "127.0.0.1")
    client.create(path + "/n", acls=[c, a, b, a, c, b])
    assert client.get_acl(path + "/n")[0] == [c, a, b]


def test_ip_acls_match_by_address_and_bits(client, path):
    for acl_id, err in (
        ("127.0.0.0/8", OK),
        ("127.0.0.1", OK),
        ("127.0.0.1/32", OK),
        ("127.255.0.0/9", NO_AUTH),
        ("10.0.0.0/8", NO_AUTH),
        ("127.0.0.2", NO_AUTH),
        ("127.0.0.3/31", NO_AUTH),
        ("10.0.0.0/0", OK),
    ):
        node = client.create(path + "/s", acls=[Acl(ALL, "ip", acl_id)], flags=2)
        assert client.call(GET_DATA, get_data_request(node)).err == err, acl_id


@pytest.mark.parametrize(
    "acl_id, valid",
    [("::1", True), ("2001:db8::/32", True), ("0:0:0:0:0:0:0:1", True), ("fe80::1/128", True)]
    + [("::", True), ("1::2::3", False), ("::1/129", False), ("12345::", False), (":::", False)]
    + [("1:2:3", False), ("g::", False), ("::ffff:1.2.3.4", False)],
)
def test_an_ipv6_acl_is_valid_where_its_release_knows_them(client, path, release, acl_id, valid):
    err = create_err(client, path + "/n", [Acl(ALL, "ip", acl_id)])
    assert err == (OK if valid and release.ipv6_in_acl else INVALID_ACL)
    if err == OK:
        assert client.call(GET_DATA, get_data_request(path + "/n")).err == NO_AUTH


def test_get_acl_masks_digests_for_readers(connect, client, path):
    entry = [Acl(ALL, "digest", UP)]
    ip = [Acl(READ, "ip", "127.0.0.1")]
    client.create(path + "/read", acls=entry + ip)
    client.create(path + "/admin", acls=entry + world(ADMIN))
    client.create(path + "/neither", acls=entry + world(ALL & ~READ & ~ADMIN))
    assert client.get_acl(path + "/read")[0] == [Acl(ALL, "digest", "u:x")] + ip
    assert client.get_acl(path + "/admin")[0] == entry + world(ADMIN)
    assert client.call(GET_ACL, get_acl_request(path + "/neither")).err == NO_AUTH
    owner = connect()
    owner.auth("digest", b"u:p")
    assert owner.get_acl(path + "/read")[0] == entry + ip
    assert owner.get_acl(path + "/neither")[0][0] == entry[0]


def test_getting_an_acl_returns_the_stat(client, path):
    assert client.get_acl(path) == (OPEN_ACL, client.exists(path))


@pytest.mark.parametrize("scheme", ["nosuch", "world", "auth", "super", "sasl", "x509", "", None])
def test_auth_with_an_unusable_scheme_fails_and_closes(server, connect, scheme):
    raw = connect()
    assert raw.auth(scheme, b"x") == Reply(XID_AUTH, 0, AUTH_FAILED, b"")
    raw.expect_eof()
    reattach(server, raw)


def test_auth_with_ip_or_empty_digest_data_succeeds_and_null_fails(client):
    assert client.auth("ip", b"whatever").err == OK
    assert client.auth("ip", None).err == OK
    assert client.auth("digest", b"").err == OK
    assert client.auth("digest", b"nocolon").err == OK
    assert client.who_am_i() == [("digest", ""), ("digest", "nocolon"), ("ip", "127.0.0.1")]
    assert client.auth("digest", None).err == AUTH_FAILED
    client.expect_eof()


def test_the_type_of_an_auth_packet_is_ignored(client):
    assert client.call(AUTH, auth_packet("digest", b"a:b", 99)).err == OK
    assert ("digest", "a") in client.who_am_i()


def test_a_digest_hashes_all_bytes_of_the_data(client, path):
    for data in (b"a:b:c", b"nocolon", b"\xff:\xfe", b":p", b"\xe4\xb8\xad:\xe6"):
        client.auth("digest", data)
    client.create(path + "/n", acls=[Acl(ALL, "auth", "")])
    stored = {a.id.split(":", 1)[1] for a in client.get_acl(path + "/n")[0]}
    assert base64.b64encode(hashlib.sha1(b"a:b:c").digest()).decode() in stored
    assert base64.b64encode(hashlib.sha1(b"nocolon").digest()).decode() in stored
    assert base64.b64encode(hashlib.sha1(b":p").digest()).decode() in stored


super_server = pytest.mark.server(
    props={"zookeeper.DigestAuthenticationProvider.superDigest": digest_id(SUPER)}
)


@super_server
def test_the_super_digest_opens_everything(connect, client, path):
    nobody = client.create(path + "/n", b"x", acls=world(0))
    other = client.create(path + "/o", b"x", acls=[Acl(ALL, "digest", "a:b")])
    superuser = connect()
    assert superuser.auth("digest", SUPER).err == OK
    for node in (nobody, other):
        assert superuser.get_data(node)[0] == b"x"
        superuser.set_data(node)
        superuser.create(node + "/c")
        superuser.delete(node + "/c")
    assert superuser.get_acl(other)[0] == [Acl(ALL, "digest", "a:b")]
    assert superuser.who_am_i() == [("digest", "super"), ("ip", "127.0.0.1"), ("super", "")]
    assert superuser.call(CREATE, create_request("/zookeeper/config/x")).err == OK
    superuser.delete("/zookeeper/config/x")
    # super is not an identity that an auth entry stands for.
    superuser.create(path + "/mine", acls=[Acl(ALL, "auth", "")])
    assert superuser.get_acl(path + "/mine")[0] == [Acl(ALL, "digest", digest_id(SUPER))]


@super_server
def test_a_wrong_super_password_opens_nothing(client, path):
    client.create(path + "/n", acls=world(0))
    assert client.auth("digest", b"super:wrong").err == OK
    assert client.call(GET_DATA, get_data_request(path + "/n")).err == NO_AUTH


def test_an_auth_does_not_reach_back_to_earlier_requests(client, path):
    client.create(path + "/n", acls=[Acl(ALL, "digest", UP)])
    read = frame(int32(1000) + int32(GET_DATA) + get_data_request(path + "/n"))
    auth = frame(int32(XID_AUTH) + int32(AUTH) + auth_packet("digest", b"u:p"))
    client.send_bytes(read + auth)
    replies = {r.xid: r for r in (client.recv(), client.recv())}
    assert replies[1000].err == NO_AUTH
    assert replies[XID_AUTH].err == OK
    assert client.call(GET_DATA, get_data_request(path + "/n")).err == OK


def test_an_auth_reaches_the_requests_behind_it(client, path):
    client.create(path + "/n", acls=[Acl(ALL, "digest", UP)])
    client.send_bytes(
        frame(int32(XID_AUTH) + int32(AUTH) + auth_packet("digest", b"u:p"))
        + frame(int32(1001) + int32(GET_DATA) + get_data_request(path + "/n"))
    )
    assert [client.recv().err, client.recv().err] == [OK, OK]


def test_identities_belong_to_the_connection_not_to_the_session(server, connect, path):
    first = connect()
    first.auth("digest", b"u:p")
    first.create(path + "/n", acls=[Acl(ALL, "digest", UP)])
    first.disconnect()
    again = reattach(server, first)
    assert again.call(GET_DATA, get_data_request(path + "/n")).err == NO_AUTH


@pytest.mark.server(
    config={"enforce.auth.enabled": "true", "enforce.auth.schemes": "digest"}
)
def test_enforced_auth_refuses_everything_before_it(connect):
    for op, body in (
        (GET_DATA, get_data_request("/")),
        (PING, b""),
        (CREATE, create_request("/t135")),
        (CLOSE_SESSION, b""),
    ):
        raw = connect()
        reply = raw.call(op, body, xid=XID_PING if op == PING else 5)
        assert (reply.err, reply.zxid, reply.body) == (SESSION_CLOSED_REQUIRE_SASL_AUTH, 0, b"")
        raw.expect_eof()
    raw = connect()
    assert raw.auth("digest", b"u:p").err == OK
    assert raw.exists("/t135") is None
    assert raw.ping().err == OK


@pytest.mark.server(
    props={
        "zookeeper.authProvider.1": (
            "org.apache.zookeeper.server.auth.EnsembleAuthenticationProvider"
        ),
        "zookeeper.ensembleAuthName": "alpha,beta",
    }
)
def test_the_ensemble_scheme_closes_on_a_wrong_name(server, connect):
    for name in (b"alpha", b"beta", b""):
        raw = connect()
        assert raw.auth("ensemble", name).err == OK
        assert raw.who_am_i() == [("ip", "127.0.0.1")], "it adds no identity"
        assert create_err(raw, "/t136", [Acl(ALL, "ensemble", "alpha")]) == INVALID_ACL
    raw = connect()
    raw.send(AUTH, auth_packet("ensemble", b"gamma"), xid=XID_AUTH)
    raw.expect_eof()
    reattach(server, raw)


@pytest.mark.server(config={"skipACL": "yes"})
def test_skip_acl_grants_everything_and_still_refuses_an_empty_list(client, path):
    node = client.create(path + "/n", b"x", acls=world(0))
    client.get_data(node)
    client.set_data(node)
    client.create(node + "/c")
    client.delete(node + "/c")
    client.ok(SET_ACL, set_acl_request(node, world(0)))
    client.get_acl(node)
    assert create_err(client, path + "/m", []) == INVALID_ACL
    assert create_err(client, path + "/m", [Acl(1, "nosuch", "x")]) == INVALID_ACL


@pytest.mark.server(props={"zookeeper.DigestAuthenticationProvider.enabled": "false"})
def test_digest_can_be_switched_off(client, path):
    assert create_err(client, path + "/n", [Acl(ALL, "digest", "a:b")]) == INVALID_ACL
    assert client.auth("digest", b"u:p").err == AUTH_FAILED
    client.expect_eof()


@pytest.mark.server(props={"zookeeper.DigestAuthenticationProvider.digestAlg": "SHA-256"})
def test_the_hash_of_digest_identities_can_be_chosen(client, path):
    client.auth("digest", b"u:p")
    client.create(path + "/n", acls=[Acl(ALL, "auth", "")])
    sha256 = base64.b64encode(hashlib.sha256(b"u:p").digest()).decode()
    assert client.get_acl(path + "/n")[0] == [Acl(ALL, "digest", "u:" + sha256)]


# -- which permission each operation asks for (7.1)

NEEDS = [
    ("create", CREATE_PERM, lambda n: (CREATE, create_request(n + "/new"))),
    ("create2", CREATE_PERM, lambda n: (CREATE2, create_request(n + "/new"))),
    ("container", CREATE_PERM, lambda n: (CREATE_CONTAINER, create_request(n + "/new", flags=4))),
    ("delete", DELETE_PERM, lambda n: (DELETE, delete_request(n + "/child"))),
    ("setData", WRITE, lambda n: (SET_DATA, set_data_request(n))),
    ("setACL", ADMIN, lambda n: (SET_ACL, set_acl_request(n))),
    ("getData", READ, lambda n: (GET_DATA, get_data_request(n))),
    ("getChildren", READ, lambda n: (GET_CHILDREN, get_children_request(n))),
    ("getChildren2", READ, lambda n: (GET_CHILDREN2, get_children2_request(n))),
    ("getAllChildrenNumber", READ,
     lambda n: (GET_ALL_CHILDREN_NUMBER, get_all_children_number_request(n))),
    ("getACL", READ | ADMIN, lambda n: (GET_ACL, get_acl_request(n))),
]  # fmt: skip


@pytest.mark.parametrize("name, bits, request_of", NEEDS, ids=[n[0] for n in NEEDS])
def test_each_operation_needs_exactly_its_permission(client, path, name, bits, request_of):
    for perms in (READ, WRITE, CREATE_PERM, DELETE_PERM, ADMIN):
        node = client.create(path + "/p%d" % perms)
        client.create(node + "/child")
        client.ok(SET_ACL, set_acl_request(node, world(perms)))
        op, body = request_of(node)
        assert client.call(op, body).err == (OK if perms & bits else NO_AUTH)


def test_permissions_of_several_entries_add_up(client, path):
    node = client.create(path + "/n", acls=world(READ) + [Acl(WRITE, "ip", "127.0.0.1")])
    client.get_data(node)
    client.set_data(node)
    assert create_err(client, node + "/c", OPEN_ACL) == NO_AUTH


def test_an_acl_with_foreign_digest_lets_nobody_in(connect, client, path):
    node = client.create(path + "/n", acls=[Acl(ALL, "digest", UP)])
    assert client.call(GET_DATA, get_data_request(node)).err == NO_AUTH
    stranger = connect()
    stranger.auth("digest", b"u:other")
    assert stranger.call(GET_DATA, get_data_request(node)).err == NO_AUTH
    stranger.auth("digest", b"u:p")
    assert stranger.call(GET_DATA, get_data_request(node)).err == OK
