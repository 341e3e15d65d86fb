"""Holds one thread of a Java server at a line, with the debugger of the JDK.

    server.java_flags += jdb.flags(port)
    with jdb.Debugger(port) as debugger:
        debugger.hold("org.apache.zookeeper.server.Some", 12)
        debugger.wait("Breakpoint hit")
        debugger.let_go()
"""

import os
import select
import subprocess
import time

WAIT_S = 30.0


def flags(port):
    agent = "transport=dt_socket,server=y,suspend=n,address=127.0.0.1:%d" % port
    return ["-agentlib:jdwp=" + agent]


class Debugger:
    def __init__(self, port):
        self.process = subprocess.Popen(
            ["jdb", "-attach", "127.0.0.1:%d" % port],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.said = b""
        self.wait("Initializing jdb")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        """The server goes on."""
        self.process.kill()
        self.process.communicate()

    def hold(self, name, line):
        """The thread that comes to this line; the others run on."""
        self.place = "%s:%d" % (name, line)
        self.tell("stop thread at " + self.place)
        self.wait("Set breakpoint")

    def let_go(self):
        """It is not held again."""
        self.tell("clear " + self.place)
        self.wait("Removed: breakpoint")
        self.tell("resume")
        self.wait("All threads resumed")

    def tell(self, words):
        self.process.stdin.write(words.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self, text):
        """Until it says so, behind what was waited for before."""
        deadline = time.monotonic() + WAIT_S
        while text.encode() not in self.said:
            left = deadline - time.monotonic()
            out = self.process.stdout
            if left <= 0 or not select.select([out], [], [], left)[0]:
                raise AssertionError("jdb does not say %r, but %r" % (text, self.said))
            more = os.read(out.fileno(), 1 << 16)
            if not more:
                raise AssertionError("jdb has ended: %r" % self.said)
            self.said += more
        self.said = self.said.partition(text.encode())[2]
