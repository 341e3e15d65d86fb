"""Stopped processes and lost power: what was acknowledged is there afterwards."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from history import history  # noqa: E402
from load import Load  # noqa: E402
from pylib.ensemble import Ensemble  # noqa: E402

ROUNDS = 3


# -- stopped processes, lost power


def test_leaders_that_are_stopped_for_a_while_lose_nothing(paddock):
    with history(paddock, "leaders") as load:
        for _ in range(2):
            leader = paddock.wait_leader()
            leader.pause()
            assert paddock.wait_leader() is not leader
            with Load(paddock, writers=1, hosts=paddock.hosts_without(leader)) as other:
                other.wait_for(10)
            leader.resume()
            paddock.wait_all()
            load.wait_for(10)


def test_a_leader_that_is_stopped_for_a_moment_stays_the_leader(shared):
    # This process, too, may stand still for some seconds, and the leader is stopped for so long.
    patient = shared("patient", lambda: Ensemble(["paddock"] * 3, config={"syncLimit": 40}))
    with history(patient, "moments") as load:
        leader = patient.wait_leader()
        for _ in range(ROUNDS):
            leader.pause()
            time.sleep(0.5)  # well below syncLimit
            leader.resume()
            load.wait_for(10)
        assert patient.wait_leader() is leader


def test_followers_that_are_stopped_in_turn_hold_nobody_up(paddock):
    with history(paddock, "followers"):
        for follower in paddock.followers() * 2:
            follower.pause()
            with Load(paddock, writers=1, hosts=paddock.hosts_without(follower)) as load:
                load.wait_for(20)
                follower.resume()
                load.wait_for(20)
            paddock.wait_all()


def test_power_that_is_lost_everywhere_at_once_takes_nothing_that_was_acknowledged(paddock):
    with history(paddock, "power") as load:
        for _ in range(ROUNDS):
            for member in paddock.members:
                member.process.kill()
            for member in paddock.members:
                member.kill()
                member.start()
            paddock.wait_all()
            load.wait_for(10)
