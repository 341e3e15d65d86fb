"""The same random operations to the real ZooKeeper 3.8.0 and to the server under test.

At least 50,000 operations; a difference tells its seed, and `differential.py --seed N` replays it.
"""

import os
import struct
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import differential  # noqa: E402
import generator  # noqa: E402
import normalise  # noqa: E402
from pylib import zkwire as zk  # noqa: E402

SEEDS = [int(s) for s in os.environ.get("DIFFERENTIAL_SEEDS", "1 2 3 4 5 6 7 8 9 10 11 12").split()]
OPS = int(os.environ.get("DIFFERENTIAL_OPS", "4400"))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_random_history_looks_the_same_on_both_servers(pytestconfig, seed):
    target = pytestconfig.getoption("--target")
    outcome = differential.run("java", target, seed, OPS)
    assert outcome.operations >= OPS
    assert outcome.events > OPS // 40, "the generator makes too few events to compare any"


# What must have been answered, so that the comparison has seen it.
ANSWERS = {
    "create": (0, -5, -8, -101, -102, -108, -110, -114),
    "create2": (0, -8, -101, -102, -110, -114),
    "create_container": (0, -8, -110, -114),
    "create_ttl": (0, -8, -110),
    "delete": (0, -8, -101, -102, -103, -111),
    "set_data": (0, -8, -101, -102, -103),
    "set_acl": (0, -8, -101, -102, -103, -114),
    "get_data": (0, -101, -102),
    "get_acl": (0, -101, -102),
    "get_children": (0, -101, -102),
    "get_children2": (0, -101, -102),
    "get_all_children_number": (0, -101),
    "exists": (0, -101),
    "multi": (0, -5),
    "in multi": (0, -2, -101, -102, -103, -110, -111),
    "multi_read": (0, -5),
    "in multi_read": (0, -101, -102),
    "check_watches": (0, -5, -121),
    "remove_watches": (0, -5, -121),
    "add_watch": (0, -5),
    "set_watches": (0,),
    "set_watches2": (0,),
    "auth": (0, -115),
    "sasl": (0,),
    "sync": (0,),
    "ping": (0,),
    "reconfig": (-123,),
    "who_am_i": (0,),
    "get_ephemerals": (0,),
    "close_session": (0,),
    "unknown": (-6,),
}


def test_two_servers_of_one_kind_do_not_differ_and_all_answers_are_reached():
    outcome = differential.run("java", "java", 102, 8000)
    assert outcome.operations >= 8000
    wanted = [(op, err) for op, errors in ANSWERS.items() for err in errors]
    assert [answer for answer in wanted if not outcome.answers[answer]] == []


def test_containers_and_ttl_nodes_go_in_the_same_way(pytestconfig):
    """The janitors, watched; when they come is theirs to say, so the events are compared as sets."""
    props = {"znode.container.checkIntervalMs": 200}
    servers = [
        differential.start_server(kind, 1, props=props)
        for kind in ("java", pytestconfig.getoption("--target"))
    ]
    try:
        for server in servers:
            server.wait_serving()
        seen = [_janitor_story(server) for server in servers]
    finally:
        for server in servers:
            server.close()
    assert seen[0] == seen[1]
    events, children, _ = seen[0]
    assert ("deleted", "/box") in events and ("deleted", "/ttl") in events
    assert "empty" in children, "a container that never had a child stays"
    assert "parent" in children, "a TTL node with a child stays"


def _janitor_story(server):
    with server.client() as client:
        client.ok(zk.ADD_WATCH, zk.add_watch_request("/", zk.MODE_PERSISTENT_RECURSIVE))
        client.ok(zk.CREATE_CONTAINER, zk.create_request("/empty", flags=zk.CONTAINER))
        client.ok(zk.CREATE_CONTAINER, zk.create_request("/box", flags=zk.CONTAINER))
        client.create("/box/kid")
        client.delete("/box/kid")
        client.ok(zk.CREATE_TTL, zk.create_ttl_request("/ttl", ttl=1))
        client.multi(  # in one: the janitor may come at any moment
            (zk.CREATE_TTL, zk.create_ttl_request("/parent", ttl=1)),
            (zk.CREATE, zk.create_request("/parent/kid")),
        )
        client.ok(zk.CREATE_TTL, zk.create_ttl_request("/later", ttl=10**9))
        names = {1: "created", 2: "deleted", 3: "changed", 4: "children"}
        seen = []
        last = {("deleted", "/box"), ("deleted", "/ttl"), ("created", "/later")}  # in any order
        while not last <= set(seen):
            event = client.wait_event(20.0)
            seen.append((names[event.type], event.path))
        return sorted(seen), client.get_children("/"), client.exists("/").cversion


def test_a_seed_gives_the_same_operations_each_time():
    def stream(seed):
        gen = generator.Generator(seed)
        return [gen.next() for _ in range(500)]

    assert stream(3) == stream(3)
    assert stream(3) != stream(4)


class _Tamper:
    """Changes one frame of the right server, once, and says whether it did."""

    def __init__(self, change):
        self.change, self.done = change, False

    def __call__(self, frame):
        if self.done or len(frame) < 16:
            return [frame]
        changed = self.change(frame)
        self.done = changed is not None
        return [frame] if changed is None else changed


def _is_stat_reply(frame):
    return len(frame) == 16 + normalise.STAT_BYTES and not normalise.is_event(frame)


def _version_off_by_one(frame):
    if not _is_stat_reply(frame):
        return None
    version = struct.unpack_from(">i", frame, 16 + 32)[0]
    return [frame[:48] + struct.pack(">i", version + 1) + frame[52:]]


def _pzxid_off_by_one(frame):
    if not _is_stat_reply(frame):
        return None
    return [frame[:-8] + struct.pack(">q", struct.unpack(">q", frame[-8:])[0] - 1)]


def _other_error(frame):
    xid, zxid, err = normalise.HEADER.unpack_from(frame)
    return [normalise.HEADER.pack(xid, zxid, -103)] if err == zk.NO_NODE and xid > 0 else None


def _zxid_off_by_one(frame):
    xid, zxid, err = normalise.HEADER.unpack_from(frame)
    return [normalise.HEADER.pack(xid, zxid + 1, err) + frame[16:]] if xid > 5 else None


def _event_lost(frame):
    return [] if normalise.is_event(frame) else None


def _event_twice(frame):
    return [frame, frame] if normalise.is_event(frame) else None


def _null_for_empty(frame):
    xid, _, err = normalise.HEADER.unpack_from(frame)
    if err or len(frame) != 20 + normalise.STAT_BYTES or frame[16:20] != b"\0\0\0\0":
        return None
    return [frame[:16] + b"\xff\xff\xff\xff" + frame[20:]]


@pytest.mark.parametrize(
    "change",
    [
        _version_off_by_one,
        _pzxid_off_by_one,
        _other_error,
        _zxid_off_by_one,
        _event_lost,
        _event_twice,
        _null_for_empty,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_one_changed_frame_is_found(change):
    tamper = _Tamper(change)
    with pytest.raises(differential.Difference, match="last operations"):
        differential.run("java", "java", 1, 3000, tamper=tamper)
    assert tamper.done


def test_an_event_that_comes_behind_the_reply_is_found():
    held = []

    def swap(frame):
        if held == ["done"]:
            return [frame]
        if held:
            event = held.pop()
            held.append("done")
            return [frame, event]
        if normalise.is_event(frame):
            held.append(frame)
            return []
        return [frame]

    with pytest.raises(differential.Difference):
        differential.run("java", "java", 1, 3000, tamper=swap)
    assert held == ["done"]


def test_a_server_with_another_setting_is_found():
    with pytest.raises(differential.Difference, match="err -6"):
        differential.run("java", "java", 2, 3000, right_config={"extendedTypesEnabled": "false"})
