"""A copy of this machine's system with a systemd that is really running in it (in_systemd.sh)."""

import collections
import os
import select
import shutil
import socket
import subprocess
import time

from .conftest import environment

HERE = os.path.dirname(os.path.abspath(__file__))
NOT_ALLOWED = 77
WAIT_S = 60.0


class NotAllowed(Exception):
    """This machine cannot run one."""


class Machine:
    """A directory, in which files may be put that the machine has as /given, is booted. What it makes is
    in memory, and gone when it is closed."""

    def __init__(self, directory):
        self.directory = str(directory)
        self.journal = None
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listening.bind(os.path.join(self.directory, "notify"))
        self.unshare = subprocess.Popen(
            [os.path.join(HERE, "in_systemd.sh"), self.directory], stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
        )  # fmt: skip
        try:
            self._boot(listening)
            self.journal = Journal(self)
        except BaseException:
            self.close()
            raise
        finally:
            listening.close()

    def _boot(self, listening):
        """Until systemd says that it is up."""
        heard, deadline = "", time.monotonic() + WAIT_S
        while "READY=1" not in heard:
            wait = max(deadline - time.monotonic(), 0)
            ready = select.select([listening, self.unshare.stdout], [], [], wait)[0]
            assert ready, "systemd is not up after %d s: %r" % (WAIT_S, heard)
            if listening in ready:
                heard += listening.recv(4096).decode()
            else:
                said = self.unshare.communicate()[0]
                if self.unshare.returncode == NOT_ALLOWED:
                    raise NotAllowed(said[-200:])
                raise AssertionError("systemd has ended: %d %s" % (self.unshare.returncode, said))
        with open("/proc/%d/task/%d/children" % (self.unshare.pid, self.unshare.pid)) as children:
            self.pid = children.read().split()[0]

    def begin(self, script, stdin=subprocess.DEVNULL):
        """Runs a script in the machine, as root; it goes on when this returns."""
        return subprocess.Popen(
            ["nsenter", "--target", self.pid, "--all", "sh", "-eu", "-c", script], stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=environment(DEBIAN_FRONTEND="noninteractive"),
        )  # fmt: skip

    def call(self, script, text=None):
        """(exit status, output) of a script that reads a text."""
        process = self.begin(script, subprocess.DEVNULL if text is None else subprocess.PIPE)
        try:
            said = process.communicate(text, timeout=WAIT_S)[0]
        finally:
            process.kill()
        return process.returncode, said

    def run(self, script, text=None):
        """The output of a script that has to succeed."""
        status, said = self.call(script, text)
        assert status == 0, (script, status, said, self.journal.tail())
        return said

    def give(self, name, text):
        """A file /given/name."""
        with open(os.path.join(self.directory, name), "w") as file:
            file.write(text)

    def close(self):
        self.unshare.kill()  # systemd and all that it has started end with it
        self.unshare.communicate()
        if self.journal is not None:
            self.journal.process.communicate()
        for tree in "/sys/fs/cgroup", "/sys/fs/cgroup/systemd", "/sys/fs/cgroup/unified":
            top = os.path.join(tree, "paddock-test-%d" % self.unshare.pid)
            for directory, _, _ in os.walk(top, topdown=False):
                gone(directory)
        shutil.rmtree(os.path.join(self.directory, "work"), ignore_errors=True)


def gone(cgroup):
    """Removes a cgroup when the last process in it is gone, which has been killed."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        try:
            return os.rmdir(cgroup)
        except OSError:
            time.sleep(0.01)


class Journal:
    """Every line that the machine's journal gets. Lines are found once, in their order."""

    def __init__(self, machine):
        self.machine, self.rest, self.marks = machine, "", 0
        self.lines = collections.deque(maxlen=10000)
        self.ahead = collections.deque()  # read, and not yet looked at
        self.process = machine.begin("exec journalctl --follow --lines=all --output=cat")

    def next(self):
        """The next line; fails when none comes in time."""
        while not self.ahead:
            assert self.read(WAIT_S), "nothing more in the journal:\n" + self.tail()
        self.lines.append(self.ahead.popleft())
        return self.lines[-1]

    def read(self, wait):
        """False when there is nothing within the time."""
        if not select.select([self.process.stdout], [], [], wait)[0]:
            return False
        text = os.read(self.process.stdout.fileno(), 65536).decode(errors="replace")
        *lines, self.rest = (self.rest + text).split("\n")
        self.ahead.extend(lines)
        return text != ""

    def until(self, words):
        """The lines up to the first one that contains the words."""
        lines = []
        while not lines or words not in lines[-1]:
            lines.append(self.next())
        return lines

    def now(self):
        """The lines that were there before this was called. What systemd logs goes the way of this mark."""
        self.marks += 1
        mark = "mark %d of the test" % self.marks
        self.machine.run("logger --journald", "MESSAGE=%s\n" % mark)
        return self.until(mark)[:-1]

    def tail(self):
        """The last lines, for one who looks why a test failed."""
        while self.read(0):
            pass
        return "\n".join([*self.lines, *self.ahead][-40:])
