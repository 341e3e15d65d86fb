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


def _crashed(seed, directories=0):
    """A run of the real server, killed under load. Its first writer, the busiest, had all its answers."""
    run = crash.Run("java", seed, java_every=0)
    run.directories = directories  # chooses the configuration
    try:
        run.new_directory()
        run.load(0.2, answers=1000)
        run.writers.sort(key=lambda w: -w.ops_acknowledged)
        run.writers[0].finish(run.server)
        run.server.kill()
        for writer in run.writers:
            writer.drain()
    except BaseException:
        run.server.close()
        raise
    return run


@pytest.fixture(scope="module")
def after_a_crash():
    """A run of the real server that was killed under load and is up again, not yet verified."""
    run = _crashed(7)
    crash.remove_empty_log(run.server.data_dir)
    run.server.start()
    yield run
    run.server.close()


def test_the_checker_accepts_what_is_there(after_a_crash):
    after_a_crash.verify(after_a_crash.server, settle=False)
    assert sum(w.ops_acknowledged for w in after_a_crash.writers) >= 1000


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


@pytest.mark.parametrize(
    "change",
    [
        _missing,
        _older_data,
        _version_behind,
        _other_mzxid,
        _other_owner,
        _too_many,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_the_checker_sees_a_node_that_is_not_as_acknowledged(after_a_crash, change):
    """With a writer that had all its answers: no change on its way can explain anything."""
    writer = after_a_crash.writers[0]
    assert writer.connect(after_a_crash.server) and not writer.pending
    actual = crash.fetch(writer.client, writer.root)
    assert set(actual) == set(writer.acknowledged.nodes) and len(actual) > 1
    with pytest.raises(crash.Lost):
        writer.check(change(writer, actual, sorted(actual)[-1]), True)


NO_STAT = zk.Stat(*[0] * 11)


def _with_an_empty_root():
    """A writer whose root was acknowledged with empty data, and what is there."""
    writer = crash.Writer(0, random.Random(1))
    writer.session_id = 5
    writer.acknowledged.apply(("create", "/w0", b"", 0), 1)
    return writer, {"/w0": (b"", NO_STAT._replace(czxid=1, mzxid=1, pzxid=1))}


def test_the_checker_tells_null_from_empty():
    writer, actual = _with_an_empty_root()
    assert writer.check(actual, True)[0] == 0
    with pytest.raises(crash.Lost, match="has data b''..., not b''"):
        writer.check({"/w0": (None, actual["/w0"][1])}, True)


def test_a_zxid_that_no_reply_told_is_any_zxid_and_a_told_one_is_exact():
    """So only a node without a change on its way can show that a wrong zxid is seen."""
    writer, actual = _with_an_empty_root()
    writer.pending.append(crash.Sent(1, ("set", "/w0", b"1"), 0))
    stat = actual["/w0"][1]._replace(version=1, dataLength=1)
    for mzxid in (2, 3):
        assert writer.check({"/w0": (b"1", stat._replace(mzxid=mzxid))}, True)[0] == 1
    writer.acknowledged.apply(writer.pending.popleft().op, 2)
    assert writer.check({"/w0": (b"1", stat._replace(mzxid=2))}, True)[0] == 0
    with pytest.raises(crash.Lost, match="has mzxid 3, not 2"):
        writer.check({"/w0": (b"1", stat._replace(mzxid=3))}, True)


def test_the_checker_sees_half_a_multi():
    writer, before = _with_an_empty_root()
    multi = ("multi", [("create", "/w0/a", b"1", 0), ("create", "/w0/b", b"2", 0)])
    writer.pending.append(crash.Sent(1, multi, 0))
    root = before["/w0"][1]
    leaf = NO_STAT._replace(czxid=2, mzxid=2, pzxid=2, dataLength=1)
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


def test_the_checker_sees_that_the_session_is_gone():
    writer, actual = _with_an_empty_root()
    writer.pending.append(crash.Sent(1, ("set", "/w0", b"1"), 0))
    with pytest.raises(crash.Lost, match="session is gone"):
        writer.check(actual, False)
    writer.pending.append(crash.Sent(2, ("close",), 0))  # now it may be gone, with the set before it
    with pytest.raises(crash.Lost):
        writer.check(actual, False)
    stat = actual["/w0"][1]._replace(version=1, mzxid=2, dataLength=1)
    assert writer.check({"/w0": (b"1", stat)}, False)[0] == 2
    assert writer.check(actual, True)[0] == 0


def test_the_checker_sees_that_a_closed_session_is_there():
    writer, actual = _with_an_empty_root()
    writer.acknowledged.apply(("close",), 2)
    writer.closed = True
    assert writer.check(actual, False)[0] == 0
    with pytest.raises(crash.Lost, match="session is there"):
        writer.check(actual, True)


def test_acknowledged_writes_cut_from_the_log_are_missed():
    """The same with a real directory: the end of the log is overwritten with zeros."""
    run = _crashed(8, directories=1)  # a configuration without snapshots
    try:
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
