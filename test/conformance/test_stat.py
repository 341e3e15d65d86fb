"""The Stat that clients see, and the tree of a fresh server (docs/protocol.md, "Stat")."""

import pytest

from pylib.zkwire import *


@pytest.mark.server(name="newborn")
def test_a_fresh_tree_has_its_exact_stats(client):
    zero = Stat(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
    config_acl = [Acl(READ, "world", "anyone")]
    for node, stat, children, acls in (
        ("/", zero._replace(cversion=-1, numChildren=1), ["zookeeper"], OPEN_ACL),
        ("/zookeeper", zero._replace(cversion=-2, numChildren=2), ["config", "quota"], OPEN_ACL),
        ("/zookeeper/quota", zero, [], OPEN_ACL),
        ("/zookeeper/config", zero._replace(aversion=-1), [], config_acl),
    ):
        assert client.get_data(node) == (b"", stat)
        assert client.get_children(node) == children
        assert client.get_acl(node) == (acls, stat)
    name, stat = parse_path_stat(client.ok(CREATE2, create_request("/first")).body)
    root = client.exists("/")
    assert (root.cversion, root.numChildren, root.pzxid) == (0, 2, stat.czxid)


def test_cversion_counts_creates_and_deletes(client, path):
    parent = client.create(path + "/p")
    seen = []
    for act in (client.create, client.create, client.delete, client.delete, client.create):
        act(parent + "/c%d" % (len(seen) % 2))
        stat = client.exists(parent)
        seen.append((stat.cversion, stat.numChildren))
    assert seen == [(1, 1), (2, 2), (3, 1), (4, 0), (5, 1)]


def test_a_child_changes_pzxid_and_nothing_else_of_its_parent(client, path):
    before = client.exists(path)
    for op, body in ((CREATE, create_request(path + "/c")), (DELETE, delete_request(path + "/c"))):
        zxid = client.ok(op, body).zxid
        after = client.exists(path)
        assert after.pzxid == zxid
        assert after == before._replace(
            pzxid=zxid, cversion=after.cversion, numChildren=after.numChildren
        )


def test_an_ephemeral_node_reports_its_owner(client, path):
    for flags in (EPHEMERAL, EPHEMERAL_SEQUENTIAL):
        name = client.create(path + "/e%d" % flags, flags=flags)
        assert client.exists(name).ephemeralOwner == client.session_id
    for flags in (PERSISTENT, PERSISTENT_SEQUENTIAL):
        assert client.exists(client.create(path + "/p%d" % flags, flags=flags)).ephemeralOwner == 0


@pytest.mark.server(props={"zookeeper.extendedTypesEnabled": "true"})
def test_container_and_ttl_nodes_report_owner_0(client, path):
    client.ok(CREATE_CONTAINER, create_request(path + "/c", flags=CONTAINER))
    client.ok(CREATE_TTL, create_ttl_request(path + "/t", ttl=60000))
    assert client.exists(path + "/c").ephemeralOwner == 0
    assert client.exists(path + "/t").ephemeralOwner == 0
    client.create(path + "/e", flags=EPHEMERAL)
    assert client.exists(path + "/e").ephemeralOwner == client.session_id


def test_closing_a_session_sets_the_pzxid_of_parents_to_its_zxid(connect, client, path):
    for parent in ("/p", "/q"):
        client.create(path + parent)
    other = connect()
    for node in ("/p/a", "/p/b", "/q/c"):
        other.create(path + node, flags=EPHEMERAL)
    zxid = other.close_session().zxid
    for parent, cversion in (("/p", 4), ("/q", 2)):
        stat = client.exists(path + parent)
        assert (stat.pzxid, stat.cversion, stat.numChildren) == (zxid, cversion, 0)


def test_ctime_stays_and_mtime_follows_set_data(client, path):
    import time

    client.create(path + "/n", b"abc")
    created = client.exists(path + "/n")
    assert created.ctime == created.mtime
    assert abs(created.ctime - time.time() * 1000) < 60000
    while True:  # until the clock has moved on
        changed = client.set_data(path + "/n", b"longer data")
        if changed.mtime > created.mtime:
            break
    assert changed.ctime == created.ctime
    assert changed.czxid == created.czxid
    assert changed.dataLength == 11
    assert changed.mzxid > created.mzxid
    assert changed.pzxid == created.pzxid
    client.create(path + "/n/c")
    assert client.exists(path + "/n").mtime == changed.mtime


def test_a_create_in_its_own_subtree_leaves_ancestors_further_up_alone(client, path):
    client.create(path + "/p")
    before = client.exists(path)
    client.create(path + "/p/c")
    client.set_data(path + "/p/c", b"x")
    assert client.exists(path) == before
