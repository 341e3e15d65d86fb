"""What is measured: one server, or an ensemble of three, in Java, of ours, or the do-nothing server.

A target has addresses for the load generator and the processor time of all its processes. Every
process that was started is killed when Python exits, whatever happens before.
"""

import atexit
import os
import re
import signal
import subprocess
import sys
import time

from workloads import PADDOCK, ROOT, BenchFailed, zkwire

NULL_SERVER = os.path.join(ROOT, "build", "release", "bench_nullserver")
CLASSPATH = os.environ.get("ZK_CLASSPATH", "/usr/share/java/zookeeper.jar")
JAVA_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
PORT = int(os.environ.get("BENCH_PORT", "24281"))
TICKS = os.sysconf("SC_CLK_TCK")
START_WAIT_S = 180
# Who stands in an ensemble, by server id. In the mixed one the leader is ours and Java's in turn:
# the highest id leads, then the next one, then the first that has come back.
LINEUPS = {
    "java": ("java", "java", "java"),
    "paddock": ("paddock", "paddock", "paddock"),
    "mixed": ("java", "java", "paddock"),
}

ROLES = ["follower", "follower", "leader"]

_running = set()


@atexit.register
def _kill_all():
    for process in list(_running):
        process.kill()


class Process:
    """One server process over a directory that the caller owns."""

    def __init__(self, kind, directory, port, keys=None, heap="4g"):
        self.kind, self.directory, self.port, self.heap = kind, directory, port, heap
        self.data_dir = os.path.join(directory, "data")
        self.process = None
        every = {
            "tickTime": 2000,
            "clientPort": port,
            "clientPortAddress": "127.0.0.1",
            "dataDir": self.data_dir,
            "maxClientCnxns": 0,
            "admin.enableServer": "false",
            "4lw.commands.whitelist": "*",
        }
        every.update(keys or {})
        os.makedirs(self.data_dir, exist_ok=True)
        self.config_path = os.path.join(directory, "zoo.cfg")
        with open(self.config_path, "w") as file:
            file.writelines("%s=%s\n" % item for item in every.items())

    @property
    def address(self):
        return "127.0.0.1:%d" % self.port

    def command(self):
        if self.kind == "java":
            return ["java", "-Xmx" + self.heap, "-cp", CLASSPATH, JAVA_MAIN, self.config_path]
        if self.kind == "null":
            return [NULL_SERVER, str(self.port), "100"]
        return [PADDOCK, "server", self.config_path]

    def start(self):
        self.began_s = time.monotonic()
        with open(os.path.join(self.directory, "log"), "ab") as log:
            self.process = subprocess.Popen(
                self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.directory
            )
        _running.add(self)

    def wait_answer(self):
        """Until it settles a handshake; returns how many seconds after its start that was."""
        while not self.answers():
            self.check_alive()
            if time.monotonic() - self.began_s > START_WAIT_S:
                raise BenchFailed("%s does not answer" % self.kind)
            time.sleep(0.001)
        return time.monotonic() - self.began_s

    def log_lines(self, text):
        with open(os.path.join(self.directory, "log"), errors="replace") as log:
            return [line.rstrip() for line in log if text in line]

    def check_alive(self):
        if self.process.poll() is not None:
            raise BenchFailed("%s ended, see %s/log" % (self.kind, self.directory))

    def answers(self):
        """A handshake for a session that cannot exist is settled, and nothing is written.

        Java never answers a connection that it accepts in a certain moment of its start, so the next try
        must not wait long for the one before.
        """
        try:
            with zkwire.RawClient(port=self.port, connect=False, wait=0.05) as client:
                client.handshake(session=1, passwd=b"x" * 16)
            return True
        except (OSError, zkwire.Closed, zkwire.Timeout):
            return False

    def kill(self):
        self._end(signal.SIGKILL)

    def stop(self):
        self._end(signal.SIGTERM)

    def _end(self, how):
        _running.discard(self)
        self.process.send_signal(how)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def words(self, word):
        """The answer to a four-letter word."""
        return zkwire.four_letter("127.0.0.1", self.port, word, 5.0).decode(errors="replace")

    def srvr(self):
        """(mode, zxid), or (None, 0) while it does not serve."""
        try:
            text = self.words("srvr")
        except (OSError, zkwire.Closed, zkwire.Timeout):
            return None, 0
        mode, zxid = re.search(r"Mode: (\w+)", text), re.search(r"Zxid: 0x([0-9a-f]+)", text)
        return (mode.group(1), int(zxid.group(1), 16)) if mode and zxid else (None, 0)

    def mntr(self):
        """Name to value, the numbers as numbers."""
        values = {}
        for line in self.words("mntr").splitlines():
            name, _, value = line.partition("\t")
            try:
                values[name] = float(value)
            except ValueError:
                values[name] = value
        return values

    def snapshots(self):
        """The zxids of the snapshots in its directory."""
        path = os.path.join(self.data_dir, "version-2")
        names = os.listdir(path) if os.path.isdir(path) else []
        return {int(n[9:], 16) for n in names if re.fullmatch("snapshot.[0-9a-f]+", n)}

    def cpu_s(self):
        with open("/proc/%d/stat" % self.process.pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def rss_mb(self):
        with open("/proc/%d/status" % self.process.pid) as file:
            return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024

    def say_last_lines(self):
        with open(os.path.join(self.directory, "log"), errors="replace") as log:
            print("".join(log.readlines()[-15:]), file=sys.stderr)
        print("%s: exit status %s" % (self.kind, self.process.poll()), file=sys.stderr)


class Server(Process):
    """One server that serves alone; start_s says how long it took to the first answer."""

    def __init__(self, kind, directory, keys=None):
        super().__init__(kind, directory, PORT, keys)
        self.addresses = [self.address]

    def __enter__(self):
        os.sync()  # what the server before left to the kernel is not this one's load
        self.start()
        self.start_s = self.wait_answer()
        return self

    def __exit__(self, failure, *_):
        if failure is not None:
            self.say_last_lines()
        self.stop()

    def wait_snapshot(self, wait_s=60):
        """Until there is a snapshot of all that is served."""
        zxid, end_s = self.srvr()[1], time.monotonic() + wait_s
        while zxid not in self.snapshots():
            if time.monotonic() > end_s:
                raise BenchFailed("%s wrote no snapshot of %x" % (self.kind, zxid))
            time.sleep(0.05)


class Ensemble:
    """Three servers on one machine that agree on every write."""

    def __init__(self, kind, directory, heap="2g", ports=range(PORT, PORT + 9)):
        """Nine ports: three for clients, three for followers, three for the election."""
        self.kind, self.members = kind, []
        keys = {"initLimit": 60, "syncLimit": 5}  # a million znodes fit into initLimit
        for i in range(3):
            keys["server.%d" % (i + 1)] = "127.0.0.1:%d:%d" % (ports[3 + i], ports[6 + i])
        for i, member_kind in enumerate(LINEUPS[kind]):
            path = os.path.join(directory, str(i + 1))
            member = Process(member_kind, path, ports[i], keys, heap)
            with open(os.path.join(member.data_dir, "myid"), "w") as file:
                file.write("%d\n" % (i + 1))
            self.members.append(member)
        self.addresses = [member.address for member in self.members]

    def refused(self):
        """Why a member cannot stand in an ensemble, or None."""
        for member in self.members:
            if member.kind == "paddock":
                done = subprocess.run(
                    [PADDOCK, "server", "--check", member.config_path],
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode != 0:
                    return done.stderr.strip()
        return None

    def __enter__(self):
        os.sync()
        for member in self.members:
            member.start()
        self.wait_roles()
        with zkwire.RawClient(port=self.members[0].port):
            pass  # a new session is a change: before the first one, a leader's zxid is its alone
        self.wait_in_step()
        return self

    def __exit__(self, failure, *_):
        for member in self.members:
            if failure is not None:
                member.say_last_lines()
            member.stop()

    def cpu_s(self):
        return sum(member.cpu_s() for member in self.members)

    def leader(self):
        for member in self.members:
            if member.srvr()[0] == "leader":
                return member
        raise BenchFailed("%s: nobody leads" % self.kind)

    def followers(self):
        leader = self.leader()
        return [member for member in self.members if member is not leader]

    def wait(self, what, are_so):
        """Until `are_so` of the modes and the zxids of the members."""
        end_s = time.monotonic() + START_WAIT_S
        while True:
            modes, zxids = zip(*(member.srvr() for member in self.members))
            if are_so(sorted(str(mode) for mode in modes), zxids):
                return
            for member in self.members:
                member.check_alive()
            if time.monotonic() > end_s:
                raise BenchFailed("%s: %s in vain: %s %s" % (self.kind, what, modes, zxids))
            time.sleep(0.01)

    def wait_roles(self):
        """One leads and the others follow."""
        self.wait("waited for a leader", lambda modes, _: modes == ROLES)

    def wait_in_step(self):
        """Besides, all have applied the same."""
        self.wait("waited for the same zxid everywhere",
                  lambda modes, zxids: modes == ROLES and len(set(zxids)) == 1)
