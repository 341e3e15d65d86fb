"""What the server tells a service manager: the test plays systemd with a datagram socket."""

import contextlib
import ctypes
import os
import select
import socket
import struct

import pytest
from pylib.ensemble import Ensemble
from pylib.servers import Server

WAIT_S = 30
PTRACE_INTERRUPT, PTRACE_SEIZE, PTRACE_DETACH = 0x4207, 0x4206, 17
WALL = 0x40000000  # waits for threads, too
SO_TIMESTAMPNS = 35


class Manager:
    def __init__(self, path):
        self.path = str(path)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.socket.bind(self.path)
        self.sent_at = None  # when the last datagram was sent, as the kernel says

    def next(self, wait=WAIT_S):
        """The next datagram; None when none comes within the time."""
        if not select.select([self.socket], [], [], wait)[0]:
            return None
        heard, more, _, _ = self.socket.recvmsg(4096, socket.CMSG_SPACE(16))
        seconds, nanoseconds = struct.unpack("@qq", more[0][2])
        self.sent_at = seconds + nanoseconds / 1e9
        return heard.decode()

    def until(self, word):
        """All words up to this one; fails when it does not come."""
        words = []
        while not words or words[-1] != word:
            heard = self.next()
            assert heard is not None, (word, words)
            words.append(heard)
        return words


@pytest.fixture
def manager(tmp_path):
    manager = Manager(tmp_path / "notify")
    yield manager
    manager.socket.close()


class Service(Server):
    """A server that is started as systemd starts one of Type=notify."""

    def __init__(self, manager, watchdog_us=None, **options):
        super().__init__("paddock", **options)
        self.manager, self.watchdog_us = manager, watchdog_us

    def command(self, env):
        words = super().command(env)
        env["NOTIFY_SOCKET"] = self.manager.path
        if self.watchdog_us is not None:
            env["WATCHDOG_USEC"] = str(self.watchdog_us)
        return words


@contextlib.contextmanager
def service(manager, **options):
    """Started, and not waited for: the manager is to hear when it serves."""
    server = Service(manager, **options)
    try:
        yield server.start(wait=False)
    finally:
        server.close()


def serves(server):
    """Like serving(), with time for a machine that stands still."""
    with server.client(connect=False) as client:
        return client.handshake(session=1, passwd=b"x" * 16).timeout == 0


def test_ready_comes_once_and_the_server_serves_when_it_comes(manager):
    with service(manager) as server:
        assert manager.until("READY=1") == ["STATUS=standalone: serving", "READY=1"]
        assert serves(server)
        assert server.stop() == 0
        assert manager.until("STOPPING=1") == ["STOPPING=1"]
        assert manager.next(0) is None


def test_a_start_that_fails_never_says_ready(manager):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        server = Service(manager, config={"clientPort": taken.getsockname()[1]})
        assert server.start(wait=False).wait_exit() == 1
        server.remove()
    server = Service(manager)
    version_2 = os.path.join(server.data_dir, "version-2")
    os.makedirs(version_2)
    with open(os.path.join(version_2, "snapshot.5"), "wb") as file:
        file.write(b"no snapshot")
    assert server.start(wait=False).wait_exit() == 1
    server.remove()
    assert manager.next(0) is None


def test_signs_of_life_come_at_half_the_interval_that_the_manager_asks_for(manager):
    with service(manager, watchdog_us=1000000) as server:
        manager.until("READY=1")
        times = []
        for _ in range(5):
            assert manager.next() == "WATCHDOG=1"
            times.append(manager.sent_at)
        # Four halves of a second; a timer is never early but for its last millisecond, and a
        # machine under load only makes it late.
        assert times[-1] - times[0] > 1.8
        gaps = sorted(after - before for before, after in zip(times, times[1:]))
        assert gaps[1] < 0.9


def test_no_sign_of_life_comes_when_none_is_asked_for(manager):
    with service(manager) as server:
        manager.until("READY=1")
        assert serves(server)
        server.stop()
        assert manager.until("STOPPING=1") == ["STOPPING=1"]


def test_a_loop_that_does_not_turn_gives_no_sign_of_life_though_other_threads_run(manager):
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
    with service(manager, watchdog_us=200000) as server:
        manager.until("READY=1")
        manager.until("WATCHDOG=1")
        assert ptrace(PTRACE_SEIZE, server.pid, None, None) == 0  # the first thread: the loop
        assert ptrace(PTRACE_INTERRUPT, server.pid, None, None) == 0
        assert os.waitpid(server.pid, WALL)[0] == server.pid
        states = {
            tid: open("/proc/%d/task/%s/stat" % (server.pid, tid)).read().rsplit(") ")[1][0]
            for tid in os.listdir("/proc/%d/task" % server.pid)
        }
        assert states.pop(str(server.pid)) == "t" and states and "t" not in states.values()
        while manager.next(0):
            pass  # what was sent before
        assert manager.next(1.0) is None  # ten halves of the interval
        assert ptrace(PTRACE_DETACH, server.pid, None, None) == 0
        manager.until("WATCHDOG=1")


def test_a_member_is_ready_before_there_is_a_majority_and_its_status_tells_its_role(tmp_path):
    managers = [Manager(tmp_path / str(number)) for number in (1, 2, 3)]
    ensemble = Ensemble(["paddock"] * 3)
    try:
        for manager, member in zip(managers, (ensemble[1], ensemble[2], ensemble[3])):
            adopt(member, manager)
        ensemble[1].start()
        assert "STATUS=LOOKING: no leader yet" in managers[0].until("READY=1")
        ensemble[2].start()
        leader = ensemble.wait_leader()
        heard = role(managers[leader.id - 1])
        assert heard.startswith("STATUS=LEADING: serving, epoch 1"), heard
    finally:
        ensemble.close()
        for manager in managers:
            manager.socket.close()


def role(manager):
    while True:
        heard = manager.next()
        assert heard is not None
        if ": serving" in heard:
            return heard


def adopt(member, manager):
    command = member.command

    def with_manager(env):
        env["NOTIFY_SOCKET"] = manager.path
        return command(env)

    member.command = with_manager


def test_a_manager_that_cannot_be_told_does_not_keep_the_server_from_serving(tmp_path):
    class Odd(Server):
        def command(self, env):
            env["NOTIFY_SOCKET"] = "nonsense"
            return super().command(env)

    with Odd("paddock") as server:
        assert serves(server)
        assert "nothing is reported to the service manager" in server.log()
