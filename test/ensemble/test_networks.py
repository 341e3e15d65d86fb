"""Cut and slow networks: each server is on a host of its own, as far as it can tell."""

import itertools
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from history import history  # noqa: E402
from pylib.ensemble import Ensemble  # noqa: E402


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
