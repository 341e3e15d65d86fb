"""Faults that real machines have: a cut network, stopped processes, lost power. What was acknowledged
is compared with what is there afterwards."""

import contextlib
import itertools
import os
import subprocess
import sys
import threading
import time

import pytest
from kazoo.exceptions import BadVersionError, KazooException

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from load import UNKNOWN, Load, ensure  # noqa: E402
from pylib.ensemble import Ensemble, start_kazoo, stop_kazoo  # noqa: E402

ROUNDS = 3
# A client waits for a third of it for a server that says nothing, and no pause here lasts so long.
LONG_SESSION_S = 60.0


# -- a history that can be checked


class Counter(threading.Thread):
    """Sets one znode to 1, 2, 3, ... at the version it knows, and makes sequential znodes.

    A set whose answer was lost is looked up: it was done once or not at all."""

    def __init__(self, hosts, root):
        super().__init__(daemon=True)
        self.root, self.ending, self.failure = root, threading.Event(), None
        self.sets, self.names = 0, []
        self.client = start_kazoo(hosts, LONG_SESSION_S, randomize_hosts=True)
        ensure(self.client, root + "/counter", b"0")

    def run(self):
        try:
            while not self.ending.is_set():
                self.set()
                with contextlib.suppress(*UNKNOWN):
                    self.names.append(self.client.create(self.root + "/s-", b"", sequence=True))
        except (KazooException, AssertionError) as failure:
            self.failure = failure

    def set(self):
        wanted, was_done = b"%d" % (self.sets + 1), False
        while not self.ending.is_set():
            try:
                if was_done:
                    data, stat = self.client.get(self.root + "/counter")
                    assert (data, stat.version) == (wanted, self.sets + 1), (data, stat, wanted)
                else:
                    stat = self.client.set(self.root + "/counter", wanted, self.sets)
                    assert stat.version == self.sets + 1, "a set that nobody has acknowledged"
                self.sets += 1
                return
            except BadVersionError:
                was_done = True
            except UNKNOWN:
                self.ending.wait(0.02)

    def check(self, member):
        self.ending.set()
        self.join(60.0)
        assert not self.is_alive() and self.failure is None, self.failure
        client = member.kazoo()
        try:
            client.sync(self.root)
            data, stat = client.get(self.root + "/counter")
            # The last set may have been given up while its answer was on its way.
            assert stat.version in (self.sets, self.sets + 1) and int(data) == stat.version
            there = set(client.get_children(self.root))
            assert len(set(self.names)) == len(self.names), "a sequential name was given twice"
            assert {name.rsplit("/", 1)[1] for name in self.names} <= there
            assert self.names == sorted(self.names), "the numbers of one client's znodes grow"
        finally:
            stop_kazoo(client)

    def stop(self):
        self.ending.set()
        self.join(60.0)
        stop_kazoo(self.client)


@contextlib.contextmanager
def history(ensemble, name):
    """Clients write meanwhile; afterwards everything that was acknowledged is there, once, everywhere."""
    counter = Counter(ensemble.hosts, "/counters/" + name)
    try:
        counter.start()
        with Load(ensemble, writers=2, timeout_s=LONG_SESSION_S) as load:
            load.wait_for(20)
            yield load
            ensemble.wait_all()
            load.wait_for(20)
            load.check()
            for member in ensemble.running():
                counter.check(member)
            assert counter.sets > 20
        ensemble.check_same()
    finally:
        counter.stop()


@pytest.fixture
def paddock(shared):
    return shared("paddock", lambda: Ensemble(["paddock"] * 3))


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


def test_a_leader_that_is_stopped_for_a_moment_stays_the_leader(paddock):
    with history(paddock, "moments") as load:
        leader = paddock.wait_leader()
        for _ in range(ROUNDS):
            leader.pause()
            time.sleep(0.5)  # well below syncLimit
            leader.resume()
            load.wait_for(10)
        assert paddock.wait_leader() is leader


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


# -- a cut network


def shell(*words):
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


class Network:
    """A bridge, and a network namespace for each server at 10.231.7.N."""

    names = itertools.count()

    def __init__(self):
        self.tag = "pk%d%d" % (os.getpid() % 10000, next(self.names))
        self.bridge, self.count = self.tag + "b", 0

    def run(self, text):
        done = shell(*text.split())
        if done.returncode != 0:
            raise OSError("%s: %s" % (text, done.stdout.strip()))

    def __enter__(self):
        try:
            self.run("ip link add %s type bridge" % self.bridge)
            self.run("ip addr add 10.231.7.100/24 dev %s" % self.bridge)
            self.run("ip link set %s up" % self.bridge)
            for number in (1, 2, 3):
                self.add(number)
        except OSError as wrong:
            self.__exit__()
            pytest.skip("this machine allows no network namespaces: %s" % wrong)
        return self

    def add(self, number):
        name = self.name(number)
        self.run("ip netns add " + name)
        self.run("ip link add %s type veth peer name eth0 netns %s" % (name, name))
        self.run("ip link set %s master %s up" % (name, self.bridge))
        self.run("ip -n %s addr add 10.231.7.%d/24 dev eth0" % (name, number))
        self.run("ip -n %s link set eth0 up" % name)
        self.run("ip -n %s link set lo up" % name)

    def name(self, number):
        return "%sn%d" % (self.tag, number)

    def cut(self, number):
        self.run("ip link set %s nomaster" % self.name(number))

    def heal(self, number):
        self.run("ip link set %s master %s" % (self.name(number), self.bridge))

    def __exit__(self, *exc):
        for number in (1, 2, 3):
            shell("ip", "netns", "del", self.name(number))
            shell("ip", "link", "del", self.name(number))
        shell("ip", "link", "del", self.bridge)


@pytest.fixture(scope="module")
def spread():
    """Three servers on three hosts, as far as they can tell."""
    with Network() as network:
        ensemble = Ensemble(["paddock"] * 3)
        for member in ensemble.members:
            member.host = "10.231.7.%d" % member.id
            member.config["clientPortAddress"] = member.host
            member.wrapper = ["ip", "netns", "exec", network.name(member.id)]
        for member in ensemble.members:
            for other in ensemble.members:
                member.config["server.%d" % other.id] = other.line().replace(
                    "127.0.0.1", other.host)
        with ensemble:
            yield network, ensemble


def test_a_follower_that_is_cut_off_comes_back_with_everything(spread):
    network, ensemble = spread
    with history(ensemble, "follower") as load:
        follower = ensemble.followers()[0]
        network.cut(follower.id)
        load.wait_for(60)
        network.heal(follower.id)
