"""Data directories change hands: what one server wrote, the other serves, to the last field.

After a random history both directories are opened by both servers; all of the tree is compared:
data, ACLs and whole stats, times included.
"""

import os
import shutil
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import differential  # noqa: E402
import generator  # noqa: E402
from pylib import zkwire as zk  # noqa: E402
from pylib.servers import Server  # noqa: E402

SEEDS = (201, 202, 203)
OPS = 3000
# Logs roll and snapshots are taken on the way.
CONFIG = {"snapCount": 300, "preAllocSize": 64}


def tree(server):
    """path -> (data, acl, stat) of every node, seen by the super user."""
    nodes, level = {}, ["/"]
    with server.client() as client:
        assert client.auth("digest", generator.SUPER).err == 0
        while level:
            for path in level:
                client.send(zk.GET_DATA, zk.get_data_request(path))
                client.send(zk.GET_ACL, zk.get_acl_request(path))
                client.send(zk.GET_CHILDREN, zk.get_children_request(path))
            following = []
            for path in level:
                data, acl, children = (client.recv().body for _ in range(3))
                nodes[path] = (*zk.parse_data(data), zk.parse_acl(acl)[0])
                following += [path.rstrip("/") + "/" + n for n in zk.parse_children(children)]
            level = following
    return nodes


def open_copy(kind, data_dir, place):
    copy = os.path.join(place, kind + "-" + os.path.basename(os.path.dirname(data_dir)))
    shutil.copytree(data_dir, copy)
    config = {**differential.CONFIG, "forceSync": "no"}
    with Server(kind, config, differential.PROPS, data_dir=copy) as server:
        return tree(server)


def differences(one, other):
    return [
        "%s\n  %r\n  %r" % (path, one.get(path), other.get(path))
        for path in sorted(set(one) | set(other))
        if one.get(path) != other.get(path)
    ][:5]


@pytest.mark.parametrize("how", ["stopped", "killed"])
@pytest.mark.parametrize("seed", SEEDS)
def test_each_server_serves_what_the_other_one_wrote(pytestconfig, tmp_path, seed, how):
    target = pytestconfig.getoption("--target")
    servers = [differential.start_server(kind, seed, CONFIG) for kind in ("java", target)]
    try:
        for server in servers:
            server.wait_serving()
        differential.play(servers, seed, OPS)
        before = [tree(server) for server in servers]
        for server in servers:
            server.stop() if how == "stopped" else server.kill()
        for wrote, known in zip(servers, before):
            seen = {k: open_copy(k, wrote.data_dir, str(tmp_path)) for k in {"java", target}}
            assert len(seen["java"]) > 50
            assert differences(seen["java"], seen[target]) == [], "written by " + wrote.target
            # usage under quotas is counted afresh at a start
            counted = {path for path in known if path.endswith("/zookeeper_stats")}
            for path in counted:
                known.pop(path), seen["java"].pop(path)
            assert differences(known, seen["java"]) == [], "before and after, " + wrote.target
    finally:
        for server in servers:
            server.close()
