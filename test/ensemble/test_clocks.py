"""Wall clocks that jump or differ: sessions, leaders and the order of writes do not depend on them."""

import glob
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from history import history  # noqa: E402
from pylib.ensemble import Ensemble, stop_kazoo  # noqa: E402

LIBRARY = (glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1") or [None])[0]
HOUR_S = 3600
SILENCE_MS = 4000
MARGIN_S = 600  # more than any test takes


def clock_file(member):
    return os.path.join(member.dir, "clock")


def set_clock(member, offset_s):
    """Its wall clock is that many seconds ahead, from now on."""
    with open(clock_file(member) + ".new", "w") as file:
        file.write("%+d\n" % offset_s)
    os.rename(clock_file(member) + ".new", clock_file(member))


@pytest.fixture
def paddock(shared):
    if LIBRARY is None:
        pytest.skip("the package libfaketime is not installed")

    def make():
        # What stands still for some seconds is not to be taken for what a clock did.
        ensemble = Ensemble(["paddock"] * 3, config={"syncLimit": 40})
        for member in ensemble.members:
            set_clock(member, 0)
            member.wrapper = [
                "env", "LD_PRELOAD=" + LIBRARY, "FAKETIME_TIMESTAMP_FILE=" + clock_file(member),
                "FAKETIME_NO_CACHE=1", "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
                "ASAN_OPTIONS=verify_asan_link_order=0",
            ]
        return ensemble

    ensemble = shared("paddock", make)
    for member in ensemble.members:
        set_clock(member, 0)
    return ensemble


def created_ahead_s(member, path):
    """By how much the ensemble's time is ahead, as a new znode has it."""
    client = member.kazoo()
    try:
        client.create(path, b"", makepath=True)
        return client.exists(path).ctime / 1000 - time.time()
    finally:
        stop_kazoo(client)


def nobody_noticed(load):
    for writer in load.writers:
        assert writer.states == [] and writer.lost_answers == 0, (writer.root, writer.states)


@pytest.mark.parametrize("who", ["the leader", "a follower", "all"])
def test_a_clock_that_jumps_loses_no_session_and_no_connection(paddock, who):
    leader = paddock.wait_leader()
    jumping = {"the leader": [leader], "a follower": paddock.followers()[:1], "all": paddock.members}[who]
    seen_s = []
    with history(paddock, who.replace(" ", "-")) as load:
        for offset_s in (HOUR_S, -HOUR_S, 24 * HOUR_S, 0):
            for member in jumping:
                set_clock(member, offset_s)
            load.wait_for(20)
            seen_s.append(created_ahead_s(leader, "/clocks/%s %+d" % (who, offset_s)) - offset_s)
        nobody_noticed(load)
        assert paddock.wait_leader() is leader
    if leader in jumping:
        assert all(abs(off_s) < MARGIN_S for off_s in seen_s), "the clock did not jump"


def test_a_leader_whose_clock_is_behind_its_predecessor_s_goes_on_in_order(paddock):
    for offset_s, member in zip((2 * HOUR_S, 0, -2 * HOUR_S), paddock.members):
        set_clock(member, offset_s)
    with history(paddock, "behind") as load:
        for _ in range(3):
            leader = paddock.wait_leader()
            leader.kill()
            assert paddock.wait_leader() is not leader
            load.wait_for(20)
            leader.start()
            paddock.wait_all()
            load.wait_for(20)


def test_a_silent_session_expires_by_the_time_that_passes_and_not_by_the_clock(paddock):
    follower, leader = paddock.followers()[0], paddock.wait_leader()
    watcher = leader.kazoo()
    try:
        client = follower.client(timeout_ms=SILENCE_MS)
        began = time.monotonic()
        client.create("/silent", b"", flags=1)
        client.disconnect()
        watcher.sync("/")  # the leader's own log may be behind: then it has no znode yet
        for member in paddock.members:
            set_clock(member, 24 * HOUR_S)
        paddock.wait(lambda: watcher.exists("/silent") is None, "the end of the session")
        assert time.monotonic() - began >= SILENCE_MS / 1000, "the jump ended it"
        for member in paddock.members:
            set_clock(member, -24 * HOUR_S)
        client = follower.client(timeout_ms=SILENCE_MS)
        client.create("/silent", b"", flags=1)
        client.disconnect()
        watcher.sync("/")
        paddock.wait(lambda: watcher.exists("/silent") is None, "the end of the session")
    finally:
        stop_kazoo(watcher)
