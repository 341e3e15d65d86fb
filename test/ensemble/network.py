"""A host of its own for each server, as far as it can tell, and networks between them that can be cut."""

import shutil
import subprocess

from pylib.servers import claim, release


class Forbidden(Exception):
    """This machine does not allow it; the message has the kernel's words."""


def run(text):
    done = subprocess.run(text.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if done.returncode != 0:
        raise Forbidden("%s: %s" % (text, done.stdout.strip()))


class Network:
    """A network namespace for each server N. Servers talk to each other on eth0, 10.231.X.N with an even X;
    clients, which are outside, reach them on eth1, 10.231.X+1.N, whatever is done to eth0."""

    def __init__(self, count=3):
        self.net = next(net for net in range(0, 256, 2) if claim(net))
        self.tag, self.servers = "pk%d" % self.net, range(1, count + 1)

    def __enter__(self):
        try:
            self.remove()  # what a killed run has left
            self.add_bridge("s")
            self.add_bridge("c")
            run("ip addr add %s/24 dev %s" % (self.client_address(100), self.bridge("c")))
            for server in self.servers:
                run("ip netns add " + self.name(server))
                self.connect(server, "s", "eth0", self.address(server))
                self.connect(server, "c", "eth1", self.client_address(server))
                run("ip -n %s link set lo up" % self.name(server))
        except (Forbidden, FileNotFoundError) as wrong:
            self.__exit__()
            raise Forbidden("this machine allows no network namespaces: %s" % wrong) from None
        return self

    def add_bridge(self, which):
        run("ip link add %s type bridge" % self.bridge(which))
        run("ip link set %s up" % self.bridge(which))

    def connect(self, server, which, device, address):
        name, port = self.name(server), self.port(server, which)
        run("ip link add %s type veth peer name %s netns %s" % (port, device, name))
        run("ip link set %s master %s up" % (port, self.bridge(which)))
        run("ip -n %s addr add %s/24 dev %s" % (name, address, device))
        run("ip -n %s link set %s up" % (name, device))

    def bridge(self, which):
        return self.tag + which

    def port(self, server, which):
        return "%s%s%d" % (self.tag, which, server)

    def name(self, server):
        return "%sn%d" % (self.tag, server)

    def address(self, server):
        return "10.231.%d.%d" % (self.net, server)

    def client_address(self, server):
        return "10.231.%d.%d" % (self.net + 1, server)

    def wrapper(self, server):
        """Words before a command that is to run there."""
        return ["ip", "netns", "exec", self.name(server)]

    # -- faults

    def cut(self, server):
        """From all other servers."""
        run("ip link set %s nomaster" % self.port(server, "s"))

    def mute(self, server, other):
        """What the server sends to the other is lost; the other way nothing is."""
        run("ip -n %s route replace blackhole %s" % (self.name(server), self.address(other)))

    def delay(self, server, milliseconds):
        run("ip netns exec %s tc qdisc replace dev eth0 root netem delay %dms" % (
            self.name(server), milliseconds))

    def heal(self):
        """Everything is as in the beginning."""
        for server in self.servers:
            name = self.name(server)
            run("ip link set %s master %s" % (self.port(server, "s"), self.bridge("s")))
            for other in self.servers:
                self.undo("ip -n %s route del blackhole %s" % (name, self.address(other)))
            self.undo("ip netns exec %s tc qdisc del dev eth0 root" % name)

    @staticmethod
    def undo(text):
        if shutil.which("ip") is None:
            return
        subprocess.run(text.split(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def __exit__(self, *exc):
        self.remove()
        release(self.net)

    def remove(self):
        for server in self.servers:
            self.undo("ip netns del " + self.name(server))
            for which in "sc":
                self.undo("ip link del " + self.port(server, which))
        for which in "sc":
            self.undo("ip link del " + self.bridge(which))


def spread(network, ensemble):
    """Gives each member its host; before the ensemble is started."""
    for member in ensemble.members:
        member.host = network.client_address(member.id)
        member.config["clientPortAddress"] = member.host
        member.wrapper = network.wrapper(member.id)
        for other in ensemble.members:
            member.config["server.%d" % other.id] = other.line().replace(
                "127.0.0.1", network.address(other.id))
    return ensemble
