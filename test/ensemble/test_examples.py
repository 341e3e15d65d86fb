"""The line-ups that people copy from tutorials: each file parses as it stands there, and its servers
elect one leader and agree. A machine is an address of the loopback; a port is a free one, the same
wherever the file has the same."""

import os
import re
import time

import pytest

from pylib import zkwire as zk
from pylib.servers import START_WAIT_S, Server, free_port

COMMENTED = """\
tickTime=2000  # ms between two heartbeats
initLimit=10  # heartbeats until a follower has connected
syncLimit=5  # heartbeats until a follower that is silent is given up
dataDir={data}  # where myid is, too
clientPort=2181 # for clients
maxClientCnxns=128 # from one address
autopurge.snapRetainCount=3 # the last three are kept
autopurge.purgeInterval=24  # in hours
"""
SHORT = "tickTime=2000\ninitLimit=5\nsyncLimit=2\ndataDir={data}\nclientPort=%d\n"
WITH_LOG = SHORT + "dataLogDir={data}/../transactions\n"

# name: the text of each server's file, by its number. hostN is a machine.
EXAMPLES = {
    "three machines, with comments behind the values": {
        n: COMMENTED + "server.1=host1:2888:3888\nserver.2=host2:2888:3888\nserver.3=host3:2888:3888\n"
        for n in (1, 2, 3)
    },
    "three machines, one with another election port": {
        n: COMMENTED + "server.1=host1:2888:3888\nserver.2=host2:2888:3888\nserver.3=host3:2888:38888\n"
        for n in (1, 2, 3)
    },
    "three machines, numbers from 2, a blank and a comment behind server lines": {
        n: SHORT % 2181 + "server.2=host2:2881:3881\nserver.3=host3:2881:3881 \n"
        "server.4=host4:2881:3881 #observer\n"
        for n in (2, 3, 4)
    },
    "three servers on one machine": {
        n: SHORT % (2180 + n)
        + "server.1=host1:2888:3888\nserver.2=host1:2889:3889\nserver.3=host1:2890:3890\n"
        for n in (1, 2, 3)
    },
    "three servers on one machine, with one port for the leader": {
        n: WITH_LOG % (2180 + n)
        + "server.1=host1:2888:3888\nserver.2=host1:2888:3889\nserver.3=host1:2888:3890\n"
        for n in (1, 2, 3)
    },
    "three servers on one machine, log apart": {
        n: WITH_LOG % (2180 + n)
        + "server.1=host1:1100:1200\nserver.2=host1:2100:2200\nserver.3=host1:3100:3200\n"
        for n in (1, 2, 3)
    },
    "five machines": {
        n: SHORT % 2181 + "".join("server.%d=host%d:2888:3888\n" % (i, i) for i in range(1, 6))
        for n in range(1, 6)
    },
    "two machines and an observer": {
        n: SHORT % 2181 + ("peerType=observer\n" if n == 3 else "")
        + "server.1=host1:2888:3888\nserver.2=host2:2888:3888\nserver.3=host3:2888:3888:observer\n"
        for n in (1, 2, 3)
    },
}


class Machine(Server):
    """One server with the text of its file."""

    def __init__(self, number, text, ports):
        super().__init__("paddock")
        own = re.search(r"^server\.%d=host(\d)" % number, text, re.MULTILINE).group(1)
        self.number, self.host = number, "127.0.0.1%s" % own

        def mapped(found):
            if found.group(0) not in ports:
                ports[found.group(0)] = free_port()
            return str(ports[found.group(0)])

        text = re.sub(r"(?<=[:=])\d{4,5}(?=[: \n])", mapped, text.replace("tickTime=2000", "tickTime=@"))
        text = text.replace("tickTime=@", "tickTime=2000").replace("host", "127.0.0.1")
        self.text = text.replace("{data}", self.data_dir)
        self.port = int(re.search(r"^clientPort=(\d+)", self.text, re.MULTILINE).group(1))

    def write_config(self):
        with open(os.path.join(self.data_dir, "myid"), "w") as file:
            file.write("%d\n" % self.number)
        self.config_path = os.path.join(self.dir, "zoo.cfg")
        with open(self.config_path, "w") as file:  # two machines differ in their address only
            file.write(self.text + "clientPortAddress=%s\n" % self.host)

    def mode(self):
        try:
            text = self.four_letter("srvr", wait=2.0).decode()
        except (OSError, zk.Closed, zk.Timeout):
            return None
        found = re.search(r"^Mode: ([\w-]+)", text, re.MULTILINE)
        return found.group(1) if found else None


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_servers_of_an_example_agree(name):
    ports = {}
    machines = [Machine(n, text, ports) for n, text in EXAMPLES[name].items()]
    try:
        for machine in machines:
            machine.start(wait=False)
        deadline = time.monotonic() + START_WAIT_S
        modes = []
        while None in modes or not modes:
            modes = [machine.mode() for machine in machines]
            running = all(machine.alive() for machine in machines) and time.monotonic() < deadline
            assert running, "%s\n%s" % (modes, "\n".join(m.log()[-2000:] for m in machines))
        observers = 1 if "observer\n" in machines[0].text.replace("#observer\n", "") else 0
        assert sorted(modes) == sorted(
            ["leader"] + ["observer"] * observers + ["follower"] * (len(machines) - 1 - observers))
        with machines[0].client() as writer, machines[-1].client() as reader:
            writer.create("/example", b"data")
            reader.ok(zk.SYNC, zk.sync_request("/example"))
            assert reader.get_data("/example")[0] == b"data"
            writer.close_session()
            reader.close_session()
    finally:
        for machine in machines:
            machine.close()
