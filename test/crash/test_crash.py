"""Real crashes: SIGKILL under write load, and what was acknowledged must be there.

CRASH_KILLS and CRASH_SEED choose how many and which.
"""

import glob
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import crash  # noqa: E402
from pylib import zkwire as zk  # noqa: E402

KILLS = int(os.environ.get("CRASH_KILLS", "200"))
JAVA_KILLS = 10  # a JVM takes a second to come back
SEED = int(os.environ.get("CRASH_SEED") or random.randrange(10**6))


def test_no_acknowledged_write_is_lost_by_sigkill_under_load(pytestconfig):
    target = pytestconfig.getoption("--target")
    kills = JAVA_KILLS if target == "java" else KILLS
    print("CRASH_SEED=%d" % SEED)
    run = crash.Run(target, SEED).go(kills)
    assert run.kills >= kills
    assert run.opened_by_java >= kills // crash.JAVA_EVERY
    assert run.acknowledged > kills * 5, "too little load to prove anything"
    assert run.unanswered > kills, "hardly anything was on its way when the kills came"


@pytest.fixture(scope="module")
def after_a_crash():
    """A run of the real server that was killed under load and is up again, not yet verified."""
    run = crash.Run("java", 7, java_every=0)
    run.new_directory()
    run.load(1.0)
    run.server.kill()
    for writer in run.writers:
        writer.drain()
    run.server.start()
    yield run
    run.server.close()


def _state(run):
    """A writer with a good number of nodes, and its actual subtree."""
    writer = max(run.writers, key=lambda w: len(w.acknowledged.nodes))
    if not writer.connect(run.server):
        pytest.fail("the session is gone")
    return writer, crash.fetch(writer.client, writer.root)


def test_the_checker_accepts_what_is_there(after_a_crash):
    writer, actual = _state(after_a_crash)
    count, _ = writer.check(actual, True)
    assert count <= len(writer.pending)
    assert writer.ops_acknowledged > 100 and len(actual) > 10


def _change(actual, path, **stat):
    data, old = actual[path]
    return {**actual, path: (data, old._replace(**stat))}


def _missing(writer, actual, path):
    return {p: v for p, v in actual.items() if p != path}


def _older_data(writer, actual, path):
    return {**actual, path: (b"0-0-older", actual[path][1])}


def _version_behind(writer, actual, path):
    return _change(actual, path, version=actual[path][1].version - 1)


def _other_mzxid(writer, actual, path):
    return _change(actual, path, mzxid=actual[path][1].mzxid - 1)


def _other_owner(writer, actual, path):
    return _change(actual, path, ephemeralOwner=actual[path][1].ephemeralOwner + 1)


def _too_many(writer, actual, path):
    return {**actual, writer.root + "/never": (b"half a multi", actual[path][1])}


def _null_for_empty(writer, actual, path):
    path = next((p for p, (data, _) in actual.items() if data == b""), None)
    if path is None:
        pytest.skip("no node with empty data in this run")
    return {**actual, path: (None, actual[path][1])}


@pytest.mark.parametrize(
    "change",
    [
        _missing,
        _older_data,
        _version_behind,
        _other_mzxid,
        _other_owner,
        _too_many,
        _null_for_empty,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_the_checker_sees_a_node_that_is_not_as_acknowledged(after_a_crash, change):
    writer, actual = _state(after_a_crash)
    path = sorted(set(actual) & set(writer.acknowledged.nodes))[-1]
    with pytest.raises(crash.Lost):
        writer.check(change(writer, actual, path), True)


def test_the_checker_sees_half_a_multi():
    writer = crash.Writer(0, random.Random(1))
    writer.session_id = 5
    writer.acknowledged.apply(("create", "/w0", b"", 0), 1)
    multi = ("multi", [("create", "/w0/a", b"1", 0), ("create", "/w0/b", b"2", 0)])
    writer.pending.append(crash.Sent(1, multi, 0))
    stat = zk.Stat(*[0] * 11)
    root = stat._replace(czxid=1, mzxid=1, pzxid=1)
    leaf = stat._replace(czxid=2, mzxid=2, pzxid=2, dataLength=1)
    before = {"/w0": (b"", root)}
    after = {
        "/w0": (b"", root._replace(cversion=2, numChildren=2, pzxid=2)),
        "/w0/a": (b"1", leaf),
        "/w0/b": (b"2", leaf),
    }
    half = {
        "/w0": (b"", root._replace(cversion=1, numChildren=1, pzxid=2)),
        "/w0/a": (b"1", leaf),
    }
    assert writer.check(before, True)[0] == 0
    assert writer.check(after, True)[0] == 1
    with pytest.raises(crash.Lost):
        writer.check(half, True)


def test_the_checker_sees_that_the_session_is_gone(after_a_crash):
    writer, actual = _state(after_a_crash)
    if any(sent.op[0] == "close" for sent in writer.pending):
        pytest.skip("this writer was closing its session")
    with pytest.raises(crash.Lost, match="session is gone"):
        writer.check(actual, False)


def test_acknowledged_writes_cut_from_the_log_are_missed():
    """The same with a real directory: the end of the log is overwritten with zeros."""
    run = crash.Run("java", 8, java_every=0)
    run.directories = 1  # a configuration without snapshots
    try:
        run.new_directory()
        run.load(0.5)
        run.server.kill()
        for writer in run.writers:
            writer.drain()
        (log,) = glob.glob(os.path.join(run.server.data_dir, "version-2", "log.*"))
        with open(log, "r+b") as file:
            content = file.read().rstrip(b"\0")
            file.seek(len(content) // 2)
            file.write(b"\0" * (len(content) - len(content) // 2))
        run.server.start()
        with pytest.raises(crash.Lost):
            run.verify(run.server)
    finally:
        run.server.close()
