"""Many handles at once, and servers that are slow, dying, or open and dumb."""

import socket
import threading
import time

import pytest
from pylib.servers import Server
from pylib.sockets import shut

from .conftest import Puppet, until

HANDLES = 100


@pytest.fixture
def storm(compile_program, sanitized, libraries, our_headers):
    opened = []

    def make(server, kind=None, handles=HANDLES, timeout_ms=30000):
        if kind:
            program = compile_program("storm", sanitized(kind), "_" + kind, our_headers)
        else:
            program = compile_program("storm")
        one = Puppet(program, "127.0.0.1:%d" % server.port, None if kind else libraries,
                     timeout_ms=timeout_ms, errors=True, words=[str(handles)])
        opened.append(one)
        return one

    yield make
    for one in opened:
        one.close()
        assert not [line for line in one.every_line if "Sanitizer" in line], one.every_line


@pytest.mark.parametrize("kind, handles", [(None, HANDLES), ("thread", 20), ("address", 20)])
def test_all_handles_come_back_with_their_sessions_and_watches_each_time(storm, kind, handles):
    with Server("paddock", {"maxClientCnxns": 0}) as server:
        with server.client() as client:
            client.create("/storm", b"0")
        one = storm(server, kind, handles)
        one.wait("connected %d" % handles)
        assert one.say("make", "made ") == "made %d" % handles
        for i in range(3):
            assert one.say("watch", "watched ") == "watched %d" % handles
            server.kill()
            one.wait("away %d" % handles)
            server.restart()
            one.wait("connected %d" % handles)
            assert one.say("sessions") == "sessions %d" % handles
            with server.client() as client:
                client.set_data("/storm", b"%d" % i)
            one.wait("changed %d" % handles)
        with server.client() as client:
            assert len(client.get_children("/storm")) == handles
        assert one.say("close", "closed ") == "closed %d" % handles
        assert "expired" not in one.every_line
        with server.client() as client:
            assert client.get_children("/storm") == []


def test_without_a_server_the_handles_cost_next_to_nothing(storm):
    with Server("paddock", {"maxClientCnxns": 0}) as server:
        with server.client() as client:
            client.create("/storm", b"0")
        one = storm(server)
        one.wait("connected %d" % HANDLES)
        server.kill()
        one.wait("away %d" % HANDLES)
        began = time.monotonic()
        before_ms = int(one.say("cpu").split()[1])
        time.sleep(3)  # how long the outage is is what is measured
        used_ms = int(one.say("cpu").split()[1]) - before_ms
        outage_ms = (time.monotonic() - began) * 1000  # longer, where this process stands still
        assert used_ms < outage_ms * 0.2, used_ms  # a fifth of one processor, for 100 handles


class Talker:
    """A server that treats each connection with play(connection), and counts them."""

    def __init__(self, play):
        self.accepted, self.play = 0, play
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        self.kept = []
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        try:
            while True:
                connection, _ = self.listener.accept()
                self.accepted += 1
                self.play(self, connection)
        except OSError:
            pass

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        for connection in self.kept:
            connection.close()


def test_a_server_that_closes_at_once_is_not_asked_without_a_pause(puppet):
    talker = Talker(lambda _, connection: connection.close())
    puppet("127.0.0.1:%d" % talker.port, timeout_ms=6000)
    until(lambda: talker.accepted >= 2)
    began, before = time.monotonic(), talker.accepted
    time.sleep(3)  # the rate is what is measured
    asked = talker.accepted - before
    seconds = time.monotonic() - began  # more than 3, where this process stands still
    talker.close()
    assert asked <= 1 + 10 * seconds, (asked, seconds)


def test_a_server_that_never_answers_the_handshake_is_left(puppet, server):
    talker = Talker(lambda talker, connection: talker.kept.append(connection))
    one = puppet("127.0.0.1:%d,127.0.0.1:%d" % (talker.port, server.port), timeout_ms=9000)
    one.wait("event global -1 3")
    assert one.say("server").endswith(":%d" % server.port)
    assert talker.accepted >= 1
    talker.close()


def through(server, change):
    """A talker that stands before the server; change(bytes) says how what it answers is sent on: pieces with
    pauses before them. None ends the connection."""

    def copy(source, target, pieces):
        try:
            while data := source.recv(65536):
                for pause_s, piece in pieces(data):
                    time.sleep(pause_s)
                    if piece is None:
                        raise OSError
                    target.sendall(piece)
        except OSError:
            pass
        shut(source, target)

    def play(_, connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        other = socket.create_connection(("127.0.0.1", server.port))
        for words in ((connection, other, lambda data: [(0, data)]), (other, connection, change)):
            threading.Thread(target=copy, args=words, daemon=True).start()

    return Talker(play)


def test_answers_that_come_byte_by_byte_are_read(puppet, server):
    talker = through(server, lambda data: [(0.001, data[i:i + 1]) for i in range(len(data))])
    one = puppet("127.0.0.1:%d" % talker.port)
    one.wait("event global -1 3")
    assert one.say("create /slow 0") == "create 0"
    assert one.say("watch /slow", "get ") == "get 0"
    one.send("gets /slow 20")
    one.wait("got 0", count=20)
    one.send("set /slow text")
    one.wait("event path 3 3 /slow")
    assert one.say("get /slow") == "get 0 text"
    assert "event global -1 1" not in one.every_line  # connected once
    talker.close()


def test_a_server_that_is_slow_but_not_silent_keeps_its_clients(puppet, server):
    """Each answer takes half of the timeout; two thirds would be too much."""
    talker = through(server, lambda data: [(4.5, data)])
    one = puppet("127.0.0.1:%d" % talker.port, timeout_ms=12000)
    one.wait("event global -1 3")
    session = one.say("id")
    for _ in range(3):
        assert one.say("exists /") == "exists 0"
    assert one.say("id") == session
    assert len([line for line in one.every_line if line.startswith("event global -1 3")]) == 1
    talker.close()


def test_a_server_that_dies_in_the_middle_of_an_answer(puppet, server):
    """Half of an answer, then the end: the request comes back as lost, and the session goes on."""
    state = {"cut": False}

    def change(data):
        if not state["cut"]:
            return [(0, data)]
        state["cut"] = False
        return [(0, data[:len(data) // 2]), (0, None)]

    talker = through(server, change)
    one = puppet("127.0.0.1:%d" % talker.port)
    one.wait("event global -1 3")
    session = one.say("id")
    state["cut"] = True
    assert one.say("exists /") in ("exists -4", "exists -7")
    one.wait("event global -1 3")
    assert one.say("exists /") == "exists 0"
    assert one.say("id") == session
    talker.close()
