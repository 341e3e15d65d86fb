"""Commands of the shell that last: started, listened to, stopped."""

import itertools
import os
import signal
import socket
import struct
import subprocess
import threading
import time

from pylib import replay
from pylib.servers import paddock_program
from pylib.sockets import shut

WAIT_S = 60


def address(server):
    return "127.0.0.1:%d" % server.port


def until(condition, what):
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(0.02)
    raise AssertionError("did not happen: %s" % what)


class Run:
    """`paddock cli -server ... words`, with its output in files."""

    def __init__(self, tmp_path, servers, *words, options=(), env=None):
        self.out_path = tmp_path / ("out-%d" % time.monotonic_ns())
        self.err_path = self.out_path.with_suffix(".err")
        argv = [paddock_program(), "cli", "-server", servers, *options, *[str(w) for w in words]]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=out, stderr=err, cwd=str(tmp_path),
                env=replay.environment(**(env or {})), start_new_session=True)

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    def wait_out(self, text, count=1):
        until(lambda: self.out.count(text) >= count or self.ended(), "%r in %r" % (text, self.out))
        assert self.out.count(text) >= count, (text, self.out, self.err)

    def wait_err(self, text):
        until(lambda: text in self.err or self.ended(), "%r in %r" % (text, self.err))
        assert text in self.err, (text, self.out, self.err)

    def ended(self):
        return self.process.poll() is not None

    def signal(self, number):
        self.process.send_signal(number)

    def code(self):
        try:
            return self.process.wait(timeout=WAIT_S)
        except subprocess.TimeoutExpired:
            raise AssertionError("does not end: %r %r" % (self.out, self.err))

    def close(self):
        if not self.ended():
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()


def is_alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def is_stopped(pid):
    with open("/proc/%d/stat" % pid) as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def receive(sock, size):
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise OSError("closed")
        data += more
    return data


def receive_frame(sock):
    head = receive(sock, 4)
    return head + receive(sock, struct.unpack(">i", head)[0])


class LosesAnswer:
    """Stands before a server. The answer to the first request with this operation is not passed on: the
    connection is closed when the server has answered it."""

    def __init__(self, server, op):
        self.server, self.op, self.lost = server, op, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        there = socket.create_connection(("127.0.0.1", self.server.port))
        to_lose = set()
        back = threading.Thread(target=self.pass_back, args=(there, client, to_lose), daemon=True)
        try:
            there.sendall(receive_frame(client))
            client.sendall(receive_frame(there))
            back.start()
            while True:
                frame = receive_frame(client)
                xid, op = struct.unpack(">ii", frame[4:12])
                if op == self.op and self.lost == 0:
                    self.lost = 1
                    to_lose.add(xid)
                there.sendall(frame)
        except OSError:
            pass
        shut(client, there)

    @staticmethod
    def pass_back(there, client, to_lose):
        try:
            while True:
                frame = receive_frame(there)
                if struct.unpack(">i", frame[4:8])[0] in to_lose:
                    break
                client.sendall(frame)
        except OSError:
            pass
        shut(client, there)

    def close(self):
        self.listener.close()


def children(server, path):
    """Of a znode that may not be there yet."""
    with server.client() as client:
        return client.get_children(path) if client.exists(path) else []


def own_long_time(times=itertools.count()):
    """Seconds for which no other process sleeps, other runs of these tests included."""
    return 10_000_000 + os.getpid() * 10 + next(times) % 10


def sleepers(seconds):
    """Living processes `sleep SECONDS`."""
    words = b"sleep\0%d\0" % seconds
    found = []
    for name in os.listdir("/proc"):
        try:
            with open("/proc/%s/cmdline" % name, "rb") as file:
                if name.isdigit() and file.read() == words and is_alive(int(name)):
                    found.append(int(name))
        except (FileNotFoundError, ProcessLookupError, NotADirectoryError):
            pass
    return found
