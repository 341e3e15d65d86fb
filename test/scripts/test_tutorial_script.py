"""A script as tutorials have it: it starts, stops and asks zkServer.sh on three machines through ssh. The
machines are three directories here, and ssh is a script that goes to one of them."""

import os
import shutil
import subprocess
import time

import pytest

from pylib import replay
from pylib.servers import REPO, free_port

HOSTS = ("192.168.146.128", "192.168.146.129", "192.168.146.130")
SCRIPT = """#!/bin/bash
case $1 in
"start"|"stop"|"status"){
    for i in 192.168.146.128 192.168.146.129 192.168.146.130
    do
        echo ------------ zookeeper $i $1 ------------
        ssh $i "/opt/module/zookeeper-3.5.7/bin/zkServer.sh $1"
    done
};;
esac
"""
SSH = """#!/bin/sh
exec sh -c "$(echo "$2" | sed "s,/opt/module,%s/$1,")"
"""
MODES_WAIT_S = 40


class Machines:
    def __init__(self, tmp_path):
        self.tmp = tmp_path
        ports = {host: (free_port(), free_port(), free_port()) for host in HOSTS}
        members = "".join("server.%d=127.0.0.1:%d:%d\n" % (i + 1, ports[host][1], ports[host][2])
                          for i, host in enumerate(HOSTS))
        for i, host in enumerate(HOSTS):
            home = self.home(host)
            (home / "conf").mkdir(parents=True)
            (home / "zkData").mkdir()
            (home / "zkData/myid").write_text("%d\n" % (i + 1))
            (home / "conf/zoo.cfg").write_text(
                "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir=%s/zkData\nclientPort=%d\n"
                "admin.enableServer=false\n%s" % (home, ports[host][0], members))
            (home / "bin").mkdir()
            for name in ("zkServer.sh", "zkEnv.sh"):
                shutil.copy(os.path.join(REPO, "bin", name), home / "bin")
        self.ports = ports
        for name, text in (("zk.sh", SCRIPT), ("ssh", SSH % tmp_path)):
            (tmp_path / name).write_text(text)
            (tmp_path / name).chmod(0o755)

    def home(self, host):
        return self.tmp / host / "zookeeper-3.5.7"

    def script(self, word):
        path = "%s:%s" % (self.tmp, os.environ["PATH"])
        return replay.Call([str(self.tmp / "zk.sh"), word], self.tmp, {"PATH": path})

    def end(self):
        for path in self.tmp.rglob("*.pid"):
            subprocess.run(["kill", "-9", path.read_text()], stderr=subprocess.DEVNULL)


@pytest.fixture
def machines(tmp_path):
    made = Machines(tmp_path)
    yield made
    made.end()


def lines_of(call):
    """Without the word behind a machine's name."""
    return [line.rsplit(" ", 2)[0] if line.startswith("---") else line
            for line in call.out.split("\n")[:-1]]


def test_the_script_starts_asks_and_stops_three_servers(machines):
    started = machines.script("start")
    assert started.code == 0, started.err
    assert lines_of(started) == [
        line for host in HOSTS for line in (
            "------------ zookeeper %s" % host, "Starting zookeeper ... STARTED")]
    assert started.err == "".join(
        "ZooKeeper JMX enabled by default\nUsing config: %s/bin/../conf/zoo.cfg\n" % machines.home(host)
        for host in HOSTS)

    deadline = time.monotonic() + MODES_WAIT_S
    while True:
        status = machines.script("status")
        modes = [line[6:] for line in lines_of(status) if line.startswith("Mode: ")]
        if sorted(modes) == ["follower", "follower", "leader"]:
            break
        assert time.monotonic() < deadline, (status.out, status.err)
        time.sleep(0.2)
    assert lines_of(status) == [
        line for host, mode in zip(HOSTS, modes) for line in (
            "------------ zookeeper %s" % host,
            # The tutorial's release did not know of SSL yet.
            "Client port found: %d. Client address: localhost. Client SSL: false."
            % machines.ports[host][0],
            "Mode: %s" % mode)]

    stopped = machines.script("stop")
    assert lines_of(stopped) == [
        line for host in HOSTS for line in (
            "------------ zookeeper %s" % host, "Stopping zookeeper ... STOPPED")]
    assert "Mode" not in machines.script("status").out


def test_one_of_three_alone_says_that_it_is_probably_not_running(machines):
    home = machines.home(HOSTS[2])
    words = [str(home / "bin" / "zkServer.sh")]
    assert replay.Call([*words, "start"], machines.tmp).out == "Starting zookeeper ... STARTED\n"
    status = replay.Call([*words, "status"], machines.tmp)
    assert status.out == (
        "Client port found: %d. Client address: localhost. Client SSL: false.\n"
        "Error contacting service. It is probably not running.\n" % machines.ports[HOSTS[2]][0])
    assert status.code == 1
