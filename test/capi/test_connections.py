"""What a handle does when its server goes away, is silent, or another one is better."""

import os
import signal
import socket
import threading

import pytest
from pylib.ensemble import Ensemble
from pylib.servers import Server

READ_ONLY, NOT_READ_ONLY_CALL = 1, -119  # ZOO_READONLY, ZNOTREADONLY


def test_a_server_that_dies_and_comes_back(puppet, server):
    one = puppet("127.0.0.1:%d" % server.port)
    one.wait("event global -1 3")
    session = one.say("id")
    assert one.say("create /e 1") == "create 0"
    assert one.say("create /w 0") == "create 0"
    assert one.say("watch /w", "get ") == "get 0"
    server.kill()
    one.wait("event global -1 1")
    assert one.say("get /w") in ("get -4", "get -7")
    server.restart()
    one.wait("event global -1 3")
    assert one.say("id") == session
    assert one.say("exists /e") == "exists 0"
    with server.client() as client:
        client.set_data("/w", b"changed")
    one.wait("event path 3 3 /w")
    assert one.say("close") == "close 0"
    with server.client() as client:
        assert client.exists("/e") is None


def test_requests_under_way_come_back_when_the_server_dies(puppet, server):
    one = puppet("127.0.0.1:%d" % server.port)
    one.wait("event global -1 3")
    os.kill(server.pid, signal.SIGSTOP)
    one.send("gets / 10")
    server.kill()
    one.wait("got -4", count=10)


def test_more_than_the_socket_takes_is_sent_in_the_end(puppet, server):
    one = puppet("127.0.0.1:%d" % server.port)
    one.wait("event global -1 3")
    assert one.say("fill /big 40") == "fill 40"


def test_a_silent_server_is_left_after_two_thirds_of_the_timeout(puppet, server):
    with Server("paddock") as other:
        one = puppet("127.0.0.1:%d,127.0.0.1:%d" % (server.port, other.port), timeout_ms=9000)
        one.wait("event global -1 3")
        assert one.say("server").endswith(":%d" % server.port)
        os.kill(server.pid, signal.SIGSTOP)
        try:
            one.send("get /zookeeper")
            # The other one does not know the session.
            one.wait_each("get -7", "event global -1 1", "event global -1 -112")
        finally:
            os.kill(server.pid, signal.SIGCONT)


def test_proofs_are_shown_again_after_a_reconnection(puppet, server):
    one = puppet("127.0.0.1:%d" % server.port)
    assert one.say("auth bob:pw", "asked ") == "asked 0"
    one.wait("auth 0")
    with server.client() as client:
        client.auth("digest", b"bob:pw")
        client.create("/mine", b"x", acls=[(31, "auth", "")])
    assert one.say("get /mine") == "get 0 x"
    server.kill()
    server.restart()
    one.wait("event global -1 3")
    assert one.say("get /mine") == "get 0 x"


def test_a_callback_may_make_synchronous_calls(puppet, server):
    one = puppet("127.0.0.1:%d" % server.port)
    one.wait("event global -1 3")
    one.send("call_in_watcher")
    assert one.say("create /w 0") == "create 0"
    assert one.say("watch /w", "get ") == "get 0"
    one.send("set /w x")
    assert one.wait("inside ") == "inside 0"


def test_a_callback_may_close_the_handle(puppet, server):
    one = puppet("127.0.0.1:%d" % server.port)
    one.wait("event global -1 3")
    one.send("close_in_watcher")
    assert one.say("create /w 0") == "create 0"
    assert one.say("exists /w") == "exists 0"
    with server.client() as client:
        client.set_data("/w", b"x")
        assert one.wait("closed inside ") == "closed inside 0"
        one.wait("event exists 3")


def test_another_list_of_servers_moves_the_handle(puppet, server):
    with Server("paddock") as other:
        one = puppet("127.0.0.1:%d" % server.port)
        one.wait("event global -1 3")
        assert one.say("servers nonsense", "servers ") == "servers -8"
        assert one.say("servers 127.0.0.1:%d" % server.port, "servers ") == "servers 0"
        assert one.say("state") == "state 3"
        one.send("servers 127.0.0.1:%d" % other.port)
        one.wait_each("servers 0", "event global -1 1")
        one.wait("event global -1 -112")  # the other one stands alone: no such session there


def test_dead_servers_are_passed_over(puppet, server):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # bound, and nobody listens
        one = puppet("127.0.0.1:%d,127.0.0.1:%d" % (closed.getsockname()[1], server.port))
        one.wait("event global -1 3")
        assert one.say("server").endswith(":%d" % server.port)


@pytest.mark.parametrize("bytes_sent", [b"\xff\xff\xff\xff", b"\0\0\0\3abc", b"HTTP/1.1 400\r\n\r\n"])
def test_a_server_that_talks_nonsense_is_left(puppet, server, bytes_sent):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)

        def play():
            try:
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(bytes_sent)
                    connection.close()
            except OSError:
                pass

        threading.Thread(target=play, daemon=True).start()
        one = puppet("127.0.0.1:%d,127.0.0.1:%d" % (listener.getsockname()[1], server.port))
        one.wait("event global -1 3")
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("target", ["paddock", "java"])
def test_a_handle_reads_at_a_server_without_a_quorum_and_writes_when_there_is_one(puppet, target):
    config = {"localSessionsEnabled": "true"}
    with Ensemble([target] * 3, config=config, props={"readonlymode.enabled": "true"}) as ensemble:
        alone, *others = ensemble.members
        with alone.client() as client:
            client.create("/read", b"data")
        for member in others:
            member.kill()
        ensemble.wait(lambda: alone.mode() == "read-only", "read-only")
        one = puppet(ensemble.hosts, flags=READ_ONLY)
        one.wait("event global -1 5")
        assert one.say("get /read") == "get 0 data"
        assert one.say("create /w 0") == "create %d" % NOT_READ_ONLY_CALL
        for member in others:
            member.start()
        ensemble.wait_all()
        one.wait("event global -1 3")
        assert one.say("create /w 0") == "create 0"
        assert one.say("close") == "close 0"
