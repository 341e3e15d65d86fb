"""Our servers and Java's in one ensemble, in both majorities and every role."""

import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402
from pylib.ensemble import Ensemble  # noqa: E402

MIXTURES = [
    ["java", "java", "paddock"],
    ["paddock", "java", "java"],
    ["paddock", "paddock", "java"],
    ["java", "paddock", "paddock"],
]


@pytest.mark.parametrize("kinds", MIXTURES, ids="-".join)
def test_each_server_is_killed_under_load_and_all_tell_the_same_afterwards(kinds):
    with Ensemble(kinds) as ensemble, Load(ensemble) as load:
        ensemble.wait_all()
        for member in ensemble.members:
            load.wait_for(30)
            member.kill()
            ensemble.wait_leader()
            load.wait_for(30)
            member.start()
            ensemble.wait_all()
        load.wait_for(30)
        load.check()
        ensemble.check_same()


@pytest.mark.parametrize("kinds", MIXTURES[:3:2], ids="-".join)
def test_a_server_of_the_other_kind_gets_a_snapshot(kinds):
    with Ensemble(kinds) as ensemble, Load(ensemble) as load:
        ensemble.wait_all()
        lonely = next(m for m in ensemble.members if kinds.count(m.target) == 1)
        lonely.kill()
        ensemble.wait_leader()
        load.wait_for(30)
        lonely.wipe()
        lonely.start()
        ensemble.wait_all()
        load.wait_for(30)
        load.check()
        ensemble.check_same()


def test_an_observer_of_each_kind_follows():
    with Ensemble(["paddock", "java", "paddock", "java", "paddock"], observers=[4, 5]) as ensemble:
        with Load(ensemble) as load:
            ensemble.wait_all()
            load.wait_for(50)
            leader = ensemble.wait_leader()
            leader.kill()
            ensemble.wait_leader()
            load.wait_for(50)
            leader.start()
            ensemble.wait_all()
            load.check()
        ensemble.check_same()


def test_java_s_servers_are_replaced_one_by_one_and_replaced_back():
    with Ensemble(["java"] * 3) as ensemble, Load(ensemble) as load:
        ensemble.wait_all()
        for target in ("paddock", "java"):
            for member in ensemble.members:
                load.wait_for(30)
                member.stop()
                member.target = target
                member.start()
                ensemble.wait_all()
        load.wait_for(30)
        load.check()
        ensemble.check_same()
