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


def test_two_servers_of_one_kind_do_not_differ():
    outcome = differential.run("java", "java", 100, 3000)
    assert outcome.operations >= 3000


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
