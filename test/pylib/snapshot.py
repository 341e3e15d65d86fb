"""Writes a snapshot file that both servers load: the way to node states that no client can reach
in a test's time, such as a child counter of 2147483647."""

import os
import struct
import zlib

from .zkwire import OPEN_ACL, acl_vector, buffer, int32, int64, ustring

NODE_DEFAULTS = dict(
    data=b"", acl=1, czxid=0, mzxid=0, ctime=0, mtime=0, version=0, cversion=0, aversion=0,
    ephemeral_owner=0, pzxid=0,
)


def node(**fields):
    unknown = set(fields) - set(NODE_DEFAULTS)
    if unknown:
        raise TypeError("no such field: %s" % unknown)
    n = dict(NODE_DEFAULTS, **fields)
    return (
        buffer(n["data"]) + int64(n["acl"])
        + int64(n["czxid"]) + int64(n["mzxid"]) + int64(n["ctime"]) + int64(n["mtime"])
        + int32(n["version"]) + int32(n["cversion"]) + int32(n["aversion"])
        + int64(n["ephemeral_owner"]) + int64(n["pzxid"])
    )  # fmt: skip


def sealed(*sections):
    """Each with the checksum of all bytes so far behind it."""
    out = b""
    for section in sections:
        out += section
        out += struct.pack(">q", zlib.adler32(out)) + ustring("/")
    return out


def snapshot(nodes, acls=None, sessions=None):
    """nodes: {path: {field: value}}, parents first; acls: {number: list}; sessions: {id: ms}.

    The root and /zookeeper with its two children are there by themselves.
    """
    acls = {1: OPEN_ACL, 2: [(1, "world", "anyone")], **(acls or {})}
    tree = {
        "": {},
        "/zookeeper": {},
        "/zookeeper/quota": {},
        "/zookeeper/config": {"acl": 2, "aversion": -1},
    }
    for path, fields in nodes.items():
        tree[path] = {**tree.get(path, {}), **fields}
    out = b"ZKSN" + int32(2) + int64(-1)
    out += int32(len(sessions or {}))
    for session_id, timeout_ms in (sessions or {}).items():
        out += int64(session_id) + int32(timeout_ms)
    out += int32(len(acls)) + b"".join(int64(k) + acl_vector(v) for k, v in acls.items())
    out += b"".join(ustring(path) + node(**fields) for path, fields in tree.items())
    return sealed(out + ustring("/"))


def write_snapshot(data_dir, nodes, zxid=100, **more):
    """data_dir is dataDir of a zoo.cfg; the file goes to its version-2."""
    directory = os.path.join(data_dir, "version-2")
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "snapshot.%x" % zxid)
    with open(path, "wb") as out:
        out.write(snapshot(nodes, **more))
    return path
