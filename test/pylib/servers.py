"""Starts and stops the server under test: the real ZooKeeper (Java) or Paddock.

    with Server("java", {"maxClientCnxns": 3}, props={"zookeeper.skipACL": "yes"}) as server:
        server.client()...

A server that was started is killed when Python exits, whatever happens before.
"""

import atexit
import fcntl
import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

from . import zkwire

REPO = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# With a logger, which Debian's jar does not bring: what Java complains about is looked for.
JAVA_CLASSPATH = os.environ.get(
    "ZK_CLASSPATH", "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar")
JAVA_FLAGS = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m", "-Xshare:auto",
              "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"]
JAVA_MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain"
TARGETS = ("java", "paddock")
START_WAIT_S = 60.0

_running = set()
_claimed = set()  # numbers that this process has taken
_claims = None  # a file whose byte N is locked by the process that has taken the number N


@atexit.register
def _kill_all():
    for server in list(_running):
        server.kill()
        server.remove()


# A terminated test run still passes through atexit.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
):
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def claim(number):
    """True for the first process on this machine that asks, once, as long as it lives. Ports, and numbers
    below them for other things of which a machine has but one."""
    global _claims
    if number in _claimed:
        return False
    if _claims is None:
        path = os.path.join(tempfile.gettempdir(), "zk-claims-%d" % os.getuid())
        _claims = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # never closed: that would unlock
    try:
        fcntl.lockf(_claims, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, number)
    except OSError:
        return False
    _claimed.add(number)
    return True


def release(number):
    _claimed.discard(number)
    fcntl.lockf(_claims, fcntl.LOCK_UN, 1, number)


def free_port():
    """A port below the range that the kernel takes for outgoing connections: one from there could
    be lost to a stranger, or to a polling client that meets itself, while a server restarts.
    It is given once: its server may be down, or not yet started, when the next one is asked for."""
    while True:
        port = random.randrange(20000, 30000)
        if not claim(port):
            continue
        with socket.socket() as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                sock.bind(("127.0.0.1", port))
                return port
            except OSError:
                pass


def paddock_program():
    return os.environ.get("PADDOCK") or os.path.join(REPO, "build", "paddock")


class StartFailed(Exception):
    """The server ended, or did not answer in time; the message has its log."""


class Server:
    """One server process and its directory. Not started until start()."""

    def __init__(self, target="paddock", config=None, props=None, data_dir=None, wrapper=()):
        if target not in TARGETS:
            raise ValueError("target is one of %r" % (TARGETS,))
        self.target, self.config, self.props = target, dict(config or {}), dict(props or {})
        self.wrapper = list(wrapper)  # words put before the command, e.g. valgrind
        self.java_flags = []  # more than all have
        self.dir = tempfile.mkdtemp(prefix="zk-%s-" % target)
        self.data_dir = data_dir or os.path.join(self.dir, "data")
        self.log_path = os.path.join(self.dir, "log")
        self.host, self.port, self.process = "127.0.0.1", None, None

    def __enter__(self):
        if self.process is None:
            self.start()
        return self

    def __exit__(self, *exc):
        self.close()

    # -- start

    def start(self, config=None, props=None, wait=True):
        """config and props are added to those given before; start again keeps port and data."""
        self.config.update(config or {})
        self.props.update(props or {})
        if self.port is None:
            self.port = int(self.config.get("clientPort", 0)) or free_port()
        os.makedirs(self.data_dir, exist_ok=True)
        self.write_config()
        env = dict(os.environ)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                self.command(env),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd=self.dir,
                env=env,
            )
        _running.add(self)
        if wait:
            self.wait_serving()
        return self

    def write_config(self):
        keys = {
            "tickTime": 2000,
            "clientPort": self.port,
            "clientPortAddress": "127.0.0.1",
            "dataDir": self.data_dir,
            "4lw.commands.whitelist": "*",
            "admin.enableServer": "false",
            "preAllocSize": 64,
        }
        keys.update(self.config)
        self.config_path = os.path.join(self.dir, "zoo.cfg")
        with open(self.config_path, "w") as cfg:
            for key, value in keys.items():
                if value is not None:
                    cfg.write("%s=%s\n" % (key, value))

    def command(self, env):
        """The command line; properties go the way each server takes them."""
        flags = ["-D%s=%s" % (k, v) for k, v in self.props.items()]
        if self.target == "java":
            words = ["java", *JAVA_FLAGS, *self.java_flags, *flags, "-cp", JAVA_CLASSPATH, JAVA_MAIN]
        else:
            env["SERVER_JVMFLAGS"] = " ".join(shlex.quote(f) for f in flags)
            words = [paddock_program(), "server"]
        return [*self.wrapper, *words, self.config_path]

    def wait_serving(self, wait=START_WAIT_S):
        """Until the server settles a handshake; polls, and notices at once when it ends."""
        deadline = time.monotonic() + wait
        while True:
            if self.process.poll() is not None:
                raise StartFailed("exit status %s\n%s" % (self.process.returncode, self.log()))
            if self.serving():
                return
            if time.monotonic() > deadline:
                self.kill()
                raise StartFailed("not serving after %s s\n%s" % (wait, self.log()))
            time.sleep(0.02)  # the pause between two connection attempts

    def serving(self):
        """A handshake with a session that cannot exist is answered only by a serving server, which closes the
        connection then: it is waited for, so that no test finds it among its own. (One that comes too
        early may never be answered by Java.)"""
        try:
            with zkwire.RawClient(self.host, self.port, connect=False, wait=1.0) as client:
                refused = client.handshake(session=1, passwd=b"x" * 16).timeout == 0
                client.expect_eof()
                return refused
        except (OSError, zkwire.Closed, zkwire.Timeout):
            return False

    # -- use

    def client(self, **options):
        return zkwire.RawClient(self.host, self.port, **options)

    def four_letter(self, word, wait=10.0):
        return zkwire.four_letter(self.host, self.port, word, wait)

    def log(self):
        with open(self.log_path, errors="replace") as log:
            return log.read()

    @property
    def address(self):
        return "%s:%d" % (self.host, self.port)

    @property
    def pid(self):
        return self.process.pid if self.process else None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    # -- end

    def stop(self, wait=60.0):
        """SIGTERM and the exit status."""
        return self._end(signal.SIGTERM, wait)

    def kill(self):
        return self._end(signal.SIGKILL, 20.0)

    def _end(self, how, wait):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(how)
        try:
            status = self.process.wait(wait)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.process = None
        _running.discard(self)
        return status

    def wait_exit(self, wait=60.0):
        """The exit status of a server that is expected to end by itself."""
        status = self.process.wait(wait)
        self.process = None
        _running.discard(self)
        return status

    def restart(self, config=None, props=None, kill=False):
        self.kill() if kill else self.stop()
        return self.start(config, props)

    def remove(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def close(self):
        """A test's server goes the quick way: nothing of it is needed any more."""
        self.kill()
        self.remove()
