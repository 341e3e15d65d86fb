"""Cut and slow networks between servers; clients reach all of them all the time."""

import contextlib
import os
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from history import history  # noqa: E402
from load import Load  # noqa: E402
from network import Forbidden, Network, spread  # noqa: E402
from pylib.ensemble import Ensemble  # noqa: E402

SYNC_LIMIT_S = 4.0  # of class Ensemble


@pytest.fixture(scope="module")
def network():
    with contextlib.ExitStack() as stack:
        try:
            network = stack.enter_context(Network())
        except Forbidden as wrong:
            pytest.skip(str(wrong))
        yield network


@pytest.fixture
def paddock(shared, network):
    network.heal()
    return shared("paddock", lambda: spread(network, Ensemble(["paddock"] * 3)))


def others_lead(ensemble, leader):
    """Another one leads, and the old leader serves nobody any more."""
    others = [member for member in ensemble.members if member is not leader]
    ensemble.wait(lambda: any(member.mode() == "leader" for member in others), "another leader")
    ensemble.wait(lambda: leader.mode() is None, "the old leader stops serving")


def test_a_leader_that_is_cut_off_is_replaced_and_follows_when_it_is_back(paddock, network):
    with history(paddock, "cut") as load:
        for _ in range(2):
            leader = paddock.wait_leader()
            began = time.monotonic()
            network.cut(leader.id)
            others_lead(paddock, leader)
            # Twice the limit, and time for an election and a busy machine.
            assert time.monotonic() - began < 2 * SYNC_LIMIT_S + 20.0
            load.wait_for(10)
            network.heal()
            paddock.wait_all()
            assert leader.mode() == "follower"


def test_a_leader_that_hears_and_is_not_heard_is_replaced(paddock, network):
    with history(paddock, "mute") as load:
        leader = paddock.wait_leader()
        for member in paddock.followers():
            network.mute(leader.id, member.id)
        others_lead(paddock, leader)
        load.wait_for(10)
        network.heal()
        paddock.wait_all()
        assert leader.mode() == "follower"


def test_a_follower_that_is_cut_off_comes_back_with_everything(paddock, network):
    with history(paddock, "follower") as load:
        leader, follower = paddock.wait_leader(), paddock.followers()[0]
        network.cut(follower.id)
        paddock.wait(lambda: follower.mode() is None, "the follower stops serving")
        load.wait_for(60)
        network.heal()
        paddock.wait_all()
        assert paddock.wait_leader() is leader and follower.mode() == "follower"


def test_a_follower_that_the_leader_alone_does_not_reach_disturbs_nobody(paddock, network):
    """It hears the other follower, who tells it who leads, again and again."""
    leader, (follower, other) = paddock.wait_leader(), paddock.followers()
    epoch = leader.epochs()
    with Load(paddock, hosts=paddock.hosts_without(follower)) as load:
        network.mute(leader.id, follower.id)
        network.mute(follower.id, leader.id)
        paddock.wait(lambda: follower.mode() is None, "the follower stops serving")
        load.wait_for(60)
        network.heal()
        paddock.wait_all()
        assert all(writer.states == [] for writer in load.writers), "the others were disturbed"
        assert paddock.wait_leader() is leader and leader.epochs() == other.epochs() == epoch
        load.check()
    paddock.check_same()


def test_nobody_writes_while_all_are_cut_off_from_each_other(paddock, network):
    with history(paddock, "all") as load:
        for member in paddock.members:
            network.cut(member.id)
        paddock.wait(lambda: not any(member.mode() for member in paddock.members), "nobody serves")
        done = [len(writer.acknowledged) for writer in load.writers]
        time.sleep(1.0)
        assert done == [len(writer.acknowledged) for writer in load.writers]
        network.heal()


def test_a_slow_network_is_slow_and_no_more(paddock, network):
    leader = paddock.wait_leader()
    try:
        network.delay(leader.id, 20)
    except Forbidden as wrong:
        pytest.skip("this machine allows no netem: %s" % wrong)
    with history(paddock, "slow") as load:
        load.wait_for(30)
        assert paddock.wait_leader() is leader, "a delay far below syncLimit"
        network.heal()
