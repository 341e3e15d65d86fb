"""paddock four-letter HOST:PORT WORD."""

import signal
import socket
import subprocess
import time

import pytest

from pylib import servers


def ask(*words):
    done = subprocess.run(
        [servers.paddock_program(), "four-letter", *words],
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.returncode, done.stdout, done.stderr


def ask_server(address, word):
    """Of a server that runs, but may stand still, as the whole machine may, for the tool's 5 seconds."""
    for _ in range(10):
        done = ask(address, word)
        if done != (1, "", "paddock: %s: no answer within 5 seconds\n" % address):
            break
    return done


def test_it_prints_what_the_server_answers(start):
    server = start()
    code, out, err = ask_server(server.address, "srvr")
    assert code == 0 and err == ""
    assert "Mode: standalone" in out and out.startswith("Zookeeper version: ")
    assert ask_server(server.address, "ruok")[:2] == (0, "imok")


def test_a_refused_word_is_the_servers_answer(start):
    server = start({"4lw.commands.whitelist": "srvr"})
    code, out, _ = ask_server(server.address, "wchp")
    assert code == 0
    assert out == "wchp is not executed because it is not in the whitelist.\n"


def test_nobody_there_is_told_with_the_address():
    address = "127.0.0.1:%d" % servers.free_port()
    assert ask(address, "srvr") == (1, "", "paddock: %s: Connection refused\n" % address)


def test_a_server_that_says_nothing_is_given_five_seconds():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        code, out, err = ask(address, "srvr")
    assert (code, out) == (1, "")
    assert err == "paddock: %s: no answer within 5 seconds\n" % address


def stop_and_continue(process):
    """Once it waits."""
    while state(process) != "S":
        time.sleep(0.001)
    process.send_signal(signal.SIGSTOP)
    while state(process) != "T":
        time.sleep(0.001)
    process.send_signal(signal.SIGCONT)
    while state(process) == "T":
        time.sleep(0.001)


def state(process):
    with open("/proc/%d/stat" % process.pid) as stat:
        return stat.read().rpartition(")")[2].split()[0]


@pytest.mark.parametrize("waits_for", ["the connection", "the answer"])
def test_it_may_be_stopped_for_a_while(waits_for):
    with socket.socket() as listener, socket.socket() as other:
        listener.settimeout(60)
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        address = "127.0.0.1:%d" % listener.getsockname()[1]
        if waits_for == "the connection":
            other.connect(listener.getsockname())  # now there is no place for more
        process = subprocess.Popen(
            [servers.paddock_program(), "four-letter", address, "ruok"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        if waits_for == "the connection":
            stop_and_continue(process)
            listener.accept()[0].close()
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(4) == b"ruok"
            if waits_for == "the answer":
                stop_and_continue(process)
            connection.sendall(b"imok")
        assert process.communicate(timeout=60) == ("imok", "")
        assert process.returncode == 0


def test_a_name_that_does_not_resolve_is_told():
    code, out, err = ask("no-such-host.invalid:2181", "srvr")
    assert (code, out) == (1, "")
    assert err == "paddock: no-such-host.invalid:2181: the name does not resolve\n"


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["127.0.0.1:2181"],
        ["127.0.0.1:2181", "toolong"],
        ["127.0.0.1:0", "srvr"],
        ["127.0.0.1:65536", "srvr"],
        ["127.0.0.1:x", "srvr"],
        [":2181", "srvr"],
        ["[::1:2181", "srvr"],
        ["::1:2181", "srvr"],
        ["127.0.0.1:2181", "srvr", "more"],
    ],
)
def test_wrong_arguments_get_the_usage(words):
    code, out, err = ask(*words)
    assert (code, out) == (2, "")
    assert err.startswith("usage: paddock four-letter HOST[:PORT] WORD\n")
