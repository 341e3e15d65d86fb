"""Three of our servers: leaders and followers are killed and stopped under load, and nothing that was
acknowledged is lost."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import Load  # noqa: E402

ROUNDS = 4


def test_leaders_are_killed_in_turn_and_every_acknowledged_write_is_there(paddock):
    with Load(paddock) as load:
        load.wait_for(50)
        for _ in range(ROUNDS):
            leader = paddock.wait_leader()
            leader.kill()
            assert paddock.wait_leader() is not leader
            load.wait_for(50)
            leader.start()
            paddock.wait_all()
            load.wait_for(50)
        load.check()
    paddock.check_same()


def test_followers_are_killed_in_turn_and_nobody_waits_for_them(paddock):
    with Load(paddock) as load:
        load.wait_for(50)
        for follower in paddock.followers() * 2:
            follower.kill()
            load.wait_for(50)
            follower.start()
            paddock.wait_all()
        load.check()
    paddock.check_same()


def test_a_stopped_leader_is_replaced_and_follows_when_it_goes_on(paddock):
    leader = paddock.wait_leader()
    with Load(paddock, hosts=paddock.hosts_without(leader)) as load:
        load.wait_for(50)
        leader.pause()
        assert paddock.wait_leader() is not leader
        load.wait_for(50)
        leader.resume()
        paddock.wait_all()
        load.check()
    paddock.check_same()


def test_all_are_killed_at_once_and_come_back_with_everything(paddock):
    with Load(paddock) as load:
        load.wait_for(100)
        for member in paddock.members:
            member.kill()
        for member in paddock.members:
            member.start()
        paddock.wait_all()
        load.wait_for(50)
        load.check()
    paddock.check_same()


def test_a_server_that_lost_its_data_gets_all_of_it_from_the_leader(paddock):
    with Load(paddock) as load:
        load.wait_for(50)
        follower = paddock.followers()[0]
        follower.kill()
        load.wait_for(50)
        follower.wipe()
        follower.start()
        paddock.wait_all()
        load.check()
    paddock.check_same()
